"""Keeps the state fresh: checks on a schedule, clicks carried out, changes notified.

Nothing here runs on the window thread; `click` only puts the command in a queue.
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
from core.home import stamp
from tray.menu import menu
from tray.notifications import Notification, Notifier
from tray.rows import Command
from tray.source import SourceError
from tray.state import Notify, SourceFault, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from tray.backend import Window
    from tray.desktop import SingleInstance
    from tray.source.local import Local
    from tray.source.remote import Remote

log = logging.getLogger(__name__)

EVERY_S = 300.0
# How often a second start, an edited settings file, a wake-up and the rows' ages are noticed.
TICK_S = 1.0
# While there is no answer, and to believe or forget a change: sooner than the schedule.
SOON_S = 15.0
# The wall clock went on much longer than one tick: this computer was asleep.
_ASLEEP_S = 20.0
_TICK = Command("tick")
_FAILED = SourceFault(
    "The check itself failed", "To see the reason, start levqor-tray in a terminal."
)


class Poller:
    """One source's state, kept fresh on a thread of its own."""

    def __init__(
        self,
        source: Local | Remote,
        state: State,
        instance: SingleInstance,
        *,
        every: float = EVERY_S,
        clock: Callable[[], float] = time.time,
        tick: float = TICK_S,
    ) -> None:
        self.source = source
        self.menu = menu(state)
        self.checked = threading.Event()  # the first check is over
        self._every = every
        self._instance = instance
        self._clock = clock
        self._tick_s = tick
        self._state = state
        self._notifier = Notifier()
        self._lock = threading.Lock()
        self._clicks: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._due = 0.0
        self._checking = False
        self._again = False
        self._silences = 0
        self._settings = self._settings_state()
        self._window: Window

    @property
    def state(self) -> State:
        """The state at this moment."""
        with self._lock:
            return replace(self._state, now=self._clock())

    def start(self, window: Window, actions: Callable[[Command], None]) -> None:
        """Begin to check, and to show the result in this window."""
        self._window = window
        # Else the first check would wait for the first tick.
        self._clicks.put(_TICK)
        threading.Thread(target=self._run, args=(actions,), name="poller", daemon=True).start()

    def click(self, command: Command) -> None:
        """Take a click; returns at once."""
        self._clicks.put(command)

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
        self._refresh()

    def notify(self, notification: Notification) -> None:
        """Show a message, unless the person wants none."""
        if self.state.preferences.notify is not Notify.OFF:
            self._window.notify(notification)

    def check_now(self, *, requested: bool = False) -> None:
        """Make the next check due at once; one more where a check is out already."""
        self._due, self._again = 0.0, True
        if requested:
            self.change(check_requested=True, checking=True)
        self._clicks.put(_TICK)

    def _refresh(self) -> None:
        """Show the menu of this moment, if it is another than the one shown."""
        new = menu(self.state)
        with self._lock:
            if new == self.menu:
                return
            self.menu = new
        self._window.show(new)

    def _run(self, actions: Callable[[Command], None]) -> None:
        last = self._clock()
        while True:
            try:
                command = self._clicks.get(timeout=self._tick_s)
                if command is None:
                    return
                if command is not _TICK:
                    actions(command)
            except queue.Empty:
                pass
            except Exception:
                log.exception("a click could not be carried out")
            try:
                now = self._clock()
                self._tick(asleep=now - last > self._tick_s + _ASLEEP_S)
                last = now
            except Exception:
                log.exception("a tick of the poller failed")

    def _tick(self, *, asleep: bool) -> None:
        if self._instance.started_again():
            headline = self.menu.rows[0].text
            self._window.notify(Notification("Levqor is already running", headline))
        settings = self._settings_state()
        if asleep or settings != self._settings:
            self._settings = settings
            self.check_now()
        if self._window.error != self._state.notification_error:
            self.change(notification_error=self._window.error)
        state = self.state
        wanted = state.check_requested or not state.pause_left
        if wanted and not self._checking and time.monotonic() >= self._due:
            self._checking, self._again = True, False
            self._due = time.monotonic() + self._every
            threading.Thread(target=self._check, name="check", daemon=True).start()
        self._refresh()

    def _settings_state(self) -> object:
        """Something that changes when the settings file does."""
        file = self.source.info.settings_file
        return file and stamp(file)

    def _check(self) -> None:
        try:
            self.change(checking=True)
            changes = self._ask()
            wait = self._wait(changes)
            self.change(checking=False, check_requested=False, **changes)
            for notification in self._notifier.checked(self.state):
                self.notify(notification)
            if self._notifier.unsettled:
                wait = min(wait, SOON_S, self._every)
            if not self._again:
                self._due = time.monotonic() + wait
        except Exception:
            log.exception("the result of a check could not be shown")
        finally:
            self._checking = False
            self.checked.set()

    def _ask(self) -> dict[str, Any]:
        """Ask the source; what changes in the state."""
        try:
            health = self.source.health()
            changes: dict[str, Any] = {"health": health, "fault": None}
            changes["own_runs"] = self.source.own_runs() if health.console else ()
            if self.state.preferences.notify is Notify.EVERYTHING:
                changes["runs"] = self.source.runs()
        except SourceError as error:
            return {"fault": error.fault}
        except Exception:
            log.exception("a check failed")
            return {"fault": _FAILED}
        return changes

    def _wait(self, changes: dict[str, Any]) -> float:
        """Seconds until the next check: jittered, and backing off while nothing answers."""
        health = changes.get("health")
        if health is None or health.offline:
            self._silences += 1
            return backoff(self._silences, first=SOON_S, longest=self._every, jitter=0.0)
        self._silences = 0
        return self._every * random.uniform(0.9, 1.1)  # noqa: S311 - spreads load, guards nothing
