"""Who may: plans, callers, tokens, pairings (`levqor pair NAME`)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from core.callers import ADDRESSED_SURFACE, Caller
from core.cli import options
from core.cli.help import HelpCommand, HelpGroup
from core.cli.reports import ago
from core.errors import Fault, InvalidInput, NotFound
from core.plain import plain_line
from core.reports import iso, without_none

if TYPE_CHECKING:
    from core.cli.session import Session
    from core.contract import Interface
    from core.ledger.records import CallerRecord, Token

SEE_CALLERS = "To see who has used Levqor, run: levqor callers"
Plan = Literal["free", "pro"]
CallerId = Annotated[
    str, typer.Argument(metavar="CALLER", help="A person or token, as levqor callers shows it.")
]


def body(record: CallerRecord | Token) -> dict[str, Any]:
    """A record of the ledger as JSON; its floats are moments."""
    values = asdict(record).items()
    return without_none({name: iso(it) if isinstance(it, float) else it for name, it in values})


def plan_set(
    ctx: typer.Context,
    caller: CallerId,
    plan: Annotated[
        Plan, typer.Argument(metavar="free|pro", help="One run per action and day, or no limit.")
    ],
    output: options.Output = None,
) -> None:
    """Put a person on a plan, whatever LEVQOR_DEFAULT_PLAN says."""
    session = options.session(ctx)
    who = str(_single_caller(session, caller))
    session.ledger.set_plan(who, plan)
    session.answer({"caller": who, "plan": plan}, f"{who} is on the {plan} plan.")


def callers(ctx: typer.Context, output: options.Output = None) -> None:
    """List who has used Levqor, latest first."""
    session = options.reading(ctx)
    people = session.ledger.callers()
    session.answer(
        {"callers": [*map(body, people)]},
        lambda: session.out.table(
            ("caller", "plan", "last seen", "paired"),
            [(p.caller, p.plan, ago(p.last_seen), "yes" if p.paired_at else "") for p in people],
            empty="Nobody has asked for anything yet.",
            drop=("paired", "last seen", "plan"),
        ),
    )


def unpair(ctx: typer.Context, caller: CallerId, output: options.Output = None) -> None:
    """End the pairing that somebody made with levqor pair."""
    session = options.session(ctx)
    try:
        who = str(Caller.parse(caller))
    except ValueError as error:
        raise InvalidInput(
            [Fault("caller", str(error))], "That is no person or token.", fix=SEE_CALLERS
        ) from None
    session.ledger.unpair(who)
    session.answer({"caller": who, "paired": False}, f"{who} is not paired now.")


def _single_caller(session: Session, text: str) -> Caller:
    """Read a caller a plan can be for; raises InvalidInput, NotFound."""
    try:
        shapes = {each.name: each.caller for each in session.settings.interfaces if each.caller}
        caller = Caller.exact(text, shapes)
    except ValueError as error:
        raise InvalidInput(
            [Fault("caller", str(error))],
            f"{plain_line(text, 80)} is no person or token; no plan was changed.",
            fix=f"{SEE_CALLERS}. The plan of everybody else is set in LEVQOR_DEFAULT_PLAN.",
        ) from None
    labels = {token.label for token in session.ledger.tokens() if not token.revoked_at}
    if caller.surface == ADDRESSED_SURFACE and caller.known and caller.id not in labels:
        raise NotFound(
            f"There is no token {caller.id}; no plan was changed.",
            fix=f"Make it with: levqor token new {caller.id} --plan pro",
        )
    return caller


def token_new(
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

    session.answer({"token": token, "label": label, "plan": begins}, draw)


def token_list(ctx: typer.Context, output: options.Output = None) -> None:
    """List tokens (the secrets are not shown)."""
    session = options.reading(ctx)
    tokens = session.ledger.tokens()
    session.answer(
        {"tokens": [*map(body, tokens)]},
        lambda: session.out.table(
            ("label", "plan", "admin", "made", "revoked"),
            [
                (t.label, t.plan, "yes" if t.admin else "", ago(t.created_at), ago(t.revoked_at))
                for t in tokens
            ],
            empty="There are no tokens. Make one: levqor token new LABEL",
            drop=("made", "admin", "plan", "revoked"),
            styles=lambda row: "dim" if tokens[row].revoked_at else "",
        ),
    )


def token_revoke(
    ctx: typer.Context,
    label: Annotated[str, typer.Argument(metavar="LABEL", help="Its name in: levqor token list")],
    output: options.Output = None,
) -> None:
    """Revoke a token; it stops working at once."""
    session = options.session(ctx)
    session.ledger.token_revoke(label)
    text = f"The token {label} is not valid any more."
    session.answer({"label": label, "revoked": True}, text)


class PairGroup(HelpGroup):
    """A command for each interface that pairs people; they are asked for once one is named."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the interfaces."""
        del ctx
        return list(pairable())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Make an interface's command."""
        del ctx
        interface = pairable().get(cmd_name)
        if interface is None:
            return None
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        words = f"Authorize one {interface.title} account with a code that works for ten minutes."
        app.command(cmd_name, cls=HelpCommand, help=words)(pair)
        return typer.main.get_command(app)


def pairable() -> dict[str, Interface]:
    """The interfaces whose people need a code."""
    from core.interfaces import declared

    return {each.name: each for each in declared() if each.pairing}


def pair(ctx: typer.Context, output: options.Output = None) -> None:
    """Make a code for the interface that the command is named for."""
    show_code(options.session(ctx), pairable()[str(ctx.info_name)])


def show_code(session: Session, interface: Interface) -> None:
    """Make a code for an interface, and say what to do with it."""
    pairing = interface.pairing
    assert pairing is not None  # noqa: S101 - the group names no other
    code, expires = session.ledger.pair_code(interface.name)
    own = session.settings.of(interface.settings)
    link = pairing.link(own, code) if pairing.link else None
    message = pairing.message.format(code=code)

    def draw() -> None:
        if link:
            session.out.line(f"Open this link in {interface.title}: {link}")
            session.out.line(f"or send your bot: {message}")
        else:
            session.out.line(f"Send your bot in {interface.title}: {message}")
        session.out.line("The code works once, within ten minutes.")

    session.answer({"code": code, "link": link, "expires_at": iso(expires)}, draw)
