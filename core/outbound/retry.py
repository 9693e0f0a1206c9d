"""May a delivery be repeated, and after how long? Every retry is decided here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.backoff import backoff
from core.errors import Certainty, NotSent, Unknown

if TYPE_CHECKING:
    from core.errors import LevqorError

ATTEMPTS = 3
_BACK_OFF_BASE = 0.5
_BACK_OFF_CAP = 8.0


def may_repeat(error: LevqorError) -> bool:
    """Whether a repeat can do nothing twice: surely not sent, or known by its key as a repeat."""
    if isinstance(error, Unknown):
        return error.certainty is Certainty.REPEATABLE
    return isinstance(error, NotSent)


def wait_seconds(error: LevqorError, made: int, attempts: int) -> float | None:
    """Seconds until the next attempt, None where there is none to be.

    They are the service's own wish, or more after each attempt that was made.
    """
    if made >= attempts or not may_repeat(error):
        return None
    if error.retry_after is not None:
        return error.retry_after
    return backoff(made, first=_BACK_OFF_BASE, longest=_BACK_OFF_CAP, jitter=1.0)
