"""`levqor health`: which connectors are set up, which are reachable, and what to do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli import options
from core.reports import BROKEN, Verdict

if TYPE_CHECKING:
    from core.cli.output import Output
    from core.reports import ConnectorHealth, Health

STYLES = {
    Verdict.OK: "green",
    Verdict.ATTENTION: "yellow",
    Verdict.FAILING: "red",
    Verdict.UNREACHABLE: "red",
}


def register(app: typer.Typer) -> None:
    """Add `health` to the command line."""
    app.command()(health)


def health(
    ctx: typer.Context,
    live: Annotated[
        bool, typer.Option("--live", help="Ask each service now; sends nothing anybody sees.")
    ] = False,
    output: options.Output = options.Format.TEXT,
) -> None:
    """Show which connectors work, and how to mend the others."""
    asked = options.reading(ctx)
    with asked.out.waiting("asking every service"):
        report = asked.health.report(live=live)
    asked.out.answer(report.body(), lambda: draw(asked.out, report))
    if live and any(detail.verdict in BROKEN for detail in report.detail.values()):
        raise typer.Exit(1)


def draw(out: Output, report: Health) -> None:
    """Print a health report as a table, and under it what to do."""
    from core import wording

    details = list(report.detail.values())
    out.table(
        ("connector", "health", "latency", "last success", "last failure"),
        [_row(detail) for detail in details],
        drop=("latency", "last failure", "last success"),
        styles=lambda number: STYLES.get(details[number].verdict, "dim"),
    )
    out.line(wording.set_up(report))
    for detail in details:
        _draw_more(out, detail)
    for line in wording.closing_lines(report):
        out.line(line)


def _row(detail: ConnectorHealth) -> tuple[str, ...]:
    from core import wording

    return (
        detail.title,
        wording.VERDICTS[detail.verdict].cell,
        "" if detail.latency_ms is None else f"{detail.latency_ms:.0f} ms",
        *(
            wording.ago(time.time() - run.at.timestamp()) if run else ""
            for run in (detail.last_success, detail.last_failure)
        ),
    )


def _draw_more(out: Output, detail: ConnectorHealth) -> None:
    from core import wording

    title, failed = detail.title, detail.last_failure
    if detail.fix:
        out.line(wording.under(title, detail.words))
        out.line(f"    What to do: {detail.fix}")
    for note in detail.notes:
        out.line(f"{title}: {note}")
    if failed:
        out.line(f"{title}, last failure: {failed.message} (levqor why {failed.run})")
