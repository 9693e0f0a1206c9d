"""Ranges in A1 notation, as the Sheets API reads them."""

import re
from dataclasses import dataclass

_CELL = re.compile(r"\$?([A-Za-z]{1,3})\$?([1-9]\d*)")
_CORNER = re.compile(r"(?:\$?([A-Za-z]{1,3}))?(?:\$?([1-9]\d*))?")
_PLAIN = re.compile(r"\w+")


class BadRange(ValueError):
    """A range the API cannot parse, or one outside the grid."""


@dataclass(frozen=True)
class Range:
    """A tab (None: the first) and the column and row a range starts at, from 1."""

    tab: str | None
    column: int = 1
    row: int = 1


def number(letters: str) -> int:
    """`A` is 1, `AA` is 27."""
    value = 0
    for letter in letters.upper():
        value = value * 26 + ord(letter) - ord("A") + 1
    return value


def letters(column: int) -> str:
    """1 is `A`, 27 is `AA`."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def quoted(tab: str) -> str:
    """A tab's name as the API writes it."""
    plain = _PLAIN.fullmatch(tab) and not _CELL.fullmatch(tab)
    return tab if plain else "'" + tab.replace("'", "''") + "'"


def parse(text: str, tabs: list[str]) -> Range:
    """Read a range; raises BadRange."""
    tab, corners = _split(text, tabs)
    if not corners:
        return Range(tab)
    first, colon, last = corners.partition(":")
    start, end = _CORNER.fullmatch(first), _CORNER.fullmatch(last)
    if start is None or end is None or not first or (colon and not last):
        raise BadRange(f"Unable to parse range: {text}")
    if not colon and not (start[1] and start[2]):
        raise BadRange(f"Unable to parse range: {text}")
    return Range(tab, number(start[1] or "A"), int(start[2] or 1))


def _split(text: str, tabs: list[str]) -> tuple[str | None, str]:
    if text.startswith("'"):
        match = re.fullmatch(r"'((?:[^']|'')+)'(?:!(.+))?", text)
        name = match[1].replace("''", "'") if match else ""
        if match is None or name not in tabs:
            raise BadRange(f"Unable to parse range: {text}")
        return name, match[2] or ""
    name, mark, corners = text.partition("!")
    if not mark and (_CELL.fullmatch(text) or ":" in text):
        return None, text
    if _CELL.fullmatch(name) and name in tabs:
        # An unquoted name that looks like a cell is one: CRM26 is column CRM, row 26.
        return None, name
    if name not in tabs or not _PLAIN.fullmatch(name) or (mark and not corners):
        raise BadRange(f"Unable to parse range: {text}")
    return name, corners
