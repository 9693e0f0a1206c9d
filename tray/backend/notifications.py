"""Desktop notifications over D-Bus that cannot take the program down.

pystray 0.19.5's own notifier hangs the start where the bus is broken, ends Quit with an
error where no service answers, and gives no name, no escaping and no button.
"""

import contextlib
import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gi.repository import Gio, GLib

from tray import NAME
from tray.icon import icon_file
from tray.notifications import Notification
from tray.rows import Command
from tray.summary import IconState

_NAME, _PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
_TIMEOUT_MS = 5000
_NO_BUS = "this desktop has no message bus"


class DesktopNotifier:
    """Shows notifications; `error` says in words why the last one did not arrive."""

    def __init__(
        self, icons: Path, clicked: Callable[[Command], None], bus_ended: Callable[[], None]
    ) -> None:
        self.error: str | None = None
        self._when_bus_ended = bus_ended
        self._icons = icons
        self._clicked = clicked
        self._bus: Any = None
        self._early: list[tuple[Notification, IconState]] = []
        self._pages: dict[int, str] = {}

    def connect(self) -> None:
        """Start to look for the session bus; never waits for it."""
        Gio.bus_get(Gio.BusType.SESSION, None, self._connected)

    def show(self, notification: Notification, icon: IconState) -> None:
        """Show a notification beside the icon."""
        if self._bus is None:
            if self.error is None:
                self._early.append((notification, icon))
            return
        page = notification.about
        # A click on the message is an action too; one with words is a second button (XFCE).
        actions = [] if page is None else ["default", "", "fix", "How to fix"]
        hints = {"desktop-entry": GLib.Variant("s", NAME)}
        picture = str(icon_file(self._icons, icon))
        args = _arguments(picture, notification.title, notification.body, actions, hints)
        self._call("Notify", args, self._shown, page)

    def hide(self) -> None:
        """Take back what has a button nobody will answer to."""
        for number in self._pages:
            self._call("CloseNotification", GLib.Variant("(u)", (number,)), None, None)
        if self._pages and self._bus:
            self._bus.flush(None, None)

    def _connected(self, _: Any, result: Any) -> None:
        try:
            self._bus = Gio.bus_get_finish(result)
        except GLib.Error:
            self.error = _NO_BUS
            self._early.clear()
            return
        # GLib's default ends the process at once when the bus goes away.
        self._bus.set_exit_on_close(False)
        self._bus.connect("closed", self._bus_ended)
        for signal in ("ActionInvoked", "NotificationClosed"):
            self._bus.signal_subscribe(
                None, _NAME, signal, _PATH, None, Gio.DBusSignalFlags.NONE, self._signalled
            )
        early, self._early = self._early, []
        for notification, icon in early:
            self.show(notification, icon)

    def _bus_ended(self, *_: Any) -> None:
        self.error, self._bus = _NO_BUS, None
        self._pages.clear()
        self._when_bus_ended()

    def _call(self, method: str, args: Any, done: Any, page: str | None) -> None:
        flags = Gio.DBusCallFlags.NONE
        self._bus.call(
            _NAME, _PATH, _NAME, method, args, None, flags, _TIMEOUT_MS, None, done, page
        )

    def _shown(self, bus: Any, result: Any, page: str | None) -> None:
        try:
            number = bus.call_finish(result).unpack()[0]
        except GLib.Error as problem:
            unknown = (Gio.DBusError.SERVICE_UNKNOWN, Gio.DBusError.NAME_HAS_NO_OWNER)
            missing = any(problem.matches(Gio.DBusError.quark(), code) for code in unknown)
            self.error = "the notification service does not answer"
            if missing:
                self.error = "this desktop has no notification service"
            return
        self.error = None
        if page is not None:
            self._pages[number] = page

    def _signalled(self, *signal: Any) -> None:
        *_, name, args = signal[:6]
        page = self._pages.pop(args.unpack()[0], None)
        if page is not None and name == "ActionInvoked":
            self._clicked(Command("how_to_fix", page))


def _arguments(
    picture: str, title: str, body: str, actions: list[str], hints: dict[str, Any]
) -> Any:
    # Daemons read the body as markup: an unescaped `<` eats the words after it.
    text = html.escape(body, quote=False)
    args = ("Levqor", 0, picture, title, text, actions, hints, -1)
    return GLib.Variant("(susssasa{sv}i)", args)


def send_at_once(title: str, body: str) -> None:
    """Show a message from a program that is about to end; nothing where nobody listens."""
    args = _arguments("", title, body, [], {})
    with contextlib.suppress(GLib.Error):
        bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
        flags = Gio.DBusCallFlags.NONE
        bus.call_sync(_NAME, _PATH, _NAME, "Notify", args, None, flags, _TIMEOUT_MS, None)
