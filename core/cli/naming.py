"""What `levqor init` offers to name: the first admin, and targets from what services can list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.callers import LABEL
from core.errors import LevqorError
from core.plain import plain_line
from core.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.cli.questions import Questions
    from core.cli.session import Session
    from core.contract import Connector


def first_admin(session: Session, ask: Questions, *, flag: bool | None) -> None:
    """Add who sits here as a person and admin, where nobody was added yet."""
    if session.ledger.people():
        return
    caller = str(session.caller)
    if not ask.yes("Add yourself as the first admin?", flag=flag, default=True):
        return
    name = name_of(session.caller.id) or "admin"
    session.ledger.person_add(name, [caller], by=caller, role=Role.ADMIN)
    session.out.line(
        f"You are {name}. From a chat, link yourself with: levqor people link {name} CALLER"
        " (whoami there shows yours)."
    )


def targets(
    session: Session, ask: Questions, connectors: Sequence[Connector], *, flag: bool | None
) -> None:
    """Offer to name destinations that the services list, such as their channels and chats."""
    from core.engine import targets

    out = session.out
    if not (ask.asks if flag is None else flag):
        return
    for connector, action_id, field, found in _listed(session, ask, connectors):
        if ask.asks:
            out.line(f"\n{connector.title}: where may messages, pages or rows go?", "bold")
            for number, (_, label) in enumerate(found, 1):
                out.line(f"  {number}  {plain_line(label, 60)}")
        for value, label in _chosen(ask, found):
            name = _free(session, name_of(label) or f"{connector.name}-target")
            if ask.asks:
                name = ask.text(f"  A name for {plain_line(label, 40)} [{name}]") or name
            try:
                targets.add(
                    session.engine, name, action_id, {field: value}, ask.account, by=session.caller
                )
            except LevqorError as error:
                out.error(error)
            else:
                out.line(f"{out.mark(True)} target={name} is {plain_line(label, 60)}.", "green")


def _listed(
    session: Session, ask: Questions, connectors: Sequence[Connector]
) -> Iterator[tuple[Connector, str, str, list[tuple[str, str]]]]:
    """What each service can list that has no name yet: connector, action, field, choices."""
    from core.engine.targets import listers

    named = {(t.action, *t.fields.items()) for t in session.ledger.targets()}
    for connector in connectors:
        for action in connector.actions:
            action_id = connector.action_id(action)
            for field, lister in listers(connector, action).items():
                listed = ask.listed(connector, lister, {})
                new = [each for each in listed if (action_id, (field, each[0])) not in named]
                if new:
                    yield connector, action_id, field, new


def _chosen(ask: Questions, found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Which of them get a name: all for a script, else those a person names."""
    if not ask.asks:
        return found
    numbers = {str(number): each for number, each in enumerate(found, 1)}
    while True:
        words = ask.text("Which get a name? Numbers with commas, or all [none]").lower()
        if words == "all":
            return found
        typed = [each for each in re.split(r"[\s,]+", words) if each not in ("", "-", "none")]
        if numbers.keys() >= set(typed):
            return [numbers[each] for each in dict.fromkeys(typed)]
        ask.say(f"Write numbers from 1 to {len(found)}, all, or nothing.")


def name_of(label: str) -> str | None:
    """A short name for something: its letters and digits, in ASCII; None where it has none."""
    from core.contract import folded

    name = re.sub(r"[^a-z0-9]+", "-", folded(label).casefold()).strip("-0123456789")[:40]
    return name if LABEL.fullmatch(name) else None


def _free(session: Session, name: str) -> str:
    taken = {target.name for target in session.ledger.targets()}
    return next(
        each for each in (name, *(f"{name[:36]}-{n}" for n in range(2, 999))) if each not in taken
    )
