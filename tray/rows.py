"""Rows of a menu, and what a click on one asks for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """What a click asks for."""

    name: str
    arg: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Row:
    """One row. `key` names it among its siblings; one without `command` and `rows` is text."""

    key: str
    text: str
    command: Command | None = None
    enabled: bool = True
    checked: bool | None = None
    radio: bool = False
    rows: tuple[Row, ...] = ()

    @property
    def separator(self) -> bool:
        """Whether this is a line between groups."""
        return not self.text


SEPARATOR = Row("", "")


def text_row(key: str, text: str) -> Row:
    """Make a row that cannot be clicked."""
    return Row(key, text, enabled=False)
