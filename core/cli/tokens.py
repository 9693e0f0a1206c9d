"""`levqor token`: tokens for HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from core.callers import ADDRESSED_SURFACE
from core.cli import options
from core.cli.people import Plan, ago, body


def new(
    ctx: typer.Context,
    label: Annotated[
        str,
        typer.Argument(
            metavar="LABEL", help="A name for the token: small letters, digits and dashes."
        ),
    ],
    plan: Annotated[
        Plan | None,
        typer.Option(
            "--plan", metavar="free|pro", help="The token's plan (default: LEVQOR_DEFAULT_PLAN)."
        ),
    ] = None,
    admin: Annotated[
        bool, typer.Option("--admin", help="The token may see everybody's runs.")
    ] = False,
    output: options.Output = None,
) -> None:
    """Make a token; it is shown only once."""
    session = options.session(ctx)
    token = session.ledger.token_new(label, plan=plan, admin=admin)
    caller = f"{ADDRESSED_SURFACE}:{label}"
    begins = session.ledger.plan(caller)

    def draw() -> None:
        session.out.line(token)
        session.out.note(
            f"Keep it now: it is not shown again. Its runs are those of {caller}, on the {begins}"
            " plan. It works only with a levqor-bot that uses this home."
        )

    session.out.answer({"token": token, "label": label, "plan": begins}, draw)
    session.print_home()


def listed(ctx: typer.Context, output: options.Output = None) -> None:
    """List tokens (the secrets are not shown)."""
    session = options.reading(ctx)
    tokens = session.ledger.tokens()

    def draw() -> None:
        if not tokens:
            session.out.line("There are no tokens. Make one: levqor token new LABEL")
            return
        session.out.table(
            ("label", "plan", "admin", "made", "revoked"),
            [
                (t.label, t.plan, "yes" if t.admin else "", ago(t.created_at), ago(t.revoked_at))
                for t in tokens
            ],
            drop=("made", "admin", "plan", "revoked"),
            styles=lambda row: "dim" if tokens[row].revoked_at else "",
        )

    session.out.answer({"tokens": [*map(body, tokens)]}, draw)


def revoke(
    ctx: typer.Context,
    label: Annotated[str, typer.Argument(metavar="LABEL", help="Its name in: levqor token list")],
    output: options.Output = None,
) -> None:
    """Revoke a token; it stops working at once."""
    session = options.session(ctx)
    session.ledger.token_revoke(label)
    session.out.answer(
        {"label": label, "revoked": True},
        lambda: session.out.line(f"The token {label} is not valid any more."),
    )
    session.print_home()
