"""Usage at the terminal: by day, person, action or service; as a table, JSON or CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from core import tables
from core.cli import options
from core.errors import Fault, InvalidInput
from core.plain import counted
from core.tables import HEADINGS, usage_columns

if TYPE_CHECKING:
    from core.cli.output import Output
    from core.reports import Usage, UsageBy

DAYS = 7


def usage(
    ctx: typer.Context,
    by: Annotated[
        Literal["person", "action", "service"] | None,
        typer.Option("--by", metavar="person|action|service", help="Add up the days for each."),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            "--days", min=1, max=36500, metavar="N", help="How many days, in UTC (default: 7)."
        ),
    ] = None,
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", help="A month, in UTC: 2026-11.")
    ] = None,
    output: Annotated[
        Literal["text", "json", "csv"] | None,
        typer.Option(
            "--output",
            metavar="text|json|csv",
            callback=options.chosen,
            is_eager=True,
            help="Text for people, one JSON document, or rows for a spreadsheet.",
        ),
    ] = None,
) -> None:
    """Count runs by day, person, action or service, and show what is left of your quota today."""
    span, until = (days or DAYS, None) if month is None else _month(month, days)
    session = options.reading(ctx)
    ledger, out, whole = session.engine.ledger, session.out, None
    report: Usage | UsageBy
    if by is None:
        actions = session.engine.action_ids()
        report = whole = ledger.usage_report(span, str(session.caller), actions, until=until)
    else:
        report = ledger.usage_by(by, span, until)
    names = usage_columns(by)
    rows = [[getattr(row, field) for field in names.values()] for row in report.usage]
    if output == "csv":
        out.csv([*names], rows)
        return

    def draw() -> None:
        out.table(
            [HEADINGS.get(name, name) for name in names],
            [[_cell(value) for value in row] for row in rows],
            empty=f"No runs in {month or 'the last ' + counted(span, 'day')}.",
            drop=("p95 ms", "median ms", "name", "unknown", "not sent", "refused"),
        )
        if whole is not None and month is None:
            _draw_quota(out, whole)

    session.answer(report.body(), draw)


def _month(text: str, days: int | None) -> tuple[int, float]:
    """How many days a month has, and when it ends; raises InvalidInput."""
    if days is not None:
        raise InvalidInput([Fault("--month", "goes without --days")])
    try:
        return tables.month(text)
    except ValueError as error:
        raise InvalidInput([Fault("--month", str(error))]) from None


def _cell(value: float | str | None) -> str:
    return f"{value:.0f}" if isinstance(value, float) else "" if value is None else str(value)


def _draw_quota(out: Output, report: Usage) -> None:
    out.line()
    out.line(f"Today, for {report.caller} on the {report.plan} plan:")
    out.table(
        ("action", "used", "limit"),
        [
            (quota.action, str(quota.used), "none" if quota.limit is None else str(quota.limit))
            for quota in report.quota
        ],
    )
