"""The options every command shares."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from core.errors import LevqorError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from core.cli.session import Session
    from core.contract import Action, Connector


def session(ctx: typer.Context) -> Session:
    """The session `main` opened for this command."""
    current: Session = ctx.find_root().obj["session"]
    return current


def reading(ctx: typer.Context) -> Session:
    """The session, for a command that only looks: it makes no home and nothing in one."""
    current = session(ctx)
    current.reads = True
    return current


def chosen(ctx: typer.Context, value: str | None) -> str | None:
    """Have the answer as JSON, or not."""
    if value and not ctx.resilient_parsing:
        session(ctx).out.as_json = value == "json"
    return value


def actions() -> Iterator[tuple[Connector, Action]]:
    """Every action and its connector, in the menu's order."""
    from core.connectors import CONNECTORS

    return ((connector, action) for connector in CONNECTORS for action in connector.actions)


def target_names(ctx: typer.Context, action: str | None = None) -> list[str]:
    """Complete targets, of one action or all; where the home cannot be read there are none."""
    try:
        return [t.name for t in _completing(ctx).ledger.targets() if action in (None, t.action)]
    except LevqorError:
        return []


def complete_account(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete an account: of the action that was named, else of any service."""
    # Of a line that ends in an option without its value, the words are not told apart yet.
    words = {ctx.params.get("action"), *ctx.args}
    named = {c.name for c, action in actions() if c.action_id(action) in words}
    listed = [each for each in connectors(None) if not named or each.name in named]
    try:
        known = {name for each in listed for name in _completing(ctx).settings.accounts(each)}
    except LevqorError:
        return []
    return sorted(name for name in known if name.startswith(incomplete))


def _completing(ctx: typer.Context) -> Session:
    """The session of a line that is not finished."""
    current = reading(ctx)
    current.home_given = ctx.find_root().params.get("home")
    return current


def _complete_service(incomplete: str) -> list[tuple[str, str]]:
    from core.connectors import CONNECTORS

    return [(each.name, each.title) for each in CONNECTORS if each.name.startswith(incomplete)]


# None, so that a command leaves alone what was chosen before it.
Output = Annotated[
    Literal["text", "json"] | None,
    typer.Option(
        "--output",
        metavar="text|json",
        callback=chosen,
        is_eager=True,
        help="Text for people, or one JSON document for programs (errors too).",
    ),
]
Service = Annotated[
    str | None,
    typer.Argument(
        metavar="SERVICE",
        autocompletion=_complete_service,
        help="Look at this service only, for example notion.",
    ),
]
Test = Annotated[bool, typer.Option("--test", help="Send the action's own sample; uses no quota.")]


def connectors(service: str | None) -> Sequence[Connector]:
    """All connectors, or the one that a service's name means; raises NotFound."""
    from core.connectors import CONNECTORS
    from core.contract import nearest

    if service is None:
        return CONNECTORS
    names = {
        name.lower(): connector
        for connector in CONNECTORS
        for name in (connector.title, *map(connector.action_id, connector.actions))
    }
    names |= {connector.name: connector for connector in CONNECTORS}
    typed = service.lower()
    if typed not in names:
        near = nearest(typed, names)
        known = ", ".join(connector.name for connector in CONNECTORS)
        raise NotFound(
            "There is no service by that name.",
            fix=f"Did you mean {names[near].name}?" if near else f"Choose from: {known}",
        )
    return (names[typed],)


def wants_json(args: Sequence[str]) -> bool:
    """Whether an unparsed command line asks for JSON: for what goes wrong before parsing."""
    before = list(args[: args.index("--")] if "--" in args else args)
    return "--output=json" in before or ("--output", "json") in pairwise(before)


def first_send(session: Session) -> str:
    """What to run to see a first run: a test send, or what has to be done before it."""
    ready = session.settings.configured
    ids = (c.action_id(action) for c, action in actions() if ready(c))
    first = next(ids, None)
    return f"levqor run {first} --test" if first else "levqor init"


def services(names: Iterable[str]) -> Sequence[Connector]:
    """The services of some names, each once however often it is named; raises NotFound."""
    named = (connector for name in names for connector in connectors(name))
    return [*{connector.name: connector for connector in named}.values()]
