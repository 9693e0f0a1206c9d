"""One clock for every deadline in the process.

A blocked socket cannot look at a clock, so somebody else must: a single daemon thread,
started by the first deadline, sleeps until the earliest one and calls back.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)

# Cancelled deadlines stay in the heap until their time; past this many they are swept out.
_SWEEP = 1024


class Handle:
    """A deadline that was set; `cancel` makes its callback never run from then on."""

    __slots__ = ("_watchdog", "callback")

    def __init__(self, watchdog: Watchdog, callback: Callable[[], None]) -> None:
        self._watchdog = watchdog
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Call it off; harmless when its time has come already."""
        if self.callback is not None:
            self.callback = None
            # Not locked: a lost count only puts the next sweep off.
            self._watchdog.cancelled += 1


class Watchdog:
    """A heap of deadlines and the one thread that waits for the earliest."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, Handle]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self.cancelled = 0

    def at(self, deadline: float, callback: Callable[[], None]) -> Handle:
        """Call back at a `time.monotonic()` deadline, on the watchdog's own thread.

        The callback must be quick: the next deadline waits for it.
        """
        handle = Handle(self, callback)
        with self._changed:
            if self._thread is None:
                thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
                thread.start()
                self._thread = thread
            if self.cancelled > _SWEEP and self.cancelled * 2 > len(self._heap):
                self._heap = [entry for entry in self._heap if entry[2].callback]
                heapq.heapify(self._heap)
                self.cancelled = 0
            heapq.heappush(self._heap, (deadline, next(self._order), handle))
            if self._heap[0][2] is handle:
                self._changed.notify()
        return handle

    def _watch(self) -> None:
        while True:
            handle = self._next()
            callback, handle.callback = handle.callback, None
            try:
                if callback:
                    callback()
            except Exception:  # noqa: BLE001 - one bad callback must not end the others' deadlines
                _log.exception("a deadline's callback failed")

    def _next(self) -> Handle:
        with self._changed:
            while True:
                if not self._heap:
                    self._changed.wait()
                    continue
                wait = self._heap[0][0] - time.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(wait)


_shared = Watchdog()
at = _shared.at
