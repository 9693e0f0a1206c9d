"""The window system: the only place that touches pystray and GTK."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeAlias

    from tray.backend.gtk import GtkWindow
    from tray.backend.native import NativeWindow
    from tray.menu import Menu
    from tray.rows import Command

    # All methods but `run`, which takes the main thread, may be called from any thread.
    Window: TypeAlias = GtkWindow | NativeWindow


def window(menu: Menu, icons: Path, clicked: Callable[[Command], None]) -> Window:
    """Make the window for this system; raises `toolkit.NoDesktop` where there is none."""
    if sys.platform in ("win32", "darwin"):  # pragma: no cover - only Windows and macOS run it
        from tray.backend.native import NativeWindow

        return NativeWindow(menu, clicked)
    from tray.backend import toolkit

    toolkit.prepare()
    from tray.backend.gtk import GtkWindow

    return GtkWindow(menu, icons, clicked)
