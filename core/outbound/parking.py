"""Waiting that everybody who uses a credential shares."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable

    from core.errors import LevqorError

_MAX_LOTS = 256


class Parked(NamedTuple):
    """Until when (`time.monotonic()`) nobody calls, and what the upstream said."""

    until: float
    reason: str
    message: str
    fix: str | None


class Parking:
    """Which credentials were told to wait, bounded in number."""

    def __init__(self) -> None:
        self._lots: OrderedDict[Hashable, Parked] = OrderedDict()
        self._lock = threading.Lock()

    def park(self, credential: Hashable, error: LevqorError) -> None:
        """Let nobody with this credential call for `error.retry_after`; a longer wait stands."""
        until = time.monotonic() + (error.retry_after or 0.0)
        with self._lock:
            known = self._lots.get(credential)
            if known is None or known.until < until:
                parked = Parked(until, error.reason or "", error.message, error.fix)
                self._lots[credential] = parked
                self._lots.move_to_end(credential)
                if len(self._lots) > _MAX_LOTS:
                    self._lots.popitem(last=False)

    def parked(self, credential: Hashable) -> Parked | None:
        """What this credential waits for, None when it may call."""
        lot = self._lots.get(credential)
        return lot if lot and lot.until > time.monotonic() else None
