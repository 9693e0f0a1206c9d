"""What each click asks for, carried out off the window thread."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from tray import fix_page, notifications
from tray import preferences as preference_file
from tray.notifications import Notification
from tray.source import SourceError
from tray.state import Notify, Preferences

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tray.autostart import Autostart
    from tray.backend import Window
    from tray.desktop import Paths
    from tray.poller import Poller
    from tray.rows import Command
    from tray.state import State

log = logging.getLogger(__name__)

# When "until tomorrow" ends, local time: before most people begin.
_MORNING = 7
_MORE = "Start levqor-tray in a terminal: it says more."
_FOREWORD = (
    "# Levqor's settings, one NAME=value on each line. Save this file and Levqor reads it.\n"
    "# The names, and where to get each value: How to fix, in the tray's menu.\n"
)


class Actions:
    """Carries out clicks for one window; what takes seconds runs on a thread of its own."""

    def __init__(
        self,
        watch: Poller,
        window: Window,
        places: Paths,
        autostart: Autostart,
        opener: Callable[[Path], bool],
    ) -> None:
        self._watch = watch
        self._window = window
        self._places = places
        self._autostart = autostart
        self._open = opener
        self._todo: dict[str, Callable[[Command], None]] = {
            "check": lambda _: watch.check_now(asked=True),
            "pause": lambda do: self._pause(watch.state.now + do.seconds),
            "pause_until_tomorrow": lambda _: self._pause(_tomorrow(watch.state.now)),
            "resume": lambda _: self._resume(),
            "tell": lambda do: self._choose(notify=Notify(do.arg)),
            "autostart": lambda _: self._toggle_autostart(),
            "mute": lambda do: self._mute(do.arg, watch.state.now + do.seconds),
            "unmute": lambda do: self._mute(do.arg, 0.0),
            "looked": lambda do: self._choose(
                acknowledged_runs=(*self._choices.acknowledged_runs, do.arg)
            ),
            "test": lambda do: self._start_test(do.arg),
            "pair": lambda _: self._apart(self._pair),
            "how_to_fix": lambda do: self._apart(self._how_to_fix, do.arg),
            "open_settings": lambda _: self._apart(self._open_settings),
            "open_log": lambda _: self._apart(self._open_log, "connectors.log"),
            "open_logs": lambda _: self._apart(self._open_log, ""),
            "quit": lambda _: window.stop(),
        }

    def __call__(self, do: Command) -> None:
        """Carry out one click."""
        self._todo[do.what](do)

    @property
    def _choices(self) -> Preferences:
        return self._watch.state.preferences

    def _choose(self, **parts: object) -> None:
        chosen = replace(self._choices, **parts)  # type: ignore[arg-type]
        self._watch.change(preferences=chosen)
        try:
            preference_file.save(self._places.preferences, chosen)
        except OSError as problem:
            self._window.tell(Notification("Your choice holds until Levqor ends", _why(problem)))

    def _pause(self, until: float) -> None:
        self._choose(paused_until=until)

    def _resume(self) -> None:
        self._choose(paused_until=None)
        self._watch.check_now()

    def _mute(self, name: str, until: float) -> None:
        now = self._watch.state.now
        muted = {n: t for n, t in self._choices.muted.items() if t > now and n != name}
        self._choose(muted={**muted, name: until} if until > now else muted)

    def _toggle_autostart(self) -> None:
        try:
            self._autostart.set(on=not self._autostart.on)
        except (OSError, ValueError) as problem:
            self._window.tell(Notification("Start at login cannot be changed", _why(problem)))
        self._watch.change(autostart=self._autostart.on)

    def _start_test(self, action: str) -> None:
        state = self._watch.state
        if action in state.sending:
            return
        self._watch.change(sending=state.sending | {action})
        self._apart(self._test, action)

    def _test(self, action: str) -> None:
        try:
            told = self._watch.source.test(action)
        finally:
            self._watch.update(lambda state: replace(state, sending=state.sending - {action}))
        self._watch.update(
            lambda state: replace(state, test_results={**state.test_results, action: told})
        )
        self._watch.tell(notifications.for_test(told, _title(self._watch.state, action)))
        self._watch.check_now()

    def _pair(self) -> None:
        try:
            made = self._watch.source.pair()
        except SourceError as error:
            self._window.tell(Notification(error.trouble.words, error.trouble.fix))
            return
        copied = self._window.copy(made.link or made.code)
        if made.link:
            how = "The link is copied: open it" if copied else "Open this link"
            how += f" on the phone.\n{made.link}"
        else:
            how = f"Send the bot: /start {made.code}" + " (the code is copied)" * copied
        self._window.tell(Notification("Pair a phone within ten minutes", how))

    def _how_to_fix(self, name: str) -> None:
        self._places.page.parent.mkdir(parents=True, exist_ok=True)
        fix_page.write(self._places.page, fix_page.html(self._watch.state, name))
        self._show(self._places.page)

    def _open_settings(self) -> None:
        file = self._watch.source.settings_file
        if file is None:
            return
        if not file.exists():
            # Other users of this machine must not read what will be filled in.
            file.touch(mode=0o600)
            file.write_text(_FOREWORD, encoding="utf-8")
        self._show(file)

    def _open_log(self, name: str) -> None:
        folder = self._watch.source.log_folder
        if folder is None:
            return
        target = folder / name if name and (folder / name).exists() else folder
        if target.exists():
            self._show(target)
        else:
            self._window.tell(Notification("There is no log yet", "It begins with the first run."))

    def _apart(self, work: Callable[..., None], *args: object) -> None:
        """Command what takes seconds on a thread of its own, and never fail in silence."""

        def safely() -> None:
            try:
                work(*args)
            except OSError as problem:
                self._window.tell(Notification("That did not work", _why(problem)))
            except Exception:
                log.exception("%s failed", work.__name__)
                self._window.tell(Notification("That did not work", _MORE))

        threading.Thread(target=safely, name=work.__name__, daemon=True).start()

    def _show(self, target: Path) -> None:
        if not self._open(target):
            copied = self._window.copy(str(target))
            said = "Nothing here opens it" + "; its path is copied" * copied
            self._window.tell(Notification(f"Open {target.name}", f"{said}:\n{target}"))


def _why(problem: OSError | ValueError) -> str:
    if isinstance(problem, ValueError):
        return f"{str(problem)[:1].upper()}{str(problem)[1:]}."
    return f"{problem.filename or 'The file'}: {problem.strerror or 'it cannot be written'}"


def _tomorrow(now: float) -> float:
    today = dt.datetime.fromtimestamp(now, dt.UTC).astimezone()
    morning = today.replace(hour=_MORNING, minute=0, second=0, microsecond=0)
    return (morning + dt.timedelta(days=1)).timestamp()


def _title(state: State, action: str) -> str:
    known = state.health.connectors if state.health else ()
    return next((c.title for c in known if action in c.actions), action)
