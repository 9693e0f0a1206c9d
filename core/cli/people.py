"""Who may: callers, plans, pairings (`levqor pair NAME`)."""

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
    from core.ledger.records import CallerRecord, TargetRecord

SEE_CALLERS = "To see who has used Levqor, run: levqor callers"
SEE_PEOPLE = "Write a person's name, as levqor people shows it, or a caller: telegram:42"
Plan = Literal["free", "pro"]
Whom = Annotated[
    str,
    typer.Argument(
        metavar="PERSON",
        help="A person's name, as levqor people shows it, or a caller, as levqor callers does.",
    ),
]
CallerId = Annotated[
    str, typer.Argument(metavar="CALLER", help="A person or token, as levqor callers shows it.")
]


def body(record: CallerRecord | TargetRecord) -> dict[str, Any]:
    """A record of the ledger as JSON; its floats are moments."""
    values = asdict(record).items()
    return without_none({name: iso(it) if isinstance(it, float) else it for name, it in values})


def plan_set(
    ctx: typer.Context,
    whom: Whom,
    plan: Annotated[
        Plan, typer.Argument(metavar="free|pro", help="One run per action and day, or no limit.")
    ],
    output: options.Output = None,
) -> None:
    """Put a person on a plan, whatever LEVQOR_DEFAULT_PLAN says."""
    session = options.session(ctx)
    who = named(session, whom)
    session.ledger.set_plan(who, plan, by=str(session.caller))
    kind = "caller" if ":" in who else "person"
    session.answer({kind: who, "plan": plan}, f"{who} is on the {plan} plan.")


def callers(ctx: typer.Context, output: options.Output = None) -> None:
    """List who has used Levqor, latest first."""
    from core.engine.access import everyone

    session = options.reading(ctx)
    roles = {name: who.role for name, who in everyone(session.settings, session.ledger).items()}
    known = [each for each in session.ledger.callers() if each.caller in roles]
    session.answer(
        {"callers": [{**body(each), "role": roles[each.caller]} for each in known]},
        lambda: session.out.table(
            ("caller", "person", "role", "plan", "last seen", "paired"),
            [
                (
                    each.caller,
                    each.person or "",
                    roles[each.caller],
                    each.plan,
                    ago(each.last_seen),
                    "yes" if each.paired_at else "",
                )
                for each in known
            ],
            empty="Nobody has asked for anything yet.",
            drop=("paired", "last seen", "plan", "person", "role"),
        ),
    )


def unpair(ctx: typer.Context, caller: CallerId, output: options.Output = None) -> None:
    """End the pairing that somebody made with levqor pair."""
    session = options.session(ctx)
    who = str(single_caller(session, caller))
    session.ledger.unpair(who, by=str(session.caller))
    session.answer({"caller": who, "paired": False}, f"{who} is not paired now.")


def named(session: Session, text: str) -> str:
    """Read a person's name, or a caller who can exist; raises InvalidInput, NotFound."""
    return str(active_caller(session, text)) if ":" in text else person_named(session, text)


def person_named(session: Session, text: str) -> str:
    """Read the name of a person who is there; raises NotFound."""
    from core.contract import nearest

    names = [person.name for person in session.ledger.people()]
    if text not in names:
        near = nearest(text, names)
        raise NotFound(
            f"There is no person {plain_line(text, 40)}.",
            fix=f"Did you mean {near}?" if near else SEE_PEOPLE,
        )
    return text


def single_caller(session: Session, text: str) -> Caller:
    """Read one caller, of a shape that exists; raises InvalidInput."""
    try:
        shapes = {each.name: each.caller for each in session.settings.interfaces if each.caller}
        return Caller.exact(text, shapes)
    except ValueError as error:
        raise InvalidInput(
            [Fault("caller", str(error))],
            f"{plain_line(text, 80)} is no person or token; nothing was changed.",
            fix=f"{SEE_CALLERS}. What everybody else may do is set in LEVQOR_DEFAULT_PLAN and "
            "LEVQOR_DEFAULT_ROLE.",
        ) from None


def active_caller(session: Session, text: str) -> Caller:
    """Read one caller, whose token is there if it is one; raises InvalidInput, NotFound."""
    caller = single_caller(session, text)
    labels = {token.label for token in session.ledger.tokens() if not token.revoked_at}
    if caller.surface == ADDRESSED_SURFACE and caller.known and caller.id not in labels:
        raise NotFound(
            f"There is no token {caller.id}; nothing was changed.",
            fix=f"Make it with: levqor token new {caller.id}",
        )
    return caller


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
    code, expires = session.ledger.pair_code(interface.name, by=str(session.caller))
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
