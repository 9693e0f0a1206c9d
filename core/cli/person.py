"""`levqor people`: who is who, and what they may do."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from core import people
from core.callers import ADDRESSED_SURFACE, Caller
from core.cli import options
from core.cli.people import Plan, Whom
from core.cli.reports import ago
from core.people import LONGEST_DISPLAY
from core.plain import counted, plain_line
from core.reports import iso, without_none
from core.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.cli.session import Session
    from core.ledger import PersonRecord

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
    added = session.ledger.people()
    bodies = [body(session, person) for person in added]
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
                for person, each in zip(added, bodies, strict=True)
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
    settings, ledger = session.settings, session.ledger
    theirs = [str(people.active_caller(settings, ledger, caller)) for caller in callers or ()]
    display = _profile_name(session, theirs) if display is None else display
    with _admins_watched(session):
        people.add(
            settings, ledger, name, theirs, by=session.caller, display=display, role=role, plan=plan
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
    settings, ledger, by = session.settings, session.ledger, session.caller
    with _admins_watched(session):
        who = people.change(settings, ledger, whom, by=by, display=display, role=role, plan=plan)
    _answer(session, who, "is ")


def people_link(
    ctx: typer.Context, name: Name, caller: CallerId, output: options.Output = None
) -> None:
    """Make a caller one of a person's: they share one quota, role and plan."""
    session = options.session(ctx)
    who = str(people.active_caller(session.settings, session.ledger, caller))
    with _admins_watched(session):
        person = people.person_named(session.ledger, name)
        session.ledger.person_link(person.name, who, by=str(session.caller))
    _answer(session, name, f"is {who} too now. What either sent today counts for both: ")


def people_unlink(ctx: typer.Context, caller: CallerId, output: options.Output = None) -> None:
    """Make a caller a person of its own again, with the role and plan it had."""
    session = options.session(ctx)
    who = str(people.single_caller(session.settings, caller))
    with _admins_watched(session):
        session.ledger.person_unlink(who, by=str(session.caller))
    _answer(session, who, "is a person of its own now: ")


def people_remove(ctx: typer.Context, name: Name, output: options.Output = None) -> None:
    """Delete a person; their callers may do nothing from now on, their tokens are revoked."""
    session = options.session(ctx)
    with _admins_watched(session):
        person = people.person_named(session.ledger, name)
        callers = session.ledger.person_remove(person.name, by=str(session.caller))
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
    return without_none(
        {
            "name": person.name,
            "display": person.title,
            "role": people.role_of(session.settings, person),
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
    before = people.has_admin(session.settings, session.ledger)
    yield
    if before and not people.has_admin(session.settings, session.ledger):
        session.out.note(people.NO_ADMIN)
