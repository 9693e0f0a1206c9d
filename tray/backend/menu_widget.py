"""Rows as GTK widgets: edited in place, so that an open menu stays open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gi.repository import Gtk

from tray.rows import Command, Row


@dataclass
class _Drawn:
    """A row that is on the menu."""

    row: Row
    widget: Any
    below: MenuWidget | None


class MenuWidget:
    """A Gtk.Menu that follows rows. Its methods belong on the window thread."""

    def __init__(self, clicked: Callable[[Command], None]) -> None:
        self.widget = Gtk.Menu.new()
        # GTK 3 places a menu by the width it had before its rows changed: off the screen.
        self.widget.connect("map", lambda menu: menu.reposition())
        self._clicked = clicked
        self._drawn: dict[str, _Drawn] = {}
        self._order: list[str] = []
        self._quiet = False

    def edit(self, rows: Sequence[Row]) -> None:
        """Make the menu show these rows, touching only what differs."""
        wanted = dict(zip(_names(rows), rows, strict=True))
        for name in [name for name in self._drawn if name not in wanted]:
            self._remove(name)
        for at, (name, row) in enumerate(wanted.items()):
            if name in self._drawn and self._order[at] != name:
                # No panel hears of a row that moves (libdbusmenu-gtk): a new one is put there.
                self._remove(name)
            if name not in self._drawn:
                self._insert(name, row, at)
            self._edit_one(self._drawn[name], row)

    def _remove(self, name: str) -> None:
        self._drawn.pop(name).widget.destroy()
        self._order.remove(name)

    def _insert(self, name: str, row: Row, at: int) -> None:
        drawn = _Drawn(row, _widget(row), MenuWidget(self._clicked) if row.rows else None)
        if drawn.below:
            drawn.widget.set_submenu(drawn.below.widget)
        elif not row.separator:
            drawn.widget.connect("activate", lambda _: self._activated(drawn))
        self._drawn[name] = drawn
        self._order.insert(at, name)
        self.widget.insert(drawn.widget, at)
        drawn.widget.show()

    def _edit_one(self, drawn: _Drawn, row: Row) -> None:
        widget, drawn.row = drawn.widget, row
        if row.separator:
            return
        if widget.get_label() != _label(row.text):
            widget.set_label(_label(row.text))
        if widget.get_sensitive() != row.enabled:
            widget.set_sensitive(row.enabled)
        if row.checked is not None and widget.get_active() != row.checked:
            # set_active emits "activate" as a click does.
            self._quiet = True
            widget.set_active(row.checked)
            self._quiet = False
        if drawn.below:
            drawn.below.edit(row.rows)

    def _activated(self, drawn: _Drawn) -> None:
        # A panel may click a row that was greyed a moment ago (com.canonical.dbusmenu).
        if not self._quiet and drawn.row.enabled and drawn.row.command:
            self._clicked(drawn.row.command)


def _names(rows: Sequence[Row]) -> list[str]:
    """Name each row so that one of another kind is another row; a line, by what is below it."""
    names = []
    for number, row in enumerate(rows):
        kind = "check" if row.checked is not None else "menu" if row.rows else "row"
        below = rows[number + 1].key if row.separator else ""
        names.append(f"line {below}" if row.separator else f"{kind} {row.key}")
    return names


def _widget(row: Row) -> Any:
    if row.separator:
        return Gtk.SeparatorMenuItem.new()
    if row.checked is None:
        return Gtk.MenuItem.new_with_mnemonic(_label(row.text))
    widget = Gtk.CheckMenuItem.new_with_mnemonic(_label(row.text))
    widget.set_active(row.checked)
    widget.set_draw_as_radio(row.radio)
    return widget


def _label(text: str) -> str:
    # A panel takes a single underline for an access key and swallows it, whatever GTK thinks
    # (com.canonical.dbusmenu); a doubled one is an underline to both.
    return text.replace("_", "__")
