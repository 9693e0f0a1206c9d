"""The icon and its menu on Linux: pystray's GTK and AppIndicator backends, edited in place.

Stock pystray 0.19.5 makes a new menu for every change, which closes the one a person has
open (pystray #35). The names that begin with an underscore are its own; it is pinned.
"""

import logging
import os
import queue
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pystray
from gi.repository import Gdk, GLib, Gtk

from tray import NAME
from tray.backend.menu_widget import MenuWidget
from tray.backend.notifications import DesktopNotifier
from tray.backend.toolkit import NoDesktop
from tray.desktop import ENDINGS
from tray.icon import icon_file
from tray.menu import Menu
from tray.notifications import Notification
from tray.rows import Command

log = logging.getLogger(__name__)

# What libraries remark and no person can use: GDK 3 of each icon that an old-style panel
# takes in, libayatana 0.5.94 and later of itself, to those who write programs.
_REMARKS = {
    "Gdk": (GLib.LogLevelFlags.LEVEL_CRITICAL, "gdk_window_thaw_toplevel_updates"),
    "libayatana-appindicator": (GLib.LogLevelFlags.LEVEL_WARNING, "is deprecated"),
}


class _Icon(pystray.Icon):  # type: ignore[misc]
    """pystray's icon, with our menu, icon files that stay and a notifier that cannot fail."""

    def __init__(
        self, menu: Menu, icons: Path, notifier: DesktopNotifier, widget: MenuWidget
    ) -> None:
        self._icons = icons
        self._desktop_notifier = notifier
        self._menu_handle = widget.widget
        for domain, (level, _) in _REMARKS.items():
            GLib.log_set_handler(domain, level, _remark)
        super().__init__(NAME, menu.icon, menu.tooltip, pystray.Menu())
        self._update_title()

    def _initialize(self) -> None:
        # pystray's own notifier hangs the start where the bus is broken.
        self._notifier = self._desktop_notifier
        self._desktop_notifier.connect()
        for number in ENDINGS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, self._end)
        self._mark_ready()

    def _end(self) -> bool:
        self.stop()
        return bool(GLib.SOURCE_REMOVE)

    def _update_menu(self) -> None:
        """Nothing: the rows are edited by `MenuWidget`."""

    def _update_icon(self) -> None:
        # At once, being on the window thread: pystray's idle_add keeps memory of each call.
        self._update_fs_icon()
        if hasattr(self, "_status_icon"):
            self._status_icon.set_from_file(self._icon_path)
        else:
            # Panels show a description below the title, and keep it when the title changes.
            self._appindicator.set_icon_full(self._icon_path, "")

    def _update_title(self) -> None:
        if hasattr(self, "_status_icon"):
            self._status_icon.set_title(self.title)
            # pystray sets a title only, which GTK's own icon shows to nobody.
            self._status_icon.set_tooltip_text(self.title)
        else:
            self._appindicator.set_title(self.title)

    def _update_fs_icon(self) -> None:
        self._icon_path = str(icon_file(self._icons, self._icon))
        self._icon_valid = True

    def _remove_fs_icon(self) -> None:
        self._icon_valid = False

    def _on_status_icon_activate(self, status_icon: Any) -> None:
        # pystray would run a default row: both buttons open the menu instead.
        self._on_status_icon_popup_menu(status_icon, 0, 0)


class MainThreadQueue:
    """Work that other threads leave for the window thread, done in its order."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        # One pipe for good: GLib.idle_add keeps 100 bytes of each call (PyGObject 3.42, measured).
        read, self._write = os.pipe()
        for end in (read, self._write):
            os.set_blocking(end, False)
        GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, read, GLib.IOCondition.IN, self._run)

    def post(self, work: Callable[..., object], *args: Any) -> None:
        """Have this done on the window thread; from any thread."""
        self._work.put(partial(work, *args))
        # A full pipe has woken the window thread already.
        with suppress(BlockingIOError):
            os.write(self._write, b".")

    def _run(self, read: int, _: Any) -> bool:
        os.read(read, 4096)
        while not self._work.empty():
            try:
                self._work.get()()
            except Exception:
                # GTK would print it and nobody would know which it was.
                log.exception("the window could not do its part")
        return True


class GtkWindow:
    """The tray's window on GTK."""

    def __init__(self, menu: Menu, icons: Path, clicked: Callable[[Command], None]) -> None:
        self._clicked = clicked
        self._shown = menu
        self._notifier = DesktopNotifier(icons, self._click, self._bus_ended)
        self._lost = False
        self._widget = MenuWidget(self._click)
        self._widget.edit(menu.rows)
        self._icon = _Icon(menu, icons, self._notifier, self._widget)
        self._main_thread = MainThreadQueue()

    @property
    def error(self) -> str | None:
        """Why notifications do not arrive on this desktop, if they do not."""
        return self._notifier.error

    def run(self, ready: Callable[[], None]) -> None:
        """Show the icon and serve clicks until `stop`; raises NoDesktop if the icon is lost."""

        def setup(_: _Icon) -> None:
            ready()
            self._main_thread.post(setattr, self._icon, "visible", True)

        self._icon.run(setup)
        if self._lost:
            raise NoDesktop(
                "The desktop's message bus ended, and the icon with it.\n"
                "If you are still logged in, start levqor-tray again."
            )

    def show(self, menu: Menu) -> None:
        """Show this menu from now on."""
        self._main_thread.post(self._draw, menu)

    def notify(self, notification: Notification) -> None:
        """Show a message."""
        self._main_thread.post(lambda: self._notifier.show(notification, self._shown.icon))

    def copy(self, text: str) -> bool:
        """Put a text on the clipboard; Wayland lets only the window that has the keyboard."""
        if Gdk.Display.get_default().__gtype__.name == "GdkWaylandDisplay":
            return False  # pragma: no cover - the tests' screen is an X server
        self._main_thread.post(_copy, text)
        return True

    def stop(self) -> None:
        """End `run`."""
        self._main_thread.post(self._icon.stop)

    def _draw(self, menu: Menu) -> None:
        before, self._shown = self._shown, menu
        self._widget.edit(menu.rows)
        if menu.icon is not before.icon:
            self._icon.icon = menu.icon
        if menu.tooltip != before.tooltip:
            self._icon.title = menu.tooltip

    def _bus_ended(self) -> None:
        # AppIndicator cannot take it up again: what is on the screen would never change.
        if hasattr(self._icon, "_appindicator"):
            self._lost = True
            self._icon.stop()

    def _click(self, command: Command) -> None:
        try:
            self._clicked(command)
        except Exception:
            # GTK would print it and go on with a menu that no longer shows the truth.
            log.exception("a click on %s failed", command.name)
        self._widget.edit(self._shown.rows)


def _remark(domain: str, level: Any, message: str, *_: Any) -> None:
    if _REMARKS[domain][1] not in message:
        GLib.log_default_handler(domain, level, message, None)


def _copy(text: str) -> None:
    clipboard = Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD)
    clipboard.set_text(text, -1)
    clipboard.store()
