"""Desktop notifications over D-Bus that cannot take the program down.

pystray 0.19.5's own notifier hangs the start where the bus is broken, ends Quit with an
error where no service answers, and gives no name, no escaping and no button.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from gi.repository import Gio, GLib

from tray import NAME
from tray.icon import icon_file
from tray.rows import Command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tray.notifications import Notification
    from tray.summary import Face

_NAME, _PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
_TIMEOUT_MS = 5000
_NO_BUS = "this desktop has no message bus"


class DesktopNotifier:
    """Shows notices; `error` says in words why the last one did not arrive."""

    def __init__(
        self, icons: Path, clicked: Callable[[Command], None], lost: Callable[[], None]
    ) -> None:
        self.error: str | None = None
        self._lost = lost
        self._icons = icons
        self._clicked = clicked
        self._bus: Any = None
        self._early: list[tuple[Notification, Face]] = []
        self._about: dict[int, str] = {}

    def connect(self) -> None:
        """Start to look for the session bus; never waits for it."""
        Gio.bus_get(Gio.BusType.SESSION, None, self._connected)

    def show(self, notice: Notification, face: Face) -> None:
        """Show a notice beside the icon's face."""
        if self._bus is None:
            if self.error is None:
                self._early.append((notice, face))
            return
        # A click on the message is an action too; one with words is a second button (XFCE).
        actions = [] if notice.about is None else ["default", "", "fix", "How to fix"]
        # Daemons read the body as markup: an unescaped `<` eats the words after it.
        body = html.escape(notice.body, quote=False)
        picture = str(icon_file(self._icons, face))
        hints = {"desktop-entry": GLib.Variant("s", NAME)}
        said = ("Levqor", 0, picture, notice.title, body, actions, hints, -1)
        self._call("Notify", GLib.Variant("(susssasa{sv}i)", said), self._shown, notice.about)

    def hide(self) -> None:
        """Take back what has a button nobody will answer to."""
        for number in self._about:
            self._call("CloseNotification", GLib.Variant("(u)", (number,)), self._closed, None)
        if self._about and self._bus:
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
                None, _NAME, signal, _PATH, None, Gio.DBusSignalFlags.NONE, self._heard
            )
        early, self._early = self._early, []
        for notice, face in early:
            self.show(notice, face)

    def _bus_ended(self, *_: Any) -> None:
        self.error, self._bus = _NO_BUS, None
        self._about.clear()
        self._lost()

    def _call(self, method: str, args: Any, done: Any, about: str | None) -> None:
        flags = Gio.DBusCallFlags.NONE
        self._bus.call(
            _NAME, _PATH, _NAME, method, args, None, flags, _TIMEOUT_MS, None, done, about
        )

    def _shown(self, bus: Any, result: Any, about: str | None) -> None:
        try:
            number = bus.call_finish(result).unpack()[0]
        except GLib.Error as problem:
            self.error = _why(problem)
            return
        self.error = None
        if about is not None:
            self._about[number] = about

    def _closed(self, bus: Any, result: Any, _: None) -> None:
        try:
            bus.call_finish(result)
        except GLib.Error:
            # A message that is gone already cannot be closed: nothing is lost.
            return

    def _heard(self, *signal: Any) -> None:
        *_, name, said = signal[:6]
        number = said.unpack()[0]
        if name == "NotificationClosed":
            self._about.pop(number, None)
        elif number in self._about:
            self._clicked(Command("how_to_fix", self._about.pop(number)))


def _why(problem: Any) -> str:
    unknown = (Gio.DBusError.SERVICE_UNKNOWN, Gio.DBusError.NAME_HAS_NO_OWNER)
    if any(problem.matches(Gio.DBusError.quark(), code) for code in unknown):
        return "this desktop has no notification service"
    return "the notification service does not answer"


def send_at_once(title: str, body: str) -> None:
    """Show a message from a program that is about to end; nothing where nobody listens."""
    said: tuple[Any, ...] = ("Levqor", 0, "", title, html.escape(body, quote=False), [], {}, -1)
    args = GLib.Variant("(susssasa{sv}i)", said)
    try:
        bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
        flags = Gio.DBusCallFlags.NONE
        bus.call_sync(_NAME, _PATH, _NAME, "Notify", args, None, flags, _TIMEOUT_MS, None)
    except GLib.Error:
        return
