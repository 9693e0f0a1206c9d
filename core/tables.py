"""Tables that several interfaces show: usage in columns, and rows for a spreadsheet."""

from __future__ import annotations

import calendar
import csv
import datetime as dt
import io
from typing import TYPE_CHECKING

from core.plain import plain_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COUNTED = ("sent", "refused", "not_sent", "unknown")
TIMED = ("p50_ms", "p95_ms")
HEADINGS = {"not_sent": "not sent", "p50_ms": "median ms", "p95_ms": "p95 ms"}


def usage_columns(by: str | None) -> dict[str, str]:
    """The columns of usage by person, action or service, or by day: each one's field."""
    named = {by: "name"} if by else {"day": "day", "service": "connector"}
    title = {"name": "title"} if by == "person" else {}
    counts = (*COUNTED, *(TIMED if by != "person" else ()))
    return named | title | {each: each for each in counts}


def month(text: str) -> tuple[int, float]:
    """How many days a month has that is written 2026-11, and when it ends; raises ValueError."""
    try:
        first = dt.datetime.strptime(text, "%Y-%m").replace(tzinfo=dt.UTC)
    except ValueError:
        raise ValueError("must be a month, written 2026-11") from None
    last = calendar.monthrange(first.year, first.month)[1]
    return last, (first + dt.timedelta(days=last)).timestamp()


def spreadsheet(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV, of whose texts a spreadsheet takes none for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    return text.getvalue()


def _inert(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    # owasp.org/www-community/attacks/CSV_Injection; in some languages the wide signs count too.
    text = plain_line(cell).strip()
    return f"'{text}" if text[:1] in tuple("=+-@\uff1d\uff0b\uff0d\uff20") else text
