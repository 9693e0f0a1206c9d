"""Keeping the database: `levqor backup`, `restore`, `prune`, `home move`."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from core.cli import options
from core.errors import LedgerError
from core.home_key import key_check, key_file
from core.plain import agreeing, counted


def backup(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", dir_okay=False, help="A file that does not exist yet.")
    ],
    output: options.Output = None,
) -> None:
    """Copy the database to a new file; Levqor can keep running."""
    session = options.session(ctx)
    with session.out.waiting("copying the database"):
        # What has no outcome in a copy is unknown for good: settle what dead processes left.
        with suppress(LedgerError):
            session.ledger.recover()
        session.ledger.backup(file)
    size = file.stat().st_size
    key = key_file(session.settings.home, session.settings.app.key_file)
    shown = f"The database is copied to {file} ({size / 1024:.0f} KB)."
    if key.exists():
        shown += f"\nKeep a copy of {key} too: a restore needs it. Settings are not in the backup."
    session.answer({"file": str(file.absolute()), "bytes": size, "key": str(key)}, shown)


def restore(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", exists=True, dir_okay=False, help="A file made with levqor backup."
        ),
    ],
    new_key: Annotated[
        bool,
        typer.Option("--new-key", help="The levqor.key of the backup is lost: go on with another."),
    ] = False,
    output: options.Output = None,
) -> None:
    """Fill an empty database from a backup: levqor.db, or PostgreSQL if it is set up."""
    from core.ledger.restore import opened

    session = options.session(ctx)
    settings = session.settings
    check = key_check(settings.home, settings.app.key_file, make=new_key)
    with session.out.waiting("restoring"), opened(file, check, new_key=new_key) as given:
        restored = given.restore(session.ledger)
    runs, callers, tokens = (
        counted(restored.rows[table], one)
        for table, one in (("runs", "run"), ("callers", "caller"), ("tokens", "token"))
    )
    shown = f"The backup {file} is restored: {runs}, {callers}, {tokens}."
    if restored.unknown:
        were = agreeing(restored.unknown, "was", "were")
        shown += (
            f"\n{counted(restored.unknown, 'run')} had not ended when the backup was made and"
            f" {were} marked unknown: look before you send such a run again."
        )
    if new_key:
        shown += (
            "\nThe fingerprints of the old key are gone. A request that comes again still gets its"
            " first run's answer, even if its text changed; and who sends the same again within a"
            " minute of an old run is not asked."
        )
    body = {
        "file": str(file.absolute()),
        "rows": restored.rows,
        "unknown": restored.unknown,
        "new_key": new_key,
    }
    session.answer(body, shown)


def prune(ctx: typer.Context, output: options.Output = None) -> None:
    """Delete runs older than LEVQOR_KEEP_DAYS, and changes older than LEVQOR_AUDIT_DAYS."""
    session = options.session(ctx)
    days = session.settings.app.keep_days
    with session.out.waiting("deleting old runs"):
        gone = session.ledger.prune(days, session.settings.app.audit_days)
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
    """Move the home folder to its usual place, or to the folder that --home names."""
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
