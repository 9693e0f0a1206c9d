"""Runs from request to record: look up, validate, reserve, send, settle, log."""

from core.engine.access import Access
from core.engine.engine import Engine
from core.engine.results import Accepted, Settled

__all__ = ["Accepted", "Access", "Engine", "Settled"]
