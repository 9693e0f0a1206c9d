"""What the database knows: the latest runs, one run's story, usage."""

from typing import Annotated

import typer

from core.cli import options
from core.cli.people import ago
from core.errors import NotFound
from core.plain import counted

STYLES = {"sent": "green", "refused": "red", "not_sent": "yellow", "unknown": "bold yellow"}
COUNTED = ("day", "connector", "sent", "refused", "not_sent", "unknown")
TIMED = ("median ms", "p95 ms")


def usage(
    ctx: typer.Context,
    days: Annotated[
        int,
        typer.Option(
            "--days", min=1, max=36500, metavar="N", help="How many days, in UTC (default: 7)."
        ),
    ] = 7,
    output: options.Output = None,
) -> None:
    """Count runs by day, and show what is left of your quota today."""
    session = options.reading(ctx)
    engine = session.engine
    report = engine.ledger.usage_report(days, str(session.caller), engine.action_ids())

    def draw() -> None:
        session.out.table(
            ("day", "service", *(name.replace("_", " ") for name in COUNTED[2:]), *TIMED),
            [
                (
                    *(str(getattr(day, name)) for name in COUNTED),
                    *("" if ms is None else f"{ms:.0f}" for ms in (day.p50_ms, day.p95_ms)),
                )
                for day in report.usage
            ],
            empty=f"No runs in the last {counted(days, 'day')}.",
            drop=(*reversed(TIMED), "unknown", "not sent", "refused"),
        )
        session.out.line()
        session.out.line(f"Today, for {report.caller} on the {report.plan} plan:")
        session.out.table(
            ("action", "used", "limit"),
            [
                (quota.action, str(quota.used), "none" if quota.limit is None else str(quota.limit))
                for quota in report.quota
            ],
        )

    session.answer(report.body(), draw)


def runs(
    ctx: typer.Context,
    last: Annotated[
        int,
        typer.Option("--last", min=1, max=10000, metavar="N", help="How many runs (default: 20)."),
    ] = 20,
    output: options.Output = None,
) -> None:
    """List the latest runs of everybody who uses this home."""
    session = options.reading(ctx)
    entries = session.engine.ledger.runs(last)
    session.answer(
        {"runs": [entry.report().body() for entry in entries]},
        lambda: session.out.table(
            ("run", "when", "action", "outcome", "ms", "caller", "why"),
            [
                (
                    entry.run,
                    ago(entry.at),
                    entry.action + (" (test)" if entry.test else ""),
                    entry.state.replace("_", " "),
                    "" if entry.ms is None else f"{entry.ms:.0f}",
                    entry.caller,
                    entry.reason or entry.code or "",
                )
                for entry in entries
            ],
            empty="No runs yet. Try: levqor run ACTION --test",
            drop=("ms", "caller", "why", "when"),
            styles=lambda number: STYLES.get(entries[number].state, ""),
        ),
    )


def why(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's ID, or its first characters.")],
    output: options.Output = None,
) -> None:
    """Explain one run: its outcome, the reason, and how to fix it."""
    from core import wording
    from core.connectors import CONNECTORS

    session = options.reading(ctx)
    entry = session.engine.ledger.run(run)
    if entry is None:
        raise NotFound(
            "There is no run with that ID in this home.", fix="To see the IDs, run: levqor runs"
        )
    story = wording.why(entry, CONNECTORS)
    session.answer({**entry.report().body(), "told": story}, story)
