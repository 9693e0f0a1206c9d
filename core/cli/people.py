"""Who may: plans, callers, HTTP tokens and paired phones."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.callers import ADDRESSED_SURFACE, Caller
from core.cli import options
from core.cli.pair import PairGroup
from core.errors import Fault, InvalidInput, NotFound
from core.plain import plain_line
from core.reports import iso, known

if TYPE_CHECKING:
    from core.cli.session import Session
    from core.ledger.records import Person, Token


class Plan(StrEnum):
    """What a caller may do in a day."""

    FREE = "free"
    PRO = "pro"


def register(app: typer.Typer) -> None:
    """Add the commands about people to the command line."""
    plan = typer.Typer(help="What a caller may do in a day.")
    plan.command("set")(plan_set)
    token = typer.Typer(help="Tokens for HTTP.")
    token.command("new")(token_new)
    token.command("list")(token_list)
    token.command("revoke")(token_revoke)
    pair = typer.Typer(cls=PairGroup, help="Let a person in who is known by nothing but a phone.")
    app.add_typer(plan, name="plan")
    app.command("callers")(callers)
    app.add_typer(token, name="token")
    app.add_typer(pair, name="pair")
    app.command("unpair")(unpair)


def plan_set(
    ctx: typer.Context,
    caller: Annotated[str, typer.Argument(metavar="CALLER", help="As in: levqor callers")],
    plan: Annotated[
        Plan, typer.Argument(metavar="free|pro", help="One run per action and day, or no limit.")
    ],
    output: options.Output = options.Format.TEXT,
) -> None:
    """Put a caller on a plan, whatever LEVQOR_DEFAULT_PLAN says."""
    asked = options.session(ctx)
    who = str(_one_caller(asked, caller))
    asked.ledger.set_plan(who, plan)
    asked.out.answer(
        {"caller": who, "plan": plan}, lambda: asked.out.line(f"{who} is on the {plan} plan.")
    )
    asked.say_home()


def callers(ctx: typer.Context, output: options.Output = options.Format.TEXT) -> None:
    """List who has asked, latest first."""
    asked = options.reading(ctx)
    found = asked.ledger.callers()

    def draw() -> None:
        if not found:
            asked.out.line("Nobody has asked for anything yet.")
            return
        asked.out.table(
            ("caller", "plan", "last seen", "paired"),
            [(p.caller, p.plan, _ago(p.last_seen), "yes" if p.paired_at else "") for p in found],
            drop=("paired", "last seen", "plan"),
        )

    asked.out.answer({"callers": [_person(p) for p in found]}, draw)


def _ago(at: float) -> str:
    from core import wording

    return wording.ago(time.time() - at)


def _person(person: Person) -> dict[str, Any]:
    return known(
        {
            "caller": person.caller,
            "plan": person.plan,
            "first_seen": iso(person.first_seen),
            "last_seen": iso(person.last_seen),
            "paired_at": iso(person.paired_at),
        }
    )


def token_new(
    ctx: typer.Context,
    label: Annotated[
        str, typer.Argument(metavar="LABEL", help="Whose it is: small letters, digits, dashes.")
    ],
    plan: Annotated[
        Plan | None,
        typer.Option("--plan", metavar="free|pro", help="LEVQOR_DEFAULT_PLAN unless given."),
    ] = None,
    admin: Annotated[bool, typer.Option("--admin", help="May see every caller's runs.")] = False,
    output: options.Output = options.Format.TEXT,
) -> None:
    """Make a token; it is shown this once."""
    asked = options.session(ctx)
    token = asked.ledger.token_new(label, plan=plan, admin=admin)
    caller = f"{ADDRESSED_SURFACE}:{label}"
    begins = asked.ledger.plan(caller)

    def draw() -> None:
        asked.out.line(token)
        asked.out.note(
            f"Keep it now: it is not shown again. It asks as {caller}, on the {begins} plan."
            " It works only with a levqor-bot whose home is this one."
        )

    asked.out.answer({"token": token, "label": label, "plan": begins}, draw)
    asked.say_home()


def token_list(ctx: typer.Context, output: options.Output = options.Format.TEXT) -> None:
    """List the tokens, without the tokens."""
    asked = options.reading(ctx)
    found = asked.ledger.tokens()

    def draw() -> None:
        if not found:
            asked.out.line("There are no tokens. Make one: levqor token new LABEL")
            return
        asked.out.table(
            ("label", "plan", "admin", "made", "revoked"),
            [
                (
                    t.label,
                    t.plan,
                    "yes" if t.admin else "",
                    _ago(t.created_at),
                    _ago(t.revoked_at) if t.revoked_at else "",
                )
                for t in found
            ],
            drop=("made", "admin", "plan", "revoked"),
            styles=lambda row: "dim" if found[row].revoked_at else "",
        )

    asked.out.answer({"tokens": [_token(t) for t in found]}, draw)


def _token(token: Token) -> dict[str, Any]:
    return known(
        {
            "label": token.label,
            "plan": token.plan,
            "admin": token.admin,
            "created_at": iso(token.created_at),
            "revoked_at": iso(token.revoked_at),
        }
    )


def token_revoke(
    ctx: typer.Context,
    label: Annotated[str, typer.Argument(metavar="LABEL")],
    output: options.Output = options.Format.TEXT,
) -> None:
    """End a token at once."""
    asked = options.session(ctx)
    asked.ledger.token_revoke(label)
    asked.out.answer(
        {"label": label, "revoked": True},
        lambda: asked.out.line(f"The token {label} is not valid any more."),
    )
    asked.say_home()


def unpair(
    ctx: typer.Context,
    caller: Annotated[str, typer.Argument(metavar="CALLER", help="As in: levqor callers")],
    output: options.Output = options.Format.TEXT,
) -> None:
    """Take a pairing back."""
    asked = options.session(ctx)
    who = _caller(caller)
    asked.ledger.unpair(str(who))
    asked.out.answer(
        {"caller": str(who), "paired": False}, lambda: asked.out.line(f"{who} is not paired now.")
    )
    asked.say_home()


def _one_caller(asked: Session, text: str) -> Caller:
    """Read a caller a plan can be for; raises InvalidInput, NotFound."""
    try:
        shapes = {one.name: one.caller for one in asked.settings.interfaces if one.caller}
        caller = Caller.one(text, shapes)
    except ValueError as error:
        raise InvalidInput(
            [Fault("caller", str(error))],
            f"{plain_line(text, 80)} is not a single caller; no plan was changed.",
            fix="See who has asked with: levqor callers. The plan of everybody else is set in "
            "LEVQOR_DEFAULT_PLAN.",
        ) from None
    labels = {token.label for token in asked.ledger.tokens() if not token.revoked_at}
    if caller.surface == ADDRESSED_SURFACE and caller.known and caller.id not in labels:
        raise NotFound(
            f"There is no token {caller.id}; no plan was changed.",
            fix=f"Make it with: levqor token new {caller.id} --plan pro",
        )
    return caller


def _caller(text: str) -> Caller:
    try:
        return Caller.parse(text)
    except ValueError as error:
        raise InvalidInput(
            [Fault("caller", str(error))],
            "That names no caller.",
            fix="See who has asked with: levqor callers",
        ) from None
