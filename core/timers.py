"""One clock for every deadline in the process.

A blocked socket cannot look at a clock, so somebody else must: a single daemon thread,
started by the first deadline, sleeps until the earliest one and calls back.
"""

import logging
import math
import sched
import threading
import time
from collections.abc import Callable
from contextlib import suppress

_log = logging.getLogger(__name__)


def uptime() -> float:
    """Seconds that go on while the computer sleeps, which `time.monotonic()` leaves out."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)  # Linux; elsewhere monotonic() has no better
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class Handle:
    """A deadline that was set; `cancel` makes its callback never run from then on."""

    def __init__(self, scheduler: sched.scheduler, event: sched.Event) -> None:
        self._scheduler = scheduler
        self._event = event

    def cancel(self) -> None:
        """Call it off; harmless when its time has come already."""
        with suppress(ValueError):
            self._scheduler.cancel(self._event)


class Watchdog:
    """A scheduler of deadlines, and the one thread that waits for the earliest."""

    def __init__(self) -> None:
        self._set = threading.Event()
        self._until = math.inf  # when its thread wakes by itself; while it is awake, never
        self._scheduler = sched.scheduler(time.monotonic, self._wait)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def at(self, deadline: float, callback: Callable[[], None]) -> Handle:
        """Call back at a `time.monotonic()` deadline, on the watchdog's own thread.

        The callback must be quick: the next deadline waits for it.
        """
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
                thread.start()
                self._thread = thread
        event = self._scheduler.enterabs(deadline, 0, _safely, (callback,))
        # To wake it for each of many that are called off in time would cost more than they do.
        if deadline < self._until:
            self._set.set()
        return Handle(self._scheduler, event)

    def _watch(self) -> None:
        while True:
            self._wait(None)
            self._scheduler.run()

    def _wait(self, seconds: float | None) -> None:
        """Wait so long, or until another deadline is set: it may be the earliest."""
        self._until = math.inf if seconds is None else time.monotonic() + seconds
        self._set.wait(seconds)
        self._until = math.inf
        self._set.clear()


def _safely(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:  # noqa: BLE001 - one bad callback must not end the others' deadlines
        _log.exception("a deadline's callback failed")


_shared = Watchdog()
at = _shared.at
