"""The icon on Windows and macOS: pystray's own menu, every call made on the window thread.

Neither of pystray's backends there marshals calls (pystray #60): macOS ends a process that
touches its menu from another thread, and Windows would destroy a menu somebody has open.
"""

import logging
import queue
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pystray

from tray import NAME, formatting
from tray.icon import draw
from tray.menu import TOOLTIP, Menu
from tray.notifications import Notification
from tray.rows import Command, Row

log = logging.getLogger(__name__)

# Windows' NOTIFYICONDATA: one more UTF-16 unit is a ValueError in ctypes.
_TITLE, _BODY = 63, 255
_WM_APP_WORK = 0x8000 + 17


class _Icon(pystray.Icon):  # type: ignore[misc]
    """pystray's icon, able to do work on its own thread."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._open = False
        if sys.platform == "win32":  # pragma: no cover - only Windows runs it
            self._message_handlers[_WM_APP_WORK] = self._drain

    def post(self, work: Callable[[], None]) -> None:
        """Have work done on the window thread; from any thread."""
        self._work.put(work)
        self._wake()

    def _wake(self) -> None:  # pragma: no cover - only Windows and macOS have these calls
        if sys.platform == "darwin":
            from PyObjCTools import AppHelper

            AppHelper.callAfter(self._drain)
            return
        from pystray._util import win32

        win32.PostMessage(self._hwnd, _WM_APP_WORK, 0, 0)

    def _drain(self, *_: Any) -> None:
        while not self._open and not self._work.empty():
            try:
                self._work.get()()
            except Exception:
                # The system would print it, and leave what came after for the next one.
                log.exception("the window could not do its part")

    def _on_notify(self, wparam: Any, lparam: Any) -> None:  # pragma: no cover - only Windows does
        # Windows serves messages while a menu is on screen; edits wait until it is closed.
        self._open = True
        try:
            super()._on_notify(wparam, lparam)
        finally:
            self._open = False
            self._drain()


class NativeWindow:
    """The tray on Windows and macOS."""

    error: str | None = None
    icon_class = _Icon

    def __init__(self, menu: Menu, clicked: Callable[[Command], None]) -> None:
        self._clicked = clicked
        self._shown = menu
        rows = pystray.Menu(lambda: self._items(self._shown.rows))
        self._icon = self.icon_class(NAME, draw(menu.icon), _cut(menu.tooltip, TOOLTIP), rows)

    def run(self, ready: Callable[[], None]) -> None:
        """Show the icon and serve clicks until `stop`; `ready` comes before it is shown."""

        def setup(icon: Any) -> None:
            ready()
            icon.visible = True

        self._icon.run(setup)

    def show(self, menu: Menu) -> None:
        """Show this menu from now on."""
        self._icon.post(lambda: self._draw(menu))

    def notify(self, notification: Notification) -> None:
        """Show a message."""
        title = _cut(formatting.cut(notification.title, _TITLE), _TITLE)
        body = _cut(notification.body, _BODY)
        self._icon.post(lambda: self._icon.notify(body, title))

    def copy(self, text: str) -> bool:
        """Put a text on the clipboard, with the system's own command."""
        command = "clip" if sys.platform == "win32" else "pbcopy"
        coding = "utf-16" if sys.platform == "win32" else "utf-8"
        done = subprocess.run([command], input=text.encode(coding), check=False)  # noqa: S603
        return done.returncode == 0

    def stop(self) -> None:
        """End `run`."""
        self._icon.post(self._icon.stop)

    def _draw(self, menu: Menu) -> None:
        before, self._shown = self._shown, menu
        if menu.icon is not before.icon:
            self._icon.icon = draw(menu.icon)
        if menu.tooltip != before.tooltip:
            self._icon.title = _cut(menu.tooltip, TOOLTIP)
        if menu.rows != before.rows:
            self._icon.update_menu()

    def _items(self, rows: Sequence[Row]) -> Iterator[Any]:
        for row in rows:
            yield pystray.Menu.SEPARATOR if row.separator else self._item(row)

    def _item(self, row: Row) -> Any:
        below = pystray.Menu(*self._items(row.rows)) if row.rows else None
        return pystray.MenuItem(
            row.text,
            below or (lambda: self._click(row)),
            checked=None if row.checked is None else lambda _: bool(row.checked),
            radio=row.radio,
            enabled=row.enabled,
        )

    def _click(self, row: Row) -> None:
        if row.command:
            try:
                self._clicked(row.command)
            except Exception:
                log.exception("a click on %s failed", row.command.name)


def _cut(text: str, most: int) -> str:
    """Cut a text at so many UTF-16 units, which Windows counts; no half of a pair is left."""
    return text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore")
