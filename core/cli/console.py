"""`levqor open`: a link that signs its reader in to the web console."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli import options


def open_console(
    ctx: typer.Context,
    page: Annotated[
        str,
        typer.Argument(
            metavar="PAGE", help="The page it leads to, for example /runs (default: the overview)."
        ),
    ] = "/",
    end: Annotated[
        bool,
        typer.Option("--end", help="End every session of yours instead, and void your links."),
    ] = False,
    output: options.Output = None,
) -> None:
    """Make a link that signs you in to the web console, once, within ten minutes."""
    from core.signing_in import SIGNED_OUT, sign_in_link

    session = options.session(ctx)
    if end:
        from core.run_filter import callers_here

        callers = callers_here(session.engine, session.caller.id)
        session.ledger.sign_out(callers)
        session.answer({"callers": [*callers]}, SIGNED_OUT)
        return
    made = sign_in_link(session.settings, session.ledger, session.caller, page)

    def draw() -> None:
        session.out.line(f"Open this link in a browser: {made.link}")
        session.out.line(f"It signs in {made.caller}, once, within ten minutes.")

    session.answer(made.body(), draw)
