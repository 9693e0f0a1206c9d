"""Waiting for what must come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def wait_for(fact: Callable[[], object], seconds: float = 120.0) -> None:
    """Wait until something is so; fails after `seconds`."""
    until = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.01)
