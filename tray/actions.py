"""What each click asks for, carried out off the window thread."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from core.home import write_private
from tray import fix_page, notifications, preferences
from tray.notifications import Notification
from tray.source import SourceError
from tray.state import Notify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tray.autostart import Autostart
    from tray.backend import Window
    from tray.desktop import Paths
    from tray.poller import Poller
    from tray.rows import Command

log = logging.getLogger(__name__)

# When "until tomorrow" ends, local time: before most people begin.
_MORNING = 7


class Actions:
    """Carries out clicks for one window; what takes seconds runs on a thread of its own."""

    def __init__(
        self,
        poller: Poller,
        window: Window,
        paths: Paths,
        autostart: Autostart,
        opener: Callable[[Path], bool],
    ) -> None:
        self._poller = poller
        self._window = window
        self._paths = paths
        self._autostart = autostart
        self._open = opener

        self._actions: dict[str, Callable[[Command], None]] = {
            "check": lambda _: poller.check_now(requested=True),
            "pause": lambda c: self._choose(paused_until=poller.state.now + c.seconds),
            "pause_until_tomorrow": lambda _: self._choose(
                paused_until=_tomorrow(poller.state.now)
            ),
            "resume": lambda _: self._resume(),
            "notify": lambda c: self._choose(notify=Notify(c.arg)),
            "autostart": lambda _: self._toggle_autostart(),
            "mute": lambda c: self._mute(c.arg, poller.state.now + c.seconds),
            "unmute": lambda c: self._mute(c.arg, 0.0),
            "acknowledge": lambda c: self._acknowledge(c.arg),
            "test": lambda c: self._start_test(c.arg),
            "pair": lambda _: self._in_thread(self._pair),
            "open_page": lambda c: self._in_thread(self._open_page, c.arg),
            "how_to_fix": lambda c: self._in_thread(self._how_to_fix, c.arg),
            "open_settings": lambda _: self._in_thread(self._open_settings),
            "open_log": lambda _: self._in_thread(self._open_log, "connectors.log"),
            "open_log_folder": lambda _: self._in_thread(self._open_log, ""),
            "quit": lambda _: window.stop(),
        }

    def __call__(self, command: Command) -> None:
        """Carry out one click."""
        self._actions[command.name](command)

    def _choose(self, **parts: object) -> None:
        chosen = replace(self._poller.state.preferences, **parts)  # type: ignore[arg-type]
        self._poller.change(preferences=chosen)
        try:
            preferences.save(self._paths.preferences, chosen)
        except OSError as problem:
            self._notify("Your choice is forgotten when Levqor quits", _reason(problem))

    def _resume(self) -> None:
        self._choose(paused_until=None)
        self._poller.check_now()

    def _mute(self, name: str, until: float) -> None:
        state = self._poller.state
        muted = {**state.preferences.muted, name: until}
        self._choose(muted={name: end for name, end in muted.items() if end > state.now})

    def _acknowledge(self, run: str) -> None:
        runs = self._poller.state.preferences.acknowledged_runs
        self._choose(acknowledged_runs=(*runs, run))

    def _toggle_autostart(self) -> None:
        try:
            self._autostart.set(on=not self._autostart.on)
        except (OSError, ValueError) as problem:
            self._notify("Start at login cannot be changed", _reason(problem))
        self._poller.change(autostart=self._autostart.on)

    def _start_test(self, action: str) -> None:
        sending = self._poller.state.sending
        if action not in sending:
            self._poller.change(sending=sending | {action})
            self._in_thread(self._test, action)

    def _test(self, action: str) -> None:
        poller = self._poller
        try:
            result = poller.source.test(action)
        finally:
            poller.update(lambda state: replace(state, sending=state.sending - {action}))
        poller.update(
            lambda state: replace(state, test_results={**state.test_results, action: result})
        )
        health = poller.state.health
        known = health.connectors if health else ()
        title = next((c.title for c in known if action in c.actions), action)
        poller.notify(notifications.for_test(result, title))
        poller.check_now()

    def _pair(self) -> None:
        pairing = self._poller.source.pair()
        copied = self._window.copy(pairing.link or pairing.code)
        if pairing.link:
            how = "The link is copied: open it" if copied else "Open this link"
            how += f" on the phone.\n{pairing.link}"
        else:
            how = f"Send the bot: {pairing.message}" + " (the code is copied)" * copied
        self._notify("Pair a phone within ten minutes", how)

    def _open_page(self, page: str) -> None:
        """Show a page of the web console; raises SourceError where none is shown."""
        # By way of a file: other users of this computer see what a browser is started with.
        leading = fix_page.leading_to(self._poller.source.console_link(page))
        write_private(self._paths.link, leading.encode())
        self._show(self._paths.link)

    def _how_to_fix(self, name: str) -> None:
        state = self._poller.state
        # Where the console has gone meanwhile, this computer's own page says the same.
        with contextlib.suppress(SourceError):
            if state.has_console and not state.fault:
                self._open_page(fix_page.console_page(state, name))
                return
        page = fix_page.html(state, name)
        write_private(self._paths.page, page.encode())
        self._show(self._paths.page)

    def _open_settings(self) -> None:
        if file := self._poller.source.settings():
            self._show(file)

    def _open_log(self, name: str) -> None:
        home = self._poller.source.info.home
        if home is None:
            return
        folder = home / "logs"
        target = folder / name if (folder / name).exists() else folder
        if target.exists():
            self._show(target)
        else:
            self._notify("There is no log yet", "The first run starts it.")

    def _in_thread(self, work: Callable[..., None], *args: object) -> None:
        """Do what takes seconds on a thread of its own, and never fail in silence."""

        def safely() -> None:
            try:
                work(*args)
            except SourceError as error:
                self._notify(error.fault.words, error.fault.fix)
            except OSError as problem:
                self._notify("That did not work", _reason(problem))
            except Exception:
                log.exception("%s failed", work.__name__)
                why = "To see the reason, start levqor-tray in a terminal."
                self._notify("That did not work", why)

        threading.Thread(target=safely, name=work.__name__, daemon=True).start()

    def _show(self, target: Path) -> None:
        if not self._open(target):
            copied = "; its path is copied" * self._window.copy(str(target))
            self._notify(f"Open {target.name}", f"No program here opens it{copied}:\n{target}")

    def _notify(self, title: str, body: str) -> None:
        self._window.notify(Notification(title, body))


def _reason(problem: OSError | ValueError) -> str:
    if isinstance(problem, ValueError):
        return f"{str(problem)[:1].upper()}{str(problem)[1:]}."
    return f"{problem.filename or 'The file'}: {problem.strerror or 'it cannot be written'}"


def _tomorrow(now: float) -> float:
    # By the wall clock, which may be changed in the night.
    today = dt.datetime.fromtimestamp(now, dt.UTC).astimezone().replace(tzinfo=None)
    morning = today.replace(hour=_MORNING, minute=0, second=0, microsecond=0)
    return (morning + dt.timedelta(days=1)).timestamp()
