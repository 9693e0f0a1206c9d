"""The retry policy: which failure is tried again, how often, and after how long.

`deliver` follows it, and adds the end: its time is up, or the process is.
"""

from core.backoff import backoff
from core.errors import Certainty, LevqorError, NotSent, Unknown

ATTEMPTS = 3
# All attempts of a delivery together, and one of them.
SECONDS = 30.0
ATTEMPT_SECONDS = 10.0
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 8.0  # for more attempts than there are today


def may_repeat(error: LevqorError) -> bool:
    """Whether a repeat can do nothing twice: surely not sent, or known by its key as a repeat."""
    if isinstance(error, Unknown):
        return error.certainty is Certainty.REPEATABLE
    return isinstance(error, NotSent)


def next_wait(error: LevqorError, made: int, attempts: int) -> float | None:
    """Seconds until the next attempt, None where there is none to be.

    They are what the service asks for; else a random share of 0.5 s, doubled after each attempt.
    """
    if made >= attempts or not may_repeat(error):
        return None
    if error.retry_after is not None:
        return error.retry_after
    return backoff(made, first=_FIRST_WAIT, longest=_LONGEST_WAIT, jitter=1.0)
