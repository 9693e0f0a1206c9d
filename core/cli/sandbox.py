"""`levqor sandbox`: the sandbox services on a port of their own, until Ctrl-C."""

import os
from typing import Annotated

import typer

from core.cli import options
from core.errors import Fault, InvalidInput


def sandbox(
    ctx: typer.Context,
    port: Annotated[
        int,
        typer.Option(
            "--port",
            min=0,
            max=65535,
            metavar="N",
            help="The port to listen on (default: any free one).",
        ),
    ] = 0,
    output: options.Output = None,
) -> None:
    """Run the sandbox services until Ctrl-C, for another terminal to use."""
    session = options.session(ctx)
    session.prepare()
    from core.sandbox import exports, serve

    out = session.out

    def announce(url: str, settings: dict[str, str]) -> None:
        def draw() -> None:
            out.copyable(f"# The sandbox listens on {url}/")
            out.copyable("# Open that page to see what it receives. Ctrl-C stops it.")
            out.copyable("# Paste these lines into another terminal, and levqor there uses it:")
            out.copyable(exports(settings))

        out.answer({"url": url, "settings": settings}, draw)
        out.people.flush()

    try:
        serve(port, announce)
    except OSError as error:
        raise InvalidInput(
            [Fault("--port", f"{port} cannot be used: {os.strerror(error.errno or 0)}")],
            fix="Choose another port, or leave it out for any free one.",
        ) from None
