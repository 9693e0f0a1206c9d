"""A window of the tray's without the rest: it shows a menu, and prints what a click asks for.

With `native` it is that of Windows and macOS: only how its thread is woken is GTK's.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from tests.support.tray_states import BAD, CHALK, state
from tray.backend import toolkit, window

toolkit.prepare()

from gi.repository import GLib  # noqa: E402 - found by what is above

from tray.backend.native import NativeWindow  # noqa: E402
from tray.menu import Menu, menu  # noqa: E402
from tray.notifications import Notification  # noqa: E402
from tray.rows import SEPARATOR, Command, Row  # noqa: E402

WELL, ILL = menu(state(CHALK)), menu(state(BAD))
ROWS = (
    Row("ask", "Ask", Command("ask", "this")),
    Row("break", "Break", Command("break")),
    Row("plain", "Only words", enabled=False),
    SEPARATOR,
    Row("more", "More", rows=(Row("ticked", "Ticked", Command("ticked"), checked=True),)),
    Row("quit", "Quit", Command("quit")),
)


# Another icon, one row gone, one new, one moved, and a tick that no person took away.
OTHER = Menu(
    ILL.icon, "🦆" * 127,
    (ROWS[1], ROWS[5], *ROWS[2:4], Row("new", "New"),
     Row("more", "More", rows=(replace(ROWS[4].rows[0], checked=False),))),
)  # fmt: skip


class _Icon(NativeWindow.icon_class):
    def _wake(self) -> None:
        GLib.idle_add(self._drain)


class Window(NativeWindow):
    """The window under test."""

    icon_class = _Icon


class Program:
    """What the tray's own program does with a window, in short."""

    def __init__(self, kind: str, icons: Path) -> None:
        menu = replace(WELL, rows=ROWS)
        if kind == "native":
            self.window = Window(menu, self.clicked)
            return
        self.window = window(menu, icons, self.clicked)
        # The bus is not found yet.
        self.window.notify(Notification("Early", "words"))

    def clicked(self, command: Command) -> None:
        """Print what was asked for, and do it."""
        say(command.name, command.arg)
        if command.name == "break":
            # Neither takes the window down.
            self.window.show(Menu("no icon", "x", ROWS))  # type: ignore[arg-type]
            self.window.show(replace(WELL, rows=ROWS))
            raise RuntimeError("a click that fails")
        if command.name == "quit":
            self.window.stop()
        if command.name == "ask":
            self.window.show(OTHER)
            self.window.show(OTHER)
            self.window.notify(Notification("🦆" * 60, "<b> & 🦆\n" * 100, "duck"))
            say("copied", self.window.copy("words 🦆"))


def say(*words: object) -> None:
    """Print it at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Show it until Quit."""
    program = Program(*sys.argv[1:2], Path(sys.argv[2]))
    program.window.run(lambda: say("ready"))


if __name__ == "__main__":
    main()
