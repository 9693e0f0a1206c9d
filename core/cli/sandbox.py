"""`levqor sandbox`: the sandbox services on a port of their own, until Ctrl-C."""

import os
import signal
import threading
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
    """Run the sandbox services until Ctrl-C; use them from another terminal."""
    session = options.session(ctx)
    session.prepare()
    from core.sandbox import Sandbox, exports

    out, stopped, signals = session.out, threading.Event(), (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: stopped.set()) for number in signals}
    try:
        with Sandbox(port) as services:
            settings = services.settings()
            lines = (
                f"# The sandbox listens on {services.url}/",
                "# Open that page to see what it receives. Ctrl-C stops it.",
                "# Paste these lines into another terminal, and levqor there uses it:",
                exports(settings),
            )
            body = {"url": services.url, "settings": settings}
            out.answer(body, lambda: out.copyable("\n".join(lines)))
            stopped.wait()
    except OSError as error:
        raise InvalidInput(
            [Fault("--port", f"{port} cannot be used: {os.strerror(error.errno or 0)}")],
            fix="Choose another port, or leave it out for any free one.",
        ) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
