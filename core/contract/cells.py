"""A cell as it was typed: a plain numeral is a number, all else is text."""

from __future__ import annotations

import re
from typing import Self

Cell = str | int | float | bool | None

# Ids, codes and phone numbers begin with 0 or +; a double keeps fifteen digits, whichever.
_NUMERAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_MOST_DIGITS = 15


class TypedNumber(float):
    """A number that was typed with digits which a number does not keep: `3.10` is 3.1."""

    typed: str

    def __new__(cls, typed: str) -> Self:
        """Read the number and keep how it was typed."""
        number = super().__new__(cls, typed)
        number.typed = typed
        return number

    @property
    def stored(self) -> str:
        """The digits that are left."""
        whole, _, decimals = self.typed.partition(".")
        decimals = decimals.rstrip("0")
        return f"{whole}.{decimals}" if decimals else whole


def typed_cell(text: str) -> Cell:
    """Read a cell typed without quotes: 42 and -3.5 are numbers; 007, +1, 1e3 are text."""
    if len(text) > 2 * _MOST_DIGITS or not _NUMERAL.fullmatch(text):
        return text
    if sum(map(str.isdigit, text)) > _MOST_DIGITS or (text[0] == "-" and not float(text)):
        return text
    if "." not in text:
        return int(text)
    return TypedNumber(text) if text.endswith("0") else float(text)
