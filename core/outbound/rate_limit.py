"""Waiting that everybody who uses a credential shares."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from core.errors import NotSent

if TYPE_CHECKING:
    from collections.abc import Hashable

    from core.errors import LevqorError

_MAX_LOTS = 256
# How long one who left the queue is waited for before the next may go.
_HEAD_START_SECONDS = 1.0


class _Lot:
    """Those of one credential who wait, in order, and what the upstream said."""

    def __init__(self) -> None:
        self.until = 0.0  # nobody calls before, by time.monotonic()
        self.next = 0.0  # nor the next in the queue before this
        self.queue: deque[object] = deque()
        self.reason = ""
        self.message = ""
        self.fix: str | None = None

    def wanted(self, now: float) -> bool:
        """Whether anybody waits, or must."""
        return bool(self.queue) or self.until > now


class Parking:
    """Which credentials were told to wait, bounded in number.

    When the wait is over the runs go one after the other, those who were turned away
    first: all at once would only be turned away again, and three attempts are soon gone.
    """

    def __init__(self) -> None:
        self._lots: dict[Hashable, _Lot] = {}
        self._changed = threading.Condition()
        self._closed = False

    def wait(self, credential: Hashable, end: float, *, turned_away: bool) -> NotSent | None:
        """Wait for this run's turn; an error where it would come after `end`."""
        if credential not in self._lots:
            return None
        with self._changed:
            lot = self._lots.get(credential)
            return None if lot is None else self._queue(lot, end, first=turned_away)

    def park(self, credential: Hashable, error: LevqorError) -> None:
        """Let nobody with this credential call for `error.retry_after`; a longer wait stands."""
        now = time.monotonic()
        until = now + (error.retry_after or 0.0)
        with self._changed:
            if len(self._lots) >= _MAX_LOTS:
                self._lots = {k: lot for k, lot in self._lots.items() if lot.wanted(now)}
            lot = self._lots.setdefault(credential, _Lot())
            if lot.until < until:
                lot.until = until
                lot.reason, lot.message, lot.fix = error.reason or "", error.message, error.fix

    def done(self, credential: Hashable) -> None:
        """An attempt is over: the next in the queue may go."""
        if credential not in self._lots:
            return
        with self._changed:
            lot = self._lots.get(credential)
            if lot is not None and not lot.wanted(time.monotonic()):
                del self._lots[credential]
            elif lot is not None:
                lot.next = 0.0
                self._changed.notify_all()

    def close(self) -> None:
        """Nobody waits any longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _queue(self, lot: _Lot, end: float, *, first: bool) -> NotSent | None:
        ticket = object()
        (lot.queue.appendleft if first else lot.queue.append)(ticket)
        try:
            while not self._closed and lot.until <= end:
                now = time.monotonic()
                turn = max(lot.until, lot.next) if lot.queue[0] is ticket else end
                if turn <= now < end:
                    lot.next = now + _HEAD_START_SECONDS
                    return None
                if now >= end:
                    break
                self._changed.wait(min(turn, end) - now)
        finally:
            lot.queue.remove(ticket)
            self._changed.notify_all()
        left = lot.until - time.monotonic()
        return NotSent(lot.reason, lot.message, fix=lot.fix, retry_after=max(1.0, left))
