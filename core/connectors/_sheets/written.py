"""What Google wrote and where, and what a person should know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

from core.connectors._sheets.ranges import column_of
from core.contract import TypedNumber, listed, plain_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.contract import Cell


class Updates(BaseModel):
    """What was written, and where."""

    updatedRange: str = ""  # noqa: N815 - Google's name
    updatedRows: int  # noqa: N815 - Google's name

    @property
    def place(self) -> str:
        """The range, as it is shown: a tab's name may be a hundred characters long."""
        return plain_line(self.updatedRange, most=160)


class Appended(BaseModel):
    """The answer to an append."""

    updates: Updates


def note(place: str, rows: Sequence[Sequence[Cell]], written: Updates) -> str | None:
    """Say where the rows are, and which digits a number does not keep."""
    return " ".join([*_where(place, written), *_digits(rows)]) or None


def _where(place: str, written: Updates) -> Iterator[str]:
    asked, got = column_of(place), column_of(written.updatedRange)
    if asked and got and asked != got:
        yield (
            f"They are at {written.place}, not in column {asked}: Google puts rows below"
            " the table it finds there."
        )
    elif written.updatedRange:
        yield f"They are at {written.place}."


def _digits(rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    changed = [cell for row in rows for cell in row if isinstance(cell, TypedNumber)]
    if changed:
        which = listed((f"{cell.typed} is stored as {cell.stored}" for cell in changed), most=3)
        yield f'As a number, {which}; in quotes, "{changed[0].typed}", it keeps its digits.'
