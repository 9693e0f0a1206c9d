"""Keeps the state fresh: checks on a schedule, clicks carried out, changes told.

Nothing here runs on the window thread; `do` only puts the click in a queue.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.backoff import backoff
from tray import menu as menus
from tray.notifications import Notification, Notifier
from tray.rows import Command
from tray.source import SourceError
from tray.state import Missing, Notify, SourceFault, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray.backend import Window
    from tray.desktop import SingleInstance
    from tray.source import Source

log = logging.getLogger(__name__)

EVERY_S = 300.0
# How often a second start, an edited settings file, a wake-up and the rows' ages are noticed.
TICK_S = 1.0
# While there is no answer, and to believe or forget a change: sooner than the schedule.
SOON_S = 15.0
# The wall clock went on much longer than one tick: this computer was asleep.
_ASLEEP_S = 20.0
_LOOK = Command("look")
_FAILED = SourceFault(
    Missing.STRANGE, "The check itself failed", "Start levqor-tray in a terminal: it says more."
)


class Poller:
    """One source's state, kept fresh on a thread of its own."""

    def __init__(
        self,
        source: Source,
        state: State,
        *,
        every: float = EVERY_S,
        only: SingleInstance | None = None,
        clock: Callable[[], float] = time.time,
        tick: float = TICK_S,
    ) -> None:
        self.source = source
        self._every = every
        self._only = only
        self._clock = clock
        self._tick_s = tick
        self._state = state
        self._shown = menus.menu(state)
        self._notices = Notifier()
        self._lock = threading.Lock()
        self._clicks: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._due = 0.0
        self._out = False
        self._again = False
        self._silences = 0
        self._stamp = source.stamp()
        self._window: Window | None = None
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._carry_out: Callable[[Command], None] | None = None
        self._checked = threading.Event()

    @property
    def menu(self) -> menus.Menu:
        """The menu as it is shown now."""
        return self._shown

    @property
    def state(self) -> State:
        """The state at this moment."""
        with self._lock:
            return replace(self._state, now=self._clock())

    def start(self, window: Window, clicks: Callable[[Command], None]) -> None:
        """Begin to check and to show what is found in this window."""
        self._window, self._carry_out = window, clicks
        self._thread.start()

    def wait_checked(self, seconds: float) -> None:
        """Wait until the first check has been taken in, at most so many seconds."""
        self._checked.wait(seconds)

    def do(self, do: Command) -> None:
        """Take a click; returns at once."""
        self._clicks.put(do)

    def stop(self) -> None:
        """End the thread; a check that is out is left to itself."""
        self._clicks.put(None)

    def change(self, **parts: Any) -> None:
        """Change parts of the state, and the menu with it."""
        self.update(lambda state: replace(state, **parts))

    def update(self, how: Callable[[State], State]) -> None:
        """Make a new state of the one there is, whoever else does so at the same time."""
        with self._lock:
            self._state = how(self._state)
        self.refresh()

    def refresh(self) -> None:
        """Show the menu of this moment, if it is another than the one shown."""
        new = menus.menu(self.state)
        with self._lock:
            if new == self._shown:
                return
            self._shown = new
        if self._window:
            self._window.show(new)

    def tell(self, notice: Notification) -> None:
        """Show a message, unless the person wants none."""
        if self._window and self.state.preferences.notify is not Notify.OFF:
            self._window.tell(notice)

    def check_now(self, *, asked: bool = False) -> None:
        """Make the next check due at once; one more where a check is out already."""
        self._due, self._again = 0.0, True
        if asked:
            self.change(asked=True, checking=True)
        self._clicks.put(_LOOK)

    def _run(self) -> None:
        last = self._clock()
        while True:
            try:
                do = self._clicks.get(timeout=self._tick_s)
                if do is None:
                    return
                if self._carry_out and do is not _LOOK:
                    self._carry_out(do)
            except queue.Empty:
                pass
            except Exception:
                log.exception("a click could not be carried out")
            try:
                now = self._clock()
                self._tick(asleep=now - last > self._tick_s + _ASLEEP_S)
                last = now
            except Exception:
                log.exception("the tray could not look around")

    def _tick(self, *, asleep: bool) -> None:
        if self._only and self._only.knocked() and self._window:
            self._window.tell(Notification("Levqor is here already", self.state_words()))
        stamp = self.source.stamp()
        if asleep or stamp != self._stamp:
            self._stamp = stamp
            self.check_now()
        if self._window and self._window.error != self._state.notification_error:
            self.change(notification_error=self._window.error)
        state = self.state
        wanted = state.asked or not state.paused
        if wanted and not self._out and time.monotonic() >= self._due:
            self._out, self._again = True, False
            self._due = time.monotonic() + self._every
            threading.Thread(target=self._check, name="check", daemon=True).start()
        self.refresh()

    def state_words(self) -> str:
        """The headline of this moment."""
        return self._shown.rows[0].text

    def _check(self) -> None:
        try:
            self._take_in()
        except Exception:
            log.exception("what a check found could not be shown")
        finally:
            self._out = False
            self._checked.set()

    def _take_in(self) -> None:
        self.change(checking=True)
        found = self._look()
        wait = self._wait(found)
        self.change(checking=False, asked=False, **found)
        for notice in self._notices.checked(self.state):
            self.tell(notice)
        if self._notices.unsettled:
            wait = min(wait, SOON_S, self._every)
        if not self._again:
            self._due = time.monotonic() + wait

    def _look(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = {"health": self.source.health(), "trouble": None}
            if self.state.preferences.notify is Notify.EVERYTHING:
                found["runs"] = self.source.runs()
        except SourceError as error:
            return {"trouble": error.trouble}
        except Exception:
            log.exception("a check failed")
            return {"trouble": _FAILED}
        return found

    def _wait(self, found: dict[str, Any]) -> float:
        """Seconds until the next check: jittered, and backing off while nothing answers."""
        health = found.get("health")
        if health is None or health.offline:
            self._silences += 1
            return backoff(self._silences, first=SOON_S, longest=self._every, jitter=0.0)
        self._silences = 0
        return self._every * random.uniform(0.9, 1.1)  # noqa: S311 - spreads load, guards nothing
