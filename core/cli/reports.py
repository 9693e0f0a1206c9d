"""What is known of the services' health, and of the bots."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from core import wording
from core.cli import options
from core.cli.output import Output
from core.reports import BROKEN, Health, Verdict

if TYPE_CHECKING:
    from core.engine import Engine

HEALTH_STYLES = {
    Verdict.OK: "green",
    Verdict.ATTENTION: "yellow",
    Verdict.FAILING: "red",
    Verdict.UNREACHABLE: "red",
}


def ago(at: float | None) -> str:
    """Say how long ago something was; nothing where it was never."""
    return wording.ago(time.time() - at) if at else ""


def health(
    ctx: typer.Context,
    service: options.Service = None,
    live: Annotated[
        bool, typer.Option("--live", help="Check each service now, without sending anything.")
    ] = False,
    output: options.Output = None,
) -> None:
    """Show which services work, and how to fix the others."""
    session = options.reading(ctx)
    session.connectors = options.connectors(service)
    with session.out.waiting("checking the services"):
        report = look(session.engine, service, live=live)
    may = session.engine.authorization
    offered = may.offered(may.access(session.caller))
    session.answer({**report.body(), "offered": offered}, lambda: draw(session.out, report))
    if live and any(detail.verdict in BROKEN for detail in report.detail.values()):
        raise typer.Exit(1)


def bots(ctx: typer.Context, output: options.Output = None) -> None:
    """List the bots that run on this database, and what they differ in."""
    from core.health import bots as running
    from core.interfaces import called

    session = options.reading(ctx)
    report = running(session.ledger)

    def draw() -> None:
        session.out.table(
            ("bot", "version", "started", "reads"),
            [
                (
                    bot.bot,
                    bot.version,
                    ago(bot.since.timestamp()),
                    ", ".join(map(called, bot.reads)),
                )
                for bot in report.bots
            ],
            empty=wording.NO_BOT,
            drop=("started", "version"),
        )
        if lines := [*wording.bots_differ(report)]:
            session.out.line("\n".join(["", *lines]))

    session.answer(report.body(), draw)


def look(engine: Engine, service: str | None, *, live: bool) -> Health:
    """Report on the engine's services; of one alone, with the interface of the same name."""
    from core.health import HealthChecker

    report = HealthChecker(engine).report(live=live)
    if service is None:
        return report
    return replace(
        report,
        inbound={k: v for k, v in report.inbound.items() if k in report.connectors},
        inbound_detail={k: v for k, v in report.inbound_detail.items() if k in report.connectors},
    )


def draw(out: Output, report: Health) -> None:
    """Print a health report: a summary, a table, and under it how to fix what is wrong."""
    details = list(report.detail.values())
    out.line(wording.summary(report), "bold")
    out.line()
    out.table(
        ("service", "health", "latency", "last success", "last failure"),
        [
            (
                detail.title,
                wording.VERDICTS[detail.verdict].cell,
                "" if detail.latency_ms is None else f"{detail.latency_ms:.0f} ms",
                *(
                    ago(run.at.timestamp()) if run else ""
                    for run in (detail.last_success, detail.last_failure)
                ),
            )
            for detail in details
        ],
        drop=("latency", "last failure", "last success"),
        styles=lambda number: HEALTH_STYLES.get(details[number].verdict, "dim"),
    )
    lines = []
    for detail in details:
        title, failed = detail.title, detail.last_failure
        if detail.fix:
            lines.append(wording.titled(title, detail.words))
            lines.append(f"    What to do: {detail.fix}")
        lines += [f"{title}: {note}" for note in detail.notes]
        if failed:
            lines.append(f"{title}, last failure: {failed.message} (levqor why {failed.run})")
    lines += wording.closing_lines(report, "levqor health --live")
    if lines:
        out.line("\n".join(["", *lines]))
