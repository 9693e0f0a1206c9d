"""Rows typed as lines of cells."""

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from core.contract import BYTE_ORDER_MARK, Cell, TypedNumber, with_newlines
from core.grammar.jsons import json_rows
from core.grammar.words import visible

TAB, COMMA = "\t", ","
# Ids, codes and phone numbers begin with 0 or +; a double keeps fifteen digits, whichever.
_NUMERAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_MOST_DIGITS = 15
_SHOWN = 40
_NEEDS_QUOTES = re.compile(r"""^[\[{'‘„«‹]|[,\t\n"“”]""")  # noqa: RUF001 - meant
_OTHER_QUOTES = {"'": "'", "‘": "’", "„": "“”", "«": "»", "‹": "›"}  # noqa: RUF001 - meant
_ODD_QUOTES = 'has a cell whose quotes do not fit; write "" for a quote inside a quoted cell'


class _Piece(NamedTuple):
    """A cell's text, and whether it stood in quotes."""

    text: str
    quoted: bool

    def cell(self, *, numbers: bool) -> Cell:
        text = self.text.strip()
        return typed_cell(text) if numbers and not self.quoted else text


def rows(text: str, *, numbers: bool = True) -> list[list[Cell]]:
    """Split lines into cells, at tabs if every line has one, else at commas.

    Quotes around a cell protect what they hold and keep a number text; without `numbers` all
    cells are text. A line that is left empty between others is an empty row. Raises
    ValueError where quotes do not fit, or where some lines have tabs and others commas.
    """
    text = with_newlines(text.replace(BYTE_ORDER_MARK, ""))
    table = _separated(text)
    filled = [number for number, row in enumerate(table) if not _blank(row)]
    kept = table[filled[0] : filled[-1] + 1] if filled else []
    return [[piece.cell(numbers=numbers) for piece in row] for row in kept]


def rows_or_json(text: str, *, numbers: bool, pure: bool) -> list[Any]:
    """Read rows as JSON where they begin with `[`, else as lines; raises ValueError.

    `pure` text is no JSON: what looks like it is refused rather than made cells.
    """
    start = visible(text).rstrip()
    if not start.startswith("[") or (pure and not _meant_as_json(start)):
        return rows(text, numbers=numbers)
    cell = in_quotes(re.split(r"[,\t\n]", start, maxsplit=1)[0].strip())
    hint = f"[[…], […]]; a cell that begins with [ goes in quotes: {cell}"
    if pure:
        raise ValueError(
            f"is read as text here and looks like JSON: give JSON with values=… or --json, {hint}"
        )
    try:
        return json_rows(start)
    except ValueError as problem:
        raise ValueError(f"{problem} (rows that begin with [ are read as JSON, {hint})") from None


def _meant_as_json(text: str) -> bool:
    if re.match(r"\[\s*[\[{]", text):
        return True
    try:
        json_rows(text)
    except ValueError:
        return False
    return True


def written(table: Sequence[Sequence[Cell]], *, numbers: bool = True) -> str:
    """Write rows as somebody would type them: a text that reads as a number is in quotes."""
    return "\n".join(
        ", ".join(_written(cell, numbers=numbers, alone=len(row) == 1) for cell in row)
        for row in table
    )


def _written(cell: Cell, *, numbers: bool, alone: bool) -> str:
    if isinstance(cell, str):
        odd = _NEEDS_QUOTES.search(cell) or (numbers and not isinstance(typed_cell(cell), str))
        return '"' + cell.replace('"', '""') + '"' if odd or (alone and not cell) else cell
    if isinstance(cell, TypedNumber):
        return cell.stored
    return json.dumps(cell) if cell is not None else ""


def in_quotes(cell: str) -> str:
    """Show how a cell is written so that it stays text, a long one cut short."""
    shown = cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}…"
    return '"' + shown.replace('"', '""') + '"'


def typed_cell(text: str) -> Cell:
    """Read a cell typed without quotes: 42 and -3.5 are numbers; 007, +1, 1e3 are text."""
    if len(text) > 2 * _MOST_DIGITS or not _NUMERAL.fullmatch(text):
        return text
    if sum(map(str.isdigit, text)) > _MOST_DIGITS or (text[0] == "-" and not float(text)):
        return text
    if "." not in text:
        return int(text)
    return TypedNumber(text) if text.endswith("0") else float(text)


def _separated(text: str) -> list[list[_Piece]]:
    if TAB not in text:
        return _split(text, COMMA)
    try:
        table = _split(text, COMMA)
    except ValueError:
        pass  # a cell of a pasted table may hold a comma and a quote after it
    else:
        if not any(TAB in piece.text for row in table for piece in row if not piece.quoted):
            return table
    table = _split(text, TAB)
    for number, row in enumerate(table, 1):
        if len(row) == 1 and not row[0].quoted and COMMA in row[0].text:
            raise ValueError(
                f"has tabs in some rows and commas in row {number}: put tabs, or commas, between"
                f" the cells of every row; a cell that holds a comma goes in quotes:"
                f" {in_quotes(row[0].text.strip())}"
            )
    return table


def _split(text: str, separator: str) -> list[list[_Piece]]:
    after = rf"[ ]*+(?=[{separator}\n]|\Z)"
    quoted = re.compile(rf'[ ]*+(?:"([^"]*+(?:""[^"]*+)*+)"|“([^“”]*+)”){after}')
    plain = re.compile(rf"[^{separator}\n]*+")
    table: list[list[_Piece]] = [[]]
    at = 0
    while True:
        if match := quoted.match(text, at):
            straight, curly = match.groups()
            inner = curly if straight is None else straight.replace('""', '"')
            table[-1].append(_Piece(inner, quoted=True))
        else:
            match = plain.match(text, at)
            assert match is not None  # noqa: S101 - it matches nothing, too
            if match[0].lstrip(" ").startswith('"'):
                raise ValueError(_ODD_QUOTES)
            table[-1].append(_Piece(match[0], quoted=False))
        at = match.end()
        if at == len(text):
            break
        if text[at] == "\n":
            table.append([])
        at += 1
    if separator == COMMA:
        for row in table:
            _refuse_other_quotes(row)
    return table


def _refuse_other_quotes(row: list[_Piece]) -> None:
    """Raise ValueError where marks that protect nothing stand round several cells."""
    closers = ""
    for piece in row:
        text = "" if piece.quoted else piece.text.strip()
        if own := _OTHER_QUOTES.get(text[:1]):
            closers = "" if text[1:].endswith(tuple(own)) else own
        elif closers and text.endswith(tuple(closers)):
            raise ValueError(
                'has a comma between other quotes than "…" and “…”, which part cells: write'
                ' "…" round the cell that holds it'
            )


def _blank(row: list[_Piece]) -> bool:
    return len(row) == 1 and not row[0].quoted and not row[0].text.strip()
