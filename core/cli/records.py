"""What the ledger knows: usage, runs, one run's story; copying it and making it smaller."""

from __future__ import annotations

import time
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli import options
from core.counted import agreeing, counted
from core.errors import NotFound

if TYPE_CHECKING:
    from core.ledger import RunRecord

STYLES = {"sent": "green", "refused": "red", "not_sent": "yellow", "unknown": "bold yellow"}


def register(app: typer.Typer) -> None:
    """Add the ledger's commands to the command line."""
    for command in (usage, runs, why, backup, prune):
        app.command()(command)


def usage(
    ctx: typer.Context,
    days: Annotated[
        int, typer.Option("--days", min=1, max=36500, metavar="N", help="How many UTC days.")
    ] = 7,
    output: options.Output = options.Format.TEXT,
) -> None:
    """Count runs by day, and show what is left of your plan today."""
    asked = options.reading(ctx)
    engine = asked.engine
    found = engine.ledger.usage_report(days, str(asked.caller), engine.action_ids())

    def draw() -> None:
        if found.usage:
            asked.out.table(
                (*(name.replace("_", " ") for name in COUNTED), *TIMED.values()),
                [
                    (
                        *(str(getattr(day, name)) for name in COUNTED),
                        *("" if ms is None else f"{ms:.0f}" for ms in (day.p50_ms, day.p95_ms)),
                    )
                    for day in found.usage
                ],
                drop=(*reversed(TIMED.values()), "unknown", "not sent", "refused"),
            )
        else:
            asked.out.line(f"No runs in the last {counted(days, 'day')}.")
        asked.out.line()
        asked.out.line(f"Today, for {found.caller} on the {found.plan} plan:")
        asked.out.table(
            ("action", "used", "limit"),
            [
                (quota.action, str(quota.used), "none" if quota.limit is None else str(quota.limit))
                for quota in found.quota
            ],
        )

    asked.out.answer(found.body(), draw)


COUNTED = ("day", "connector", "sent", "refused", "not_sent", "unknown")
TIMED = {"p50_ms": "typical ms", "p95_ms": "slowest 1 in 20"}


def runs(
    ctx: typer.Context,
    last: Annotated[
        int, typer.Option("--last", min=1, max=10000, metavar="N", help="How many.")
    ] = 20,
    output: options.Output = options.Format.TEXT,
) -> None:
    """List the latest runs of everybody on this home."""
    asked = options.reading(ctx)
    found = asked.engine.ledger.runs(last)

    def draw() -> None:
        if not found:
            asked.out.line("No runs yet. Try: levqor run ACTION --test")
            return
        asked.out.table(
            ("run", "when", "action", "outcome", "ms", "caller", "why"),
            [_row(entry) for entry in found],
            drop=("ms", "caller", "why", "when"),
            styles=lambda number: STYLES.get(found[number].state, ""),
        )

    asked.out.answer({"runs": [entry.report().body() for entry in found]}, draw)


def _row(entry: RunRecord) -> tuple[str, ...]:
    from core import wording

    return (
        entry.run,
        wording.ago(time.time() - entry.at),
        entry.action + (" (test)" if entry.test else ""),
        entry.state.replace("_", " "),
        "" if entry.ms is None else f"{entry.ms:.0f}",
        entry.caller,
        entry.reason or entry.code or "",
    )


def why(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or how it begins.")],
    output: options.Output = options.Format.TEXT,
) -> None:
    """Tell one run's story: what became of it, why, and what to do."""
    from core import wording
    from core.connectors import CONNECTORS

    asked = options.reading(ctx)
    entry = asked.engine.ledger.run(run)
    if entry is None:
        raise NotFound(
            "There is no run by that id on this home.", fix="Its id is in the list: levqor runs"
        )
    told = wording.why(entry, CONNECTORS)
    asked.out.answer({**entry.report().body(), "told": told}, lambda: asked.out.line(told))


def backup(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", dir_okay=False, help="A name that is free.")
    ],
    output: options.Output = options.Format.TEXT,
) -> None:
    """Copy the ledger to a new file, while others go on using it."""
    asked = options.session(ctx)
    with asked.out.waiting("copying the ledger"):
        asked.ledger.backup(file)
    size = file.stat().st_size
    asked.out.answer(
        {"file": str(file.absolute()), "bytes": size},
        lambda: asked.out.line(f"The ledger is copied to {file} ({size / 1024:.0f} KB)."),
    )
    asked.say_home()


def prune(ctx: typer.Context, output: options.Output = options.Format.TEXT) -> None:
    """Forget runs older than LEVQOR_KEEP_DAYS."""
    asked = options.session(ctx)
    days = asked.settings.app.keep_days
    with asked.out.waiting("forgetting old runs"):
        gone = asked.ledger.prune(days)
    asked.out.answer(
        {"pruned": gone, "keep_days": days},
        lambda: asked.out.line(
            f"{counted(gone, 'run')} older than {counted(days, 'day')} {agreeing(gone)} forgotten."
        ),
    )
    asked.say_home()
