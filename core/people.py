"""People as an admin names and changes them: the same checks on every interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.callers import ADDRESSED_SURFACE, Caller
from core.errors import Fault, InvalidInput, NotFound
from core.plain import plain_line
from core.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.contract import Interface
    from core.ledger import Ledger, PersonRecord
    from core.settings import Settings

SEE_CALLERS = "To see who has used Levqor, run: levqor callers"
SEE_PEOPLE = "Write a person's name, as levqor people shows it, or a caller: telegram:42"
NO_ADMIN = (
    "Nobody is an admin any more but whoever can use this terminal. To make one: "
    "levqor people set NAME --role admin"
)
LONGEST_DISPLAY = 80
# What takes a choice of a role or a plan back.
DEFAULT = "default"


def add(
    settings: Settings,
    ledger: Ledger,
    name: str,
    callers: Iterable[str],
    *,
    by: Caller,
    display: str | None = None,
    role: str | None = None,
    plan: str | None = None,
) -> None:
    """Add a person with their callers; raises InvalidInput, NotFound."""
    theirs = [str(active_caller(settings, ledger, caller)) for caller in callers]
    title = display_name(display)
    ledger.person_add(name, theirs, by=str(by), title=title, role=role, plan=plan)


def change(
    settings: Settings,
    ledger: Ledger,
    whom: str,
    *,
    by: Caller,
    display: str | None = None,
    role: str | None = None,
    plan: str | None = None,
) -> str:
    """Change a person, or a caller nobody has added; what is None stays. Gives who it is.

    A role or a plan that is `default` is taken back. Raises InvalidInput, NotFound.
    """
    who = named(settings, ledger, whom)
    changes: dict[str, str | None] = {
        column: None if value == DEFAULT else value
        for column, value in (("role", role), ("plan", plan))
        if value is not None
    }
    if display is not None:
        if ":" in who:
            fix = f"First add them: levqor people add NAME {who}"
            raise InvalidInput([Fault("--display", "is a person's, and this is a caller")], fix=fix)
        changes["title"] = display_name(display)
    if not changes:
        raise InvalidInput(message="Say what to change: --role, --plan or --display.")
    ledger.person_set(who, by=str(by), **changes)
    return who


def named(settings: Settings, ledger: Ledger, text: str) -> str:
    """Read a person's name, or a caller who can exist; raises InvalidInput, NotFound."""
    if ":" in text:
        return str(active_caller(settings, ledger, text))
    return person_named(ledger, text).name


def person_named(ledger: Ledger, text: str) -> PersonRecord:
    """Look up a person by their name; raises NotFound."""
    from core.contract import nearest

    people = {person.name: person for person in ledger.people()}
    if text not in people:
        near = nearest(text, people)
        raise NotFound(
            f"There is no person {plain_line(text, 40)}.",
            fix=f"Did you mean {near}?" if near else SEE_PEOPLE,
        )
    return people[text]


def single_caller(settings: Settings, text: str) -> Caller:
    """Read one caller, of a shape that exists; raises InvalidInput."""
    try:
        shapes = {each.name: each.caller for each in settings.interfaces if each.caller}
        return Caller.exact(text, shapes)
    except ValueError as error:
        raise InvalidInput(
            [Fault("caller", str(error))],
            f"{plain_line(text, 80)} is no person or token; nothing was changed.",
            fix=f"{SEE_CALLERS}. What everybody else may do is set in LEVQOR_DEFAULT_PLAN and "
            "LEVQOR_DEFAULT_ROLE.",
        ) from None


def active_caller(settings: Settings, ledger: Ledger, text: str) -> Caller:
    """Read one caller, whose token is there if it is one; raises InvalidInput, NotFound."""
    caller = single_caller(settings, text)
    labels = {token.label for token in ledger.tokens() if not token.revoked_at}
    if caller.surface == ADDRESSED_SURFACE and caller.known and caller.id not in labels:
        raise NotFound(
            f"There is no token {caller.id}; nothing was changed.",
            fix=f"Make it with: levqor token new {caller.id}",
        )
    return caller


def display_name(text: str | None) -> str | None:
    """Check a display name; nothing where it is empty."""
    if text is not None and (plain_line(text) != text or len(text) > LONGEST_DISPLAY):
        fault = f"must be one line of at most {LONGEST_DISPLAY} characters"
        raise InvalidInput([Fault("--display", fault)])
    return (text or "").strip() or None


def role_of(settings: Settings, person: PersonRecord) -> str:
    """The role that a person has."""
    admin = any(map(settings.is_admin, person.callers))
    return person.role or (Role.ADMIN if admin else Role.SENDER)


def has_admin(settings: Settings, ledger: Ledger) -> bool:
    """Whether somebody is an admin, and not because they sit at this machine."""
    from core.engine.access import everyone

    return any(
        who.role is Role.ADMIN and not who.sits_here for who in everyone(settings, ledger).values()
    )


def pairable() -> dict[str, Interface]:
    """The interfaces whose people need a code."""
    from core.interfaces import declared

    return {each.name: each for each in declared() if each.pairing}


def pair(
    settings: Settings, ledger: Ledger, interface: Interface, *, by: Caller
) -> tuple[str, str, str | None, float]:
    """Make a code for an interface: (it, what to send with it, a link or None, when it expires)."""
    pairing = interface.pairing
    assert pairing is not None  # noqa: S101 - `pairable` names no other
    code, expires = ledger.pair_code(interface.name, by=str(by))
    link = pairing.link(settings.of(interface.settings), code) if pairing.link else None
    return code, pairing.message.format(code=code), link, expires
