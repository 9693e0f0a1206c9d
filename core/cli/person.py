"""`levqor people`: who is who, and what they may do."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from core.callers import ADDRESSED_SURFACE, Caller
from core.cli import options
from core.cli.people import Plan, Whom, active_caller, named, person_named, single_caller
from core.cli.reports import ago
from core.errors import Fault, InvalidInput
from core.plain import counted, plain_line
from core.reports import iso, without_none
from core.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.cli.session import Session
    from core.ledger import PersonRecord

LONGEST_DISPLAY = 80
DEFAULT = "default"
_MAKE_ADMIN = "levqor people set NAME --role admin"

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="A short name for the person: small letters, digits and dashes."
    ),
]
CallerId = Annotated[
    str, typer.Argument(metavar="CALLER", help="As levqor callers shows it: telegram:42")
]
Display = Annotated[
    str | None,
    typer.Option("--display", metavar="NAME", help='How lists show them, e.g. "Ann Example".'),
]
_ROLES = "none, viewer (health and own runs), sender, or admin"
NewRole = Annotated[
    Literal["none", "viewer", "sender", "admin"] | None,
    typer.Option("--role", metavar="ROLE", help=f"{_ROLES} (default: sender)."),
]
NewPlan = Annotated[
    Plan | None,
    typer.Option("--plan", metavar="free|pro", help="Their plan (default: LEVQOR_DEFAULT_PLAN)."),
]
SetRole = Annotated[
    Literal["none", "viewer", "sender", "admin", "default"] | None,
    typer.Option("--role", metavar="ROLE", help=f"{_ROLES}; default takes a choice back."),
]
SetPlan = Annotated[
    Literal["free", "pro", "default"] | None,
    typer.Option("--plan", metavar="PLAN", help="free or pro; default takes a choice back."),
]


def people_list(ctx: typer.Context, output: options.Output = None) -> None:
    """List the people somebody has added."""
    session = options.reading(ctx)
    people = session.ledger.people()
    bodies = [body(session, person) for person in people]
    session.answer(
        {"people": bodies},
        lambda: session.out.table(
            ("name", "shown as", "role", "plan", "last seen", "callers"),
            [
                (
                    person.name,
                    person.title or "",
                    each["role"],
                    each["plan"],
                    ago(person.seen_at),
                    ", ".join(person.callers),
                )
                for person, each in zip(people, bodies, strict=True)
            ],
            empty="Nobody has been added. Add somebody with: levqor people add NAME CALLER",
            drop=("last seen", "shown as", "plan"),
            folds="callers",
        ),
    )


def people_add(
    ctx: typer.Context,
    name: Name,
    callers: Annotated[
        list[str] | None,
        typer.Argument(metavar="CALLER", help="Who they are on each interface: telegram:42"),
    ] = None,
    display: Display = None,
    role: NewRole = None,
    plan: NewPlan = None,
    output: options.Output = None,
) -> None:
    """Add a person, with their callers if you know them."""
    session = options.session(ctx)
    theirs = [str(active_caller(session, caller)) for caller in callers or ()]
    title = _display(display) if display is not None else _profile_name(session, theirs)
    with _admins_watched(session):
        session.ledger.person_add(
            name, theirs, by=str(session.caller), title=title, role=role, plan=plan
        )
    _answer(session, name, "is added: ")


def people_set(
    ctx: typer.Context,
    whom: Whom,
    role: SetRole = None,
    plan: SetPlan = None,
    display: Display = None,
    output: options.Output = None,
) -> None:
    """Change what a person, or a caller nobody has added, may do."""
    session = options.session(ctx)
    who = named(session, whom)
    changes: dict[str, str | None] = {
        column: None if value == DEFAULT else value
        for column, value in (("role", role), ("plan", plan))
        if value is not None
    }
    if display is not None:
        if ":" in who:
            fix = f"First add them: levqor people add NAME {who}"
            raise InvalidInput([Fault("--display", "is a person's, and this is a caller")], fix=fix)
        changes["title"] = _display(display)
    if not changes:
        raise InvalidInput(message="Say what to change: --role, --plan or --display.")
    with _admins_watched(session):
        session.ledger.person_set(who, by=str(session.caller), **changes)
    _answer(session, who, "is ")


def people_link(
    ctx: typer.Context, name: Name, caller: CallerId, output: options.Output = None
) -> None:
    """Make a caller one of a person's: they share one quota, role and plan."""
    session = options.session(ctx)
    who = str(active_caller(session, caller))
    with _admins_watched(session):
        session.ledger.person_link(person_named(session, name), who, by=str(session.caller))
    _answer(session, name, f"is {who} too now. What either sent today counts for both: ")


def people_unlink(ctx: typer.Context, caller: CallerId, output: options.Output = None) -> None:
    """Make a caller a person of its own again, with the role and plan it had."""
    session = options.session(ctx)
    who = str(single_caller(session, caller))
    with _admins_watched(session):
        session.ledger.person_unlink(who, by=str(session.caller))
    _answer(session, who, "is a person of its own now: ")


def people_remove(ctx: typer.Context, name: Name, output: options.Output = None) -> None:
    """Delete a person; their callers may do nothing from now on, their tokens are revoked."""
    session = options.session(ctx)
    with _admins_watched(session):
        callers = session.ledger.person_remove(person_named(session, name), by=str(session.caller))
    lines = [f"{name} is removed."]
    if callers:
        lines.append(f"Who may do nothing from now on: {', '.join(callers)}.")
        lines.append("To allow one again: levqor people set CALLER --role sender")
    prefix = f"{ADDRESSED_SURFACE}:"
    tokens = [caller.removeprefix(prefix) for caller in callers if caller.startswith(prefix)]
    if tokens:
        lines.append(f"{counted(len(tokens), 'token')} revoked: {', '.join(tokens)}.")
    answer = {"name": name, "removed": True, "callers": callers, "tokens": tokens}
    session.answer(answer, "\n".join(lines))


def link(
    ctx: typer.Context,
    word: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE|CALLER|no",
            help="A code from another interface; or who gave yours, to say yes; or no.",
        ),
    ] = None,
    output: options.Output = None,
) -> None:
    """Be the same person here and on another interface: make a code, or give one."""
    from core.linking import link as linked

    session = options.session(ctx)
    answer = linked(session.settings, session.ledger, session.caller, word or "")
    session.answer(answer.body, answer.text)


def body(session: Session, person: PersonRecord) -> dict[str, Any]:
    """A person as JSON, with the role and plan that they have."""
    admin = any(map(session.settings.is_admin, person.callers))
    return without_none(
        {
            "name": person.name,
            "display": person.title,
            "role": person.role or (Role.ADMIN if admin else Role.SENDER),
            "plan": person.plan or session.settings.app.default_plan,
            "callers": list(person.callers),
            "created_at": iso(person.created_at),
            "seen_at": person.seen_at and iso(person.seen_at),
        }
    )


def _answer(session: Session, who: str, begins: str) -> None:
    """Say who somebody is after a change."""
    if ":" in who:
        from core.engine.access import access

        now = access(session.settings, session.ledger.standing(who), Caller.parse(who))
        about = {"caller": who, "role": now.role, "plan": now.plan}
        session.answer(about, f"{who} {begins}{_kind(now.role)}, on the {now.plan} plan.")
        return
    person = next(each for each in session.ledger.people() if each.name == who)
    about = body(session, person)
    callers = ", ".join(person.callers) or "nobody yet (levqor people link)"
    text = f"{who} {begins}{_kind(about['role'])}, on the {about['plan']} plan; callers: {callers}."
    session.answer(about, text)


def _kind(role: str) -> str:
    if role == Role.NONE:
        return "shut out"
    return f"{'an' if role == Role.ADMIN else 'a'} {role}"


def _display(text: str | None) -> str | None:
    """Check a display name; nothing where it is empty."""
    if text is not None and (plain_line(text) != text or len(text) > LONGEST_DISPLAY):
        fault = f"must be one line of at most {LONGEST_DISPLAY} characters"
        raise InvalidInput([Fault("--display", fault)])
    return (text or "").strip() or None


def _profile_name(session: Session, callers: list[str]) -> str | None:
    """What a platform calls somebody, where whoever sits at the terminal says that it is good."""
    if session.out.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    asked = {each.name: each for each in session.settings.interfaces if each.profile}
    for caller in map(Caller.parse, callers):
        if (interface := asked.get(caller.surface)) is None or interface.profile is None:
            continue
        session.prepare()
        own = session.settings.of(interface.settings)
        name = plain_line(interface.profile(own, caller.id) or "", LONGEST_DISPLAY).strip()
        question = f"{interface.title} calls {caller} {name}. Use it as the display name?"
        if name and typer.confirm(question, default=True):
            return name
    return None


@contextmanager
def _admins_watched(session: Session) -> Iterator[None]:
    """Say so where a change leaves no admin but whoever sits at this machine."""
    before = _has_admin(session)
    yield
    if before and not _has_admin(session):
        session.out.note(
            "Nobody is an admin any more but whoever can use this terminal. To make one: "
            f"{_MAKE_ADMIN}"
        )


def _has_admin(session: Session) -> bool:
    from core.engine.access import everyone

    return any(
        who.role is Role.ADMIN and not who.sits_here
        for who in everyone(session.settings, session.ledger).values()
    )
