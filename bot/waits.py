"""How long to wait between attempts at a platform that cannot be reached."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 60.0


def waits(first: float = 1.0, longest: float = LONGEST) -> Iterator[float]:
    """Give the waits, in seconds and without end: each twice the last, up to the longest."""
    wait = first
    while True:
        yield wait * random.uniform(0.7, 1.0)  # noqa: S311 - spreads load, guards nothing
        wait = min(2 * wait, longest)
