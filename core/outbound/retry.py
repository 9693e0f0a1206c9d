"""The retry policy: which failure is tried again, how often, and after how long.

`Outbound.deliver` follows it, and stops earlier when the time limit is reached or Levqor stops.
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
    """Whether another attempt cannot send twice: nothing was sent, or a key marks the repeat."""
    if isinstance(error, Unknown):
        return error.certainty is Certainty.REPEATABLE
    return isinstance(error, NotSent)


def next_wait(error: LevqorError, made: int, attempts: int) -> float | None:
    """Seconds until the next attempt; None if the `made` ones of `attempts` were the last.

    The service may name the wait. If not, it is a random part of 0.5 s, of 1 s after the second
    attempt, and so on.
    """
    if made >= attempts or not may_repeat(error):
        return None
    if error.retry_after is not None:
        return error.retry_after
    return backoff(made, first=_FIRST_WAIT, longest=_LONGEST_WAIT, jitter=1.0)
