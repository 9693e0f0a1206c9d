"""Notion on loopback: its API, the workspace it knows, and what a column takes."""

from core.sandbox.notion.api import Notion

__all__ = ["Notion"]
