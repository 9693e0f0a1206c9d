"""`levqor run`: do one action and wait for its receipt."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli import options, words
from core.cli.session import Interrupted
from core.errors import Fault, InvalidInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.cli.session import Session
    from core.contract import Contract
    from core.engine import Accepted, Settled

# How long Ctrl-C waits for an answer that may be on its way already.
GRACE_S = 2.0


def complete_action(incomplete: str) -> list[tuple[str, str]]:
    """Actions that begin so, each with its title."""
    named = [(connector.action_id(action), action.title) for connector, action in options.actions()]
    return [(name, title) for name, title in named if name.startswith(incomplete)]


def _complete_item(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """`name=` for each field of the action that has not been given yet, and its targets."""
    from core.contract import TARGET

    given = {item.partition("=")[0] for item in ctx.params.get("items") or ()}
    action_id = ctx.params.get("action")
    items = [
        (f"{spec.name}=", spec.help)
        for connector, action in options.actions()
        if connector.action_id(action) == action_id
        for spec in action.input.fields()
        if spec.name not in given
    ]
    if TARGET not in given and items:
        names = options.target_names(ctx, action_id)
        items += [(f"{TARGET}={name}", "where it goes") for name in names]
    return [item for item in items if item[0].startswith(incomplete)]


def run(
    ctx: typer.Context,
    action: Annotated[
        str,
        typer.Argument(
            metavar="ACTION",
            autocompletion=complete_action,
            help="What to do; see the list below.",
        ),
    ],
    items: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ITEM",
            autocompletion=_complete_item,
            help="A field as name=value, or a word of the text. Everything after -- is text."
            " A single - reads the text from standard input.",
        ),
    ] = None,
    whole: Annotated[
        str | None,
        typer.Option(
            "--json",
            metavar="JSON|-",
            help="All fields as one JSON object; - reads it from standard input.",
        ),
    ] = None,
    test: options.Test = False,
    output: options.Output = None,
) -> None:
    """Send something: do one action and wait for its receipt."""
    from core.contract import TARGET

    session = options.session(ctx)
    engine = session.engine
    contract = engine.action(action)[1].input
    test = test or session.test
    with _hint(action, contract, pipe=not test and whole is None):
        values = _values(ctx, items or [], whole, contract) if items or whole or not test else {}
        if test and set(values) - {TARGET}:
            what = "sends the action's own sample; leave out the rest, but for target=NAME"
            raise InvalidInput([Fault("--test", what)])
        accepted = engine.accept(action, values, session.caller, test=test)
    finish(session, accepted)


def finish(session: Session, accepted: Accepted) -> None:
    """Send an accepted run, wait for its receipt, and print that."""
    settled = _wait(session, accepted)
    session.out.settled(settled, session.settings)
    session.print_home()
    raise typer.Exit(settled.exit)


def _values(
    ctx: typer.Context, items: list[str], whole: str | None, contract: type[Contract]
) -> dict[str, Any]:
    from core import grammar

    if whole is None:
        _, protected = words.split(ctx.meta["levqor.words"])
        # The action itself may stand behind the `--` too.
        end = max(0, len(items) - len(protected))
        free = next((spec.name for spec in contract.fields() if spec.takes_text), "text")
        return grammar.parse_items(
            items[:end], contract, text=items[end:], dash=partial(words.read_standard_input, free)
        )
    if items:
        raise InvalidInput([Fault("--json", "is the whole input; leave out the other items")])
    text = words.read_standard_input("--json") if whole == "-" else whole
    if len(text) > words.MAX_INPUT:
        raise TooLarge([Fault("--json", "is too large: at most 256 KB")])
    return grammar.read_json(text)


@contextmanager
def _hint(action: str, contract: type[Contract], *, pipe: bool) -> Iterator[None]:
    """Add to a refusal how what is missing is written; with `pipe`, how it may be piped."""
    try:
        yield
    except InvalidInput as error:
        absent = {fault.field for fault in error.faults if fault.message == "is required"}
        if not absent or error.fix is not None:
            raise
        if (
            pipe
            and words.piped()
            and any(s.takes_text for s in contract.fields() if s.name in absent)
        ):
            fix = "To read the text from standard input, add - at the end."
        else:
            from core.grammar import usage

            fix = f"Write it like this: {usage(f'levqor run {action}', contract)}"
        raise error.replace(fix=fix) from None


def _wait(session: Session, accepted: Accepted) -> Settled:
    engine = session.engine
    future = engine.start(accepted)
    try:
        with session.out.waiting(f"{accepted.action_id}: waiting for the answer to {accepted.run}"):
            return future.result()
    except KeyboardInterrupt:
        engine.close(GRACE_S)
        settled = future.result()
        raise Interrupted(
            f"Interrupted. The run {settled.run} is {settled.outcome.replace('_', ' ')}.",
            fix=f"More about it: levqor why {settled.run}",
            run=settled.run,
        ) from None
