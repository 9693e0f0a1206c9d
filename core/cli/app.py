"""The command line's root: what stands before every command."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from core import __version__
from core.callers import Local
from core.cli.options import session

app = typer.Typer(
    name="levqor",
    help="Fire vetted actions at your team's services, and see how each connector is doing.",
    epilog="Try it without any account: levqor --sandbox smoke\n\n"
    "Exit status: 0 done, 1 the service said no or it may not have arrived, 2 wrong input, 3 not"
    " set up, 4 today's call is used, 5 not allowed, 6 busy, 7 a fault of Levqor, 8 done but the"
    " answer could not be printed, 9 done but how it ended could not be written down.",
    # Boxes and colours are for a terminal; a pipe gets plain text.
    rich_markup_mode="rich" if sys.stdout is not None and sys.stdout.isatty() else None,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:  # noqa: FBT001 - the seam is typer's
    if asked:
        typer.echo(f"levqor {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def before(
    ctx: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            "--home",
            metavar="DIR",
            file_okay=False,
            help="The folder with levqor.db, logs and .env (default: LEVQOR_HOME, else one in your"
            " data folder).",
        ),
    ] = None,
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox",
            help="Use the built-in sandbox services: no account, nothing leaves this machine.",
        ),
    ] = False,
    surface: Annotated[Local, typer.Option("--surface", hidden=True)] = Local.CLI,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Take what stands before the command; with no command, show the help."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        return
    asked = session(ctx)
    asked.home_given, asked.in_sandbox, asked.surface = home, sandbox, surface
