"""The window system: the only place that touches pystray and GTK."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tray.menu import Menu
    from tray.notifications import Notification
    from tray.rows import Command


class Window(Protocol):
    """What the program needs of a window system. `run` takes the main thread."""

    @property
    def error(self) -> str | None:
        """Why messages do not arrive on this desktop, if they do not."""

    def run(self, ready: Callable[[], None]) -> None:
        """Show the icon and serve clicks until `stop`; `ready` is called before it appears."""

    def show(self, menu: Menu) -> None:
        """Show this menu from now on; from any thread."""

    def tell(self, notice: Notification) -> None:
        """Show a message; from any thread."""

    def copy(self, text: str) -> bool:
        """Put a text on the clipboard; from any thread. False where this desktop forbids it."""

    def stop(self) -> None:
        """End `run`; from any thread."""


def window(menu: Menu, icons: Path, clicked: Callable[[Command], None]) -> Window:
    """Make the window for this system; raises `toolkit.NoDesktop` where there is none."""
    if sys.platform in ("win32", "darwin"):
        from tray.backend.native import NativeWindow

        return NativeWindow(menu, clicked)
    from tray.backend import toolkit

    toolkit.prepare()
    from tray.backend.gtk import GtkWindow

    return GtkWindow(menu, icons, clicked)
