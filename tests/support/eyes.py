"""What is on the screen, as JSON: `hosts`, `program` (accessibility), `panel` (dbusmenu) …"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys

from tray.backend import toolkit

if importlib.util.find_spec("gi") is None:
    toolkit.borrow_gi()


def hosts() -> list[str]:
    from tray import desktop

    return desktop.hosts()


def program() -> list[dict]:
    """The rows the program itself has on the screen, each with its middle."""
    import gi

    gi.require_version("Atspi", "2.0")
    from gi.repository import Atspi, GLib

    def walk(node, depth=0):
        for index in range(node.get_child_count()):
            child = node.get_child_at_index(index)
            if child is not None and depth < 12:
                yield child
                yield from walk(child, depth + 1)

    found = []
    try:
        for node in walk(Atspi.get_desktop(0)):
            states = node.get_state_set()
            if "menu" not in node.get_role_name() or not states.contains(Atspi.StateType.SHOWING):
                continue
            box = node.get_extents(Atspi.CoordType.SCREEN)
            if node.get_name() and box.width > 1:
                found.append(
                    {
                        "text": node.get_name(),
                        "x": box.x + min(60, box.width // 2),
                        "y": box.y + box.height // 2,
                        "right": box.x + box.width,
                        "enabled": states.contains(Atspi.StateType.SENSITIVE),
                        "checked": states.contains(Atspi.StateType.CHECKED),
                    }
                )
    except GLib.Error:
        # The program changed or left while we looked; whoever asks asks again.
        return []
    return found


def clipboard() -> str | None:
    """The text on the clipboard."""
    import gi

    gi.require_version("Gtk", "3.0")
    from gi.repository import Gdk, Gtk

    return Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).wait_for_text()


def told() -> list[str]:
    """Every word the panel was given: all rows, shown or not, and the tooltip."""

    def words(node):
        yield node[1].get("label", "")
        for kid in node[2]:
            yield from words(kid)

    item, menu = _item()
    return [*item, *words(menu)] if menu else []


def panel() -> list[dict]:
    """The rows of the menus the panel has open: dbusmenu's words, X's rectangles."""
    _, node = _item()
    found = []
    for window in _menu_windows() if node else []:
        rows = list(_laid_out(node, window))
        found += [_row(kid, window[0], top, bottom) for kid, top, bottom in rows if _speaks(kid)]
        # The next window belongs to the row under the mouse.
        x, y = _pointer()
        inside = window[0] <= x < window[0] + window[2]
        node = next((kid for kid, top, end in rows if kid[2] and inside and top <= y < end), None)
        if node is None:
            break
    return found


def _item():
    """The tray item the panel knows: its own words, and its menu as a tree."""
    from gi.repository import Gio, GLib

    bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)

    def call(dest, path, face, method, args=None):
        return bus.call_sync(dest, path, face, method, args, None, 0, 3000, None).unpack()

    def prop(dest, path, face, name):
        args = GLib.Variant("(ss)", (face, name))
        return call(dest, path, "org.freedesktop.DBus.Properties", "Get", args)[0]

    watcher = "org.kde.StatusNotifierWatcher"
    try:
        items = prop(watcher, "/StatusNotifierWatcher", watcher, "RegisteredStatusNotifierItems")
        dest, _, path = items[0].partition("/")
        face = "org.kde.StatusNotifierItem"
        menu = prop(dest, f"/{path}", face, "Menu")
        names = ("Id", "Title", "IconName", "IconAccessibleDesc")
        said = [prop(dest, f"/{path}", face, name) for name in names]
        args = GLib.Variant("(iias)", (0, -1, []))
        return said, call(dest, menu, "com.canonical.dbusmenu", "GetLayout", args)[1]
    except (GLib.Error, IndexError):
        return [], None


def _speaks(kid) -> bool:
    return kid[1].get("type") != "separator"


def _laid_out(node, window):
    """A node's visible children, each with its upper and lower edge in a menu's window."""
    kids = [kid for kid in node[2] if kid[1].get("visible", True)]
    rows = sum(map(_speaks, kids))
    # GTK's own theme: four pixels around the rows, one for a line.
    tall = (window[3] - 8 - (len(kids) - rows)) / max(1, rows)
    at = window[1] + 4.0
    for kid in kids:
        end = at + (tall if _speaks(kid) else 1)
        yield kid, at, end
        at = end


def _row(kid, x, top, bottom):
    return {
        # Underlines stand doubled: a single one would mark an access key.
        "text": kid[1].get("label", "").replace("__", "_"),
        "x": x + 60,
        "y": int((top + bottom) / 2),
        "enabled": kid[1].get("enabled", True),
        "checked": kid[1].get("toggle-state", 0) == 1,
    }


def _pointer() -> tuple[int, int]:
    said = subprocess.run(
        ["xdotool", "getmouselocation"], capture_output=True, text=True, check=True
    ).stdout
    x, y = re.findall(r"[xy]:(\d+)", said)
    return int(x), int(y)


def _menu_windows() -> list[tuple[int, int, int, int]]:
    """The menus on the screen, the first opened first: x, y, width, height."""

    def out(*command):
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    found = []
    for line in out("xwininfo", "-root", "-children").splitlines():
        parts = re.search(r"(0x\w+) .*? (\d+)x(\d+)\+-?\d+\+-?\d+ +\+(-?\d+)\+(-?\d+)", line)
        if not parts or int(parts[2]) < 40:
            continue
        if "IsViewable" not in out("xwininfo", "-id", parts[1]):
            continue
        if "MENU" in out("xprop", "-id", parts[1], "_NET_WM_WINDOW_TYPE"):
            found.append(tuple(int(parts[n]) for n in (4, 5, 2, 3)))
    return found[::-1]


if __name__ == "__main__":
    asked = {one.__name__: one for one in (hosts, program, panel, told, clipboard)}
    seen = asked[sys.argv[1]]()
    sys.stdout.write(json.dumps(seen))
