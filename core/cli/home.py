"""`levqor home move`: take a home from where it was to where it is looked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli import options


def register(app: typer.Typer) -> None:
    """Add `home` to the command line."""
    home = typer.Typer(help="The folder with levqor.db, the key, .env and logs.")
    # With one command alone typer would leave its name out.
    home.callback()(lambda: None)
    home.command("move")(move)
    app.add_typer(home, name="home")


def move(
    ctx: typer.Context,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="DIR", file_okay=False, help="The old home (default: this folder)."
        ),
    ] = None,
    output: options.Output = options.Format.TEXT,
) -> None:
    """Move a home to the usual folder, or to the one named with --home before the command."""
    from core.ledger import moving
    from core.settings import home_to_be

    asked = options.session(ctx)
    old, new = (source or Path.cwd()).resolve(), home_to_be(asked.home_given)
    with asked.out.waiting("moving the home"):
        moved = moving.move(old, new)

    def draw() -> None:
        asked.out.line(f"Moved from {old} to {new}:" if moved else f"The move to {new} is done.")
        for name in moved:
            asked.out.line(f"    {name}")

    asked.out.answer({"from": str(old), "to": str(new), "moved": moved}, draw)
    asked.out.note(f"home: {new}")
