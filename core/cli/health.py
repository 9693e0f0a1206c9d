"""`levqor health`: which connectors are set up, which are reachable, and what to do."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli import options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.cli.output import Output

# A connector that is set up and does not work; one that is merely not set up is no failure.
BROKEN = ("failing", "unreachable")
VERDICTS = {
    "ok": "working",
    "attention": "look at this",
    "failing": "not working",
    "unreachable": "unreachable",
    "not_configured": "not set up",
    "unchecked": "not checked",
}
STYLES = {"ok": "green", "attention": "yellow", "failing": "red", "unreachable": "red"}


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
    asked.out.answer(report, lambda: draw(asked.out, report))
    if live and any(detail["verdict"] in BROKEN for detail in report["detail"].values()):
        raise typer.Exit(1)


def draw(out: Output, report: Mapping[str, Any]) -> None:
    """Print a health report as a table, and under it what to do."""
    from core import wording

    details = list(report["detail"].values())
    out.table(
        ("connector", "health", "latency", "last success", "last failure"),
        [_row(detail) for detail in details],
        drop=("latency", "last failure", "last success"),
        styles=lambda number: STYLES.get(details[number]["verdict"], "dim"),
    )
    out.line(wording.set_up(report))
    for detail in details:
        _draw_more(out, detail)
    for surface, words in report["inbound"].items():
        out.line(f"Way in, {surface}: {words}")
    for line in wording.trouble_lines(report):
        out.line(line)


def _row(detail: Mapping[str, Any]) -> tuple[str, ...]:
    latency = detail["latency_ms"]
    return (
        detail["title"],
        VERDICTS.get(detail["verdict"], detail["verdict"]),
        "" if latency is None else f"{latency:.0f} ms",
        _when(detail["last_success"]),
        _when(detail["last_failure"]),
    )


def _draw_more(out: Output, detail: Mapping[str, Any]) -> None:
    from core import wording

    title, failed = detail["title"], detail["last_failure"]
    if detail["fix"]:
        out.line(wording.under(title, detail["words"]))
        out.line(f"    What to do: {detail['fix']}")
    for note in detail["notes"]:
        out.line(f"{title}: {note}")
    if failed:
        out.line(f"{title}, last failure: {failed['message']} (levqor why {failed['run']})")


def _when(run: Mapping[str, Any] | None) -> str:
    from core import wording

    if run is None:
        return ""
    return wording.ago(time.time() - dt.datetime.fromisoformat(run["at"]).timestamp())
