"""Who may: plans, callers, pairings."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from core.callers import ADDRESSED_SURFACE, Caller
from core.cli import options
from core.errors import Fault, InvalidInput, NotFound
from core.plain import plain_line
from core.reports import iso, without_none

if TYPE_CHECKING:
    from core.cli.session import Session

SEE_CALLERS = "See who has asked with: levqor callers"
CallerId = Annotated[str, typer.Argument(metavar="CALLER", help="As in: levqor callers")]


class Plan(StrEnum):
    """What a caller may do in a day."""

    FREE = "free"
    PRO = "pro"


def ago(at: float | None) -> str:
    """Say how long ago something was; nothing where it was never."""
    from core import wording

    return wording.ago(time.time() - at) if at else ""


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
    session.out.answer(
        {"caller": who, "plan": plan}, lambda: session.out.line(f"{who} is on the {plan} plan.")
    )
    session.print_home()


def callers(ctx: typer.Context, output: options.Output = None) -> None:
    """List who has used Levqor, latest first."""
    session = options.reading(ctx)
    people = session.ledger.callers()

    def draw() -> None:
        if not people:
            session.out.line("Nobody has asked for anything yet.")
            return
        session.out.table(
            ("caller", "plan", "last seen", "paired"),
            [(p.caller, p.plan, ago(p.last_seen), "yes" if p.paired_at else "") for p in people],
            drop=("paired", "last seen", "plan"),
        )

    body = [
        without_none(
            {
                "caller": person.caller,
                "plan": person.plan,
                "first_seen": iso(person.first_seen),
                "last_seen": iso(person.last_seen),
                "paired_at": iso(person.paired_at),
            }
        )
        for person in people
    ]
    session.out.answer({"callers": body}, draw)


def unpair(ctx: typer.Context, caller: CallerId, output: options.Output = None) -> None:
    """Revoke what `levqor pair` gave to somebody."""
    session = options.session(ctx)
    try:
        who = str(Caller.parse(caller))
    except ValueError as error:
        raise InvalidInput(
            [Fault("caller", str(error))], "That names no caller.", fix=SEE_CALLERS
        ) from None
    session.ledger.unpair(who)
    session.out.answer(
        {"caller": who, "paired": False}, lambda: session.out.line(f"{who} is not paired now.")
    )
    session.print_home()


def _single_caller(session: Session, text: str) -> Caller:
    """Read a caller a plan can be for; raises InvalidInput, NotFound."""
    try:
        shapes = {each.name: each.caller for each in session.settings.interfaces if each.caller}
        caller = Caller.exact(text, shapes)
    except ValueError as error:
        raise InvalidInput(
            [Fault("caller", str(error))],
            f"{plain_line(text, 80)} is not a single caller; no plan was changed.",
            fix=f"{SEE_CALLERS}. The plan of everybody else is set in LEVQOR_DEFAULT_PLAN.",
        ) from None
    labels = {token.label for token in session.ledger.tokens() if not token.revoked_at}
    if caller.surface == ADDRESSED_SURFACE and caller.known and caller.id not in labels:
        raise NotFound(
            f"There is no token {caller.id}; no plan was changed.",
            fix=f"Make it with: levqor token new {caller.id} --plan pro",
        )
    return caller
