"""The one door: look up, validate, reserve, send, settle, record."""

from core.engine.engine import Engine
from core.engine.results import Accepted, Settled

__all__ = ["Accepted", "Engine", "Settled"]
