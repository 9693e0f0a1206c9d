"""Who may: callers, plans, pairings (`levqor pair NAME`)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from core import people
from core.cli import options
from core.cli.help import HelpCommand, HelpGroup
from core.cli.reports import ago
from core.reports import iso, without_none

if TYPE_CHECKING:
    from core.cli.session import Session
    from core.contract import Interface
    from core.ledger.records import CallerRecord, TargetRecord

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
    who = people.named(session.settings, session.ledger, whom)
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
    who = str(people.single_caller(session.settings, caller))
    session.ledger.unpair(who, by=str(session.caller))
    session.answer({"caller": who, "paired": False}, f"{who} is not paired now.")


class PairGroup(HelpGroup):
    """A command for each interface that pairs people; they are asked for once one is named."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the interfaces."""
        del ctx
        return list(people.pairable())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Make an interface's command."""
        del ctx
        interface = people.pairable().get(cmd_name)
        if interface is None:
            return None
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        words = f"Authorize one {interface.title} account with a code that works for ten minutes."
        app.command(cmd_name, cls=HelpCommand, help=words)(pair)
        return typer.main.get_command(app)


def pair(ctx: typer.Context, output: options.Output = None) -> None:
    """Make a code for the interface that the command is named for."""
    show_code(options.session(ctx), people.pairable()[str(ctx.info_name)])


def show_code(session: Session, interface: Interface) -> None:
    """Make a code for an interface, and say what to do with it."""
    code, message, link, expires = people.pair(
        session.settings, session.ledger, interface, by=session.caller
    )

    def draw() -> None:
        if link:
            session.out.line(f"Open this link in {interface.title}: {link}")
            session.out.line(f"or send your bot: {message}")
        else:
            session.out.line(f"Send your bot in {interface.title}: {message}")
        session.out.line("The code works once, within ten minutes.")

    session.answer({"code": code, "link": link, "expires_at": iso(expires)}, draw)
