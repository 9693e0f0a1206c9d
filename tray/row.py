"""What a menu is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Do:
    """What a click asks for."""

    what: str
    arg: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Row:
    """One row. `key` names it among its siblings; one without `do` and `rows` only speaks."""

    key: str
    text: str
    do: Do | None = None
    enabled: bool = True
    checked: bool | None = None
    radio: bool = False
    rows: tuple[Row, ...] = ()

    @property
    def separator(self) -> bool:
        """Whether this is a line between groups."""
        return not self.text


SEPARATOR = Row("", "")


def say(key: str, text: str) -> Row:
    """Make a row that only speaks."""
    return Row(key, text, enabled=False)
