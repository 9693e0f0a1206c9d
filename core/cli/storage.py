"""Keeping the database: `levqor backup`, `levqor prune`, `levqor home move`."""

from pathlib import Path
from typing import Annotated

import typer

from core.cli import options
from core.plain import agreeing, counted


def backup(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", dir_okay=False, help="A file that does not exist yet.")
    ],
    output: options.Output = None,
) -> None:
    """Copy the database to a new file; Levqor may go on running."""
    session = options.session(ctx)
    with session.out.waiting("copying the database"):
        session.ledger.backup(file)
    size = file.stat().st_size
    shown = f"The database is copied to {file} ({size / 1024:.0f} KB)."
    session.answer({"file": str(file.absolute()), "bytes": size}, shown)


def prune(ctx: typer.Context, output: options.Output = None) -> None:
    """Delete runs older than LEVQOR_KEEP_DAYS."""
    session = options.session(ctx)
    days = session.settings.app.keep_days
    with session.out.waiting("deleting old runs"):
        gone = session.ledger.prune(days)
    runs, were = counted(gone, "run"), agreeing(gone, "was", "were")
    shown = f"{runs} older than {counted(days, 'day')} {were} deleted."
    session.answer({"pruned": gone, "keep_days": days}, shown)


def move(
    ctx: typer.Context,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="DIR",
            file_okay=False,
            help="The old home (default: the current folder).",
        ),
    ] = None,
    output: options.Output = None,
) -> None:
    """Move a home to the usual folder, or to the one named with --home before the command."""
    from core.ledger import moving
    from core.settings import home_to_be

    session = options.session(ctx)
    old, new = (source or Path.cwd()).resolve(), home_to_be(session.home_given)
    with session.out.waiting("moving the home"):
        moved = moving.move(old, new)
    heading = f"Moved from {old} to {new}:" if moved else f"The move to {new} is done."
    shown = "\n    ".join([heading, *moved])
    session.out.answer({"from": str(old), "to": str(new), "moved": moved}, shown)
    session.out.note(f"home: {new}")
