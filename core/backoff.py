"""How long to wait between attempts: longer after each failure, and never all at once."""

import itertools
import random
from collections.abc import Iterator

LONGEST = 60.0


def backoff(failures: int, *, first: float, longest: float, jitter: float) -> float:
    """Seconds to wait after so many failures: `first`, doubled after each, at most `longest`.

    Of it a random share of up to `jitter` is taken off: 1 is full jitter.
    """
    wait = min(longest, first * 2.0 ** min(failures - 1, 32))
    return wait * random.uniform(1.0 - jitter, 1.0)  # noqa: S311 - spreads load, guards nothing


def backoffs(first: float = 1.0, longest: float = LONGEST) -> Iterator[float]:
    """Give the waits for one failure after another, without end."""
    for failures in itertools.count(1):  # pragma: no branch - it has no end
        yield backoff(failures, first=first, longest=longest, jitter=0.3)
