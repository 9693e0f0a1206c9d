"""Where rows go and what is in them: A1 notation, tabs, and cells as Sheets takes them.

Notation: https://developers.google.com/workspace/sheets/api/guides/concepts#cell
"""

import math
import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, PlainValidator

from core.contract import Cell, folded, listed

# https://support.google.com/drive/answer/37603
LAST_COLUMN = 18_278  # ZZZ
CELL_LENGTH = 50_000
WHOLE_NUMBERS = 10**15  # up to here a cell keeps every digit

_COLUMN, _ROW = "[A-Za-z]{1,3}", "[1-9][0-9]{0,7}"
_CELLS = re.compile(
    rf"\$?{_COLUMN}\$?{_ROW}(:\$?{_COLUMN}(\$?{_ROW})?|:\$?{_ROW})?"  # A1, A1:B2, A2:C, A1:9
    rf"|\$?{_COLUMN}:\$?{_COLUMN}"  # A:C
    rf"|\$?{_ROW}:\$?{_ROW}"  # 1:5
)
# A tab, or cells, or both with a ! between; a tab's name that holds ! is quoted.
_TYPED, _BLACK = r"[^!\x00-\x1f\x7f-\x9f]", r"[^!\s\x00-\x1f\x7f-\x9f]"
RANGE_SHAPE = rf"^{_TYPED}*{_BLACK}(?:{_TYPED}|!(?=[^!]*$)(?:{_CELLS.pattern})\s*$)*$"
_QUOTED = re.compile(r"'((?:[^']|'')+)'(?:!(.*))?", re.DOTALL)
# Could be a named range, which quotes would turn into a tab.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def a1_range(value: str) -> str:
    """Return a range in A1 notation with its tab's name quoted as Google wants it.

    `Q3 plan!A:C` becomes `'Q3 plan'!A:C`; cells alone mean the first tab. A tab whose name
    looks like cells has to be written with cells, or in quotes, when it stands alone. Raises
    ValueError where it is neither.
    """
    text = value.strip()
    tab, cells = tab_and_cells(text)
    if tab is None and cells:
        return _cells(cells)
    if tab is None and _NAME.fullmatch(text):
        return text
    tab = text if tab is None else tab
    if not tab.strip():
        raise ValueError("names no tab")
    return _at(tab, None if cells is None else _cells(cells))


def tab_and_cells(place: str) -> tuple[str | None, str | None]:
    """The tab and the cells a range names; of a name alone, which may be a range's, neither."""
    if quoted := _QUOTED.fullmatch(place):
        return quoted[1].replace("''", "'"), quoted[2]
    if "!" in place:
        tab, _, cells = place.rpartition("!")
        return tab, cells
    return None, place if _CELLS.fullmatch(place) else None


def quote_tab(tab: str) -> str:
    """Put a tab's name in quotes, those inside doubled."""
    return "'" + tab.replace("'", "''") + "'"


def column_of(place: str) -> str | None:
    """The first column a range names, in capitals; None where it names none (rows, a tab)."""
    cells = tab_and_cells(place)[1] or ""
    column = re.match(_COLUMN, cells)
    return column[0].upper() if column and _CELLS.fullmatch(cells) else None


def _cells(text: str) -> str:
    if not _CELLS.fullmatch(text):
        raise ValueError("must end in cells such as A1 or A:C; a tab that holds ! needs quotes")
    return text.replace("$", "").upper()


class NoTab(ValueError):
    """No tab goes by the name that the range holds."""


class Unclear(ValueError):
    """A range that means two things: `what` they are, and `how` each is written."""

    def __init__(self, what: str, how: str) -> None:
        self.what, self.how = what, how
        super().__init__(f"{what}: {how}")


def in_tabs(place: str, tabs: Sequence[str]) -> str:
    """Return a range with the name of its tab as the spreadsheet has it.

    Names are compared as people see them; one that is written exactly so is that one. Raises
    NoTab, and Unclear where the range could be a tab as well as cells, or either of two tabs.
    """
    tab, cells = tab_and_cells(place)
    wanted = place if tab is None else tab
    alike = [name for name in tabs if folded(name) == folded(wanted)]
    if tab is None and cells:
        # "range=Q3 plan!A1" without quotes leaves Q3, and the rest to the rows.
        begun = [name for name in tabs if folded(name).startswith(f"{folded(place)} ")]
        if maybe := [*alike, *begun]:
            as_tab, as_cells = listed([quote_tab(maybe[0])]), listed([_at(tabs[0], place)])
            raise Unclear(
                f"could be the tab {as_tab} or {place} in the first tab",
                f'write "{as_tab}" for the tab, or "{as_cells}" for the other',
            )
        return place
    if not alike:
        if tab is None:
            return place  # a named range
        raise NoTab(wanted)
    if wanted not in alike and len(alike) > 1:
        spellings = [f'"{_at(name, cells)}"' for name in alike]
        raise Unclear(
            f"could be any of the tabs {listed(map(quote_tab, alike))}",
            f"write the name of one exactly: {listed(spellings)}",
        )
    return _at(wanted if wanted in alike else alike[0], cells)


def _at(tab: str, cells: str | None) -> str:
    return quote_tab(tab) if cells is None else f"{quote_tab(tab)}!{cells}"


def cell_value(value: object) -> Cell:
    """Check one cell and strip its text; raises ValueError for what a cell cannot hold."""
    if isinstance(value, str):
        text = value.strip()
        if len(text) > CELL_LENGTH:
            raise ValueError(f"is too long: a cell takes at most {CELL_LENGTH:,} characters")
        return text
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, int | float):
        raise ValueError("must be text, a number, true, false or empty")  # noqa: TRY004 - a fault
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be a finite number")
    if abs(value) >= WHOLE_NUMBERS:
        raise ValueError("has more than 15 digits, which a cell cuts off; give it as text")
    return value


Exact = Annotated[float, Field(gt=-WHOLE_NUMBERS, lt=WHOLE_NUMBERS)]
CellValue = Annotated[
    Cell, PlainValidator(cell_value, json_schema_input_type=str | Exact | bool | None)
]
Row = Annotated[list[CellValue], Field(min_length=1, max_length=LAST_COLUMN)]
