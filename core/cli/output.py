"""What a command prints: tables on a terminal, aligned text in a pipe, or one JSON document."""

from __future__ import annotations

import json
import re
import sys
import textwrap
import threading
from contextlib import contextmanager, suppress
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from core import wording
from core.plain import plain_line, plain_text
from core.streams import NotPrinted
from core.tables import spreadsheet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TextIO

    from rich.console import Console

    from core.engine import Settled
    from core.errors import LevqorError
    from core.settings import Settings

# Anything shorter is over before a person wonders.
PATIENCE_S = 1.0
# What was well, what was not, and neither; then the same without UTF-8.
MARKS = ("✓", "✗", "·", "ok", "!!", "--")
# Between two columns of a table; and narrower than this a text of several words is no use.
_GAP, _LEAST_FOLDED = 2, 20
_WHOLE = re.compile(r'"[^"\n]{1,30}"(?:="[^"\n]{1,30}")?|\brun [0-9a-z]{10}\b|(?<=[Rr]un: )[^\n]+')


class Output:
    """Where a command's answer goes; with `as_json`, standard output holds nothing else."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._answered = False

    @property
    def people(self) -> TextIO:
        """The stream that words for people go to."""
        return sys.stderr if self.as_json else sys.stdout

    def answer(self, body: Mapping[str, Any], shown: str | Callable[[], None]) -> None:
        """Give the answer once: `body` to programs, a text or what a function prints to people."""
        if self.as_json:
            self.document(body)
        elif isinstance(shown, str):
            self.line(shown)
        else:
            shown()

    def document(self, body: Mapping[str, Any]) -> None:
        """Print the one JSON document; indented on a terminal, one line in a pipe."""
        indent = 2 if sys.stdout.isatty() else None
        text = json.dumps(body, ensure_ascii=not _utf8(sys.stdout), indent=indent)
        self._answered = True
        with _printing(sys.stdout):
            sys.stdout.write(text + "\n")

    def record(self, body: Mapping[str, Any]) -> None:
        """Print one JSON document of several, each on a line of its own."""
        text = json.dumps(body, ensure_ascii=not _utf8(sys.stdout))
        self._answered = True
        with _printing(sys.stdout):
            sys.stdout.write(text + "\n")

    def csv(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print rows for a spreadsheet, which must take none of their texts for a formula."""
        with _printing(sys.stdout):
            sys.stdout.write(spreadsheet(columns, rows))

    def mark(self, good: bool | None) -> str:  # noqa: FBT001 - the mark of a yes, a no, neither
        """A sign to begin a line with."""
        signs = MARKS[:3] if _utf8(self.people) else MARKS[3:]
        return signs[2 if good is None else not good]

    def line(self, text: str = "", style: str = "") -> None:
        """Say something to the person who asked."""
        _write(self.people, text, style)

    def copyable(self, text: str) -> None:
        """Print lines that somebody pastes elsewhere: whatever their length, never broken."""
        with _printing(self.people):
            self.people.write(plain_text(text) + "\n")

    def note(self, text: str) -> None:
        """Say something beside the answer: always on standard error."""
        _write(sys.stderr, text, "dim")

    def error(self, error: LevqorError) -> None:
        """Say what went wrong and what to do, or give its JSON body."""
        if self.as_json and not self._answered and not isinstance(error, NotPrinted):
            with suppress(NotPrinted):
                self.document(error.body())
                return
        # A reader who has gone took what he wanted.
        if not (isinstance(error, NotPrinted) and error.quiet):
            _write(sys.stderr, wording.refusal(error), "red")

    def settled(self, settled: Settled, settings: Settings) -> None:
        """Say how a run ended: a receipt, or what went wrong and what to do."""
        from core.story import ended

        try:
            if self.as_json:
                self.document(settled.body())
                return
            if settled.error is None:
                _write(sys.stdout, ended(settings, settled), "green")
                return
        except NotPrinted as lost:
            if settled.error is None:
                raise NotPrinted(lost.problem, run=settled.run) from None
        _write(sys.stderr, ended(settings, settled), "red")

    def table(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        empty: str = "",
        drop: Sequence[str] = (),
        folds: str | None = None,
        styles: Callable[[int], str] | None = None,
    ) -> None:
        """Print rows of text under their column names; `styles` colours a row by its number.

        Where there are no rows, `empty` says so. On a narrow terminal the columns of `drop` are
        left out, the first one first, and the words of the column `folds` go on in the next line.
        """
        if empty and not rows:
            self.line(empty)
            return
        cells = [[plain_line(cell) for cell in row] for row in rows]
        if not self.people.isatty():
            with _printing(self.people):
                for line in aligned([[name.upper() for name in columns], *cells]):
                    self.people.write(line + "\n")
            return
        from rich import box
        from rich.table import Table
        from rich.text import Text

        widths = _widths(columns, cells, folds)
        console = terminal(self.people)
        gone = 0
        while gone < len(drop) and _needed(widths, drop[:gone]) > console.width:
            gone += 1
        # What does not fit even so is left whole, for the terminal to go on with in the next line.
        console.width = max(console.width, _needed(widths, drop[:gone]))
        table = Table(
            box=box.SIMPLE_HEAD, show_edge=False, header_style="bold", padding=(0, _GAP - 1, 0, 0)
        )
        kept = [number for number, name in enumerate(columns) if name not in drop[:gone]]
        for number in kept:
            table.add_column(columns[number], no_wrap=columns[number] != folds, overflow="fold")
        for number, row in enumerate(cells):
            table.add_row(*(Text(row[k]) for k in kept), style=styles(number) if styles else "")
        with _printing(self.people):
            console.print(table)
        if gone:
            self.line(f"\nNo room for: {', '.join(drop[:gone])} (--output json has all).", "dim")

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show a progress line while the block runs, if a person watches and it takes long."""
        if not sys.stderr.isatty():
            yield
            return
        status = terminal(sys.stderr).status(what)
        timer = threading.Timer(PATIENCE_S, status.start)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            status.stop()


def terminal(stream: TextIO) -> Console:
    """The terminal that a stream leads to, at least one column wide."""
    from rich.console import Console

    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    if not console.width:
        # What COLUMNS=0 says; where it says nothing, 80 unless the terminal knows better.
        console.width = get_terminal_size().columns
    return console


def _utf8(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "") == "utf8"


@contextmanager
def _printing(stream: TextIO) -> Iterator[None]:
    """Raise NotPrinted where an answer cannot be written; whoever closed stderr lacks nothing."""
    try:
        yield
        stream.flush()
    except OSError as problem:
        if stream is not sys.stderr:
            raise NotPrinted(problem) from None


def _write(stream: TextIO, text: str, style: str) -> None:
    text = plain_text(text)
    with _printing(stream):
        if not stream.isatty():
            stream.write(text + "\n")
            return
        console = terminal(stream)
        console.print(wrapped(text, console.width), style=style or None, soft_wrap=True)


def wrapped(text: str, width: int) -> str:
    """Break long lines between words, under their own indent; what is copied stays whole.

    After a mark, as `Output.mark` makes it, the rest hangs under the words.
    """
    lines: list[str] = []
    for line in unbroken(text).splitlines() or [""]:
        lead = line[: len(line) - len(line.lstrip())]
        mark = next((one for one in MARKS if line.startswith(f"{one} ")), "")
        lines += textwrap.wrap(
            line.lstrip(),
            width,
            initial_indent=lead,
            subsequent_indent=lead + " " * len(f"{mark} " if mark else ""),
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(lines).replace("\0", " ")


def unbroken(text: str) -> str:
    """Mark the blanks that `wrapped` leaves alone: in a name, a run and its ID, a command."""
    return _WHOLE.sub(lambda match: match[0].replace(" ", "\0"), text)


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lay rows out in columns two spaces apart, each row on one line."""
    flat = [[" ".join(plain_line(cell).split()) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*flat, strict=True)]
    for row in flat:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _widths(
    columns: Sequence[str], rows: Sequence[Sequence[str]], folds: str | None
) -> dict[str, int]:
    from rich.cells import cell_len

    widths = {column[0]: max(map(cell_len, column)) for column in zip(columns, *rows, strict=True)}
    if folds:
        widths[folds] = min(widths[folds], max(_LEAST_FOLDED, cell_len(folds)))
    return widths


def _needed(widths: dict[str, int], dropped: Sequence[str]) -> int:
    # The last column, too, has a blank at its right.
    return sum(width + _GAP for name, width in widths.items() if name not in dropped) - 1
