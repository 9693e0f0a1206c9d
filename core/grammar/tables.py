"""Rows typed as lines of cells."""

from __future__ import annotations

import csv
import io
import re

_CURLY_CELL = re.compile(r"(^|[,\t\n])[ ]*“([^“”]*)”[ ]*(?=[,\t\n]|$)")


def rows(text: str) -> list[list[str]]:
    """Split lines into cells at tabs if there are any, else at commas.

    Quotes around a cell protect what they hold; raises ValueError where one is not closed.
    """

    def straight(cell: re.Match[str]) -> str:
        inner = cell[2].replace('"', '""')
        return f'{cell[1]}"{inner}"'

    lines = _CURLY_CELL.sub(straight, text.replace("\r\n", "\n").strip("\r\n"))
    reader = csv.reader(
        io.StringIO(lines, newline=""),
        delimiter="\t" if "\t" in lines else ",",
        skipinitialspace=True,
        strict=True,
    )
    try:
        found = [[cell.strip() for cell in row] for row in reader]
    except csv.Error as problem:
        if "larger than field limit" in str(problem):
            raise ValueError("has an endless cell; is a quote never closed?") from None
        raise ValueError(
            'has a cell whose quotes do not fit; write "" for a quote inside a quoted cell'
        ) from None
    return [row for row in found if row not in ([], [""])]
