"""Tables that fit a terminal: columns are left out whole, and no id or date is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.plain import plain_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TextIO

# Between two columns, and at both ends.
_GAP, _ENDS = 2, 2
# Narrower than this a text of several words is no use.
_LEAST_FOLDED = 20


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lay rows out in columns two spaces apart, each row on one line."""
    flat = [[plain_line(" ".join(cell.split())) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*flat, strict=True)]
    for row in flat:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def draw(
    stream: TextIO,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    drop: Sequence[str] = (),
    folds: str | None = None,
    styles: Callable[[int], str] | None = None,
) -> Sequence[str]:
    """Print a table on a terminal; returns the columns there was no room for.

    `drop` names the columns that may be left out, the least important first; `folds` the one
    whose words may go on in the next line.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [[plain_line(cell) for cell in row] for row in rows]
    widths = _widths(columns, cells, folds)
    console = Console(file=stream, highlight=False)
    dropped = _dropped(widths, drop, console.width)
    kept = [name for name in columns if name not in dropped]
    # What does not fit even so is left whole, for the terminal to go on with in the next line.
    console.width = max(console.width, _needed(widths, kept))
    table = Table(
        box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, _GAP - 1, 0, 0)
    )
    for name in kept:
        table.add_column(name, no_wrap=name != folds, overflow="fold")
    for number, row in enumerate(cells):
        shown = (Text(cell) for name, cell in zip(columns, row, strict=True) if name in kept)
        table.add_row(*shown, style=styles(number) if styles else "")
    console.print(table)
    return dropped


def _widths(
    columns: Sequence[str], rows: Sequence[Sequence[str]], folds: str | None
) -> dict[str, int]:
    from rich.cells import cell_len

    widths = {
        name: max(map(cell_len, column))
        for name, column in zip(columns, zip(columns, *rows, strict=True), strict=True)
    }
    if folds:
        widths[folds] = min(widths[folds], max(_LEAST_FOLDED, cell_len(folds)))
    return widths


def _needed(widths: dict[str, int], names: Sequence[str]) -> int:
    return sum(widths[name] + _GAP for name in names) - _GAP + _ENDS


def _dropped(widths: dict[str, int], drop: Sequence[str], room: int) -> Sequence[str]:
    for many in range(len(drop) + 1):
        if _needed(widths, [name for name in widths if name not in drop[:many]]) <= room:
            return drop[:many]
    return drop
