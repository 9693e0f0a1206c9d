"""`levqor run`: fire one action and wait for its receipt."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli import complete, options
from core.cli.help import RunCommand
from core.cli.session import Interrupted
from core.errors import Fault, InvalidInput, TooLarge

if TYPE_CHECKING:
    from core.cli.session import Session
    from core.contract import Contract
    from core.engine import Accepted, Settled

# What HTTP takes as well; no contract has room for more.
MAX_INPUT = 256 * 1024
# How long Ctrl-C waits for an answer that may be on its way already.
GRACE_S = 2.0


def register(app: typer.Typer) -> None:
    """Add `run` to the command line."""
    # Text may begin with "-": what no option claims is an item.
    app.command(cls=RunCommand, context_settings={"ignore_unknown_options": True})(run)


def run(
    ctx: typer.Context,
    action: Annotated[str, typer.Argument(metavar="ACTION", autocompletion=complete.actions)],
    items: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ITEM",
            autocompletion=complete.items,
            help="name=value, or words of the text; after -- every word is text.",
        ),
    ] = None,
    whole: Annotated[
        str | None,
        typer.Option(
            "--json",
            metavar="JSON|-",
            help="The whole input as JSON; - reads it from standard input.",
        ),
    ] = None,
    test: Annotated[
        bool,
        typer.Option("--test", help="A test send: the action's sample, without using quota."),
    ] = False,
    output: options.Output = options.Format.TEXT,
) -> None:
    """Fire one action and wait for its receipt."""
    asked = options.session(ctx)
    engine = asked.engine
    _, found = engine.action(action)
    if test and (items or whole):
        raise InvalidInput([Fault("--test", "sends the action's own sample; leave out the rest")])
    values = _values(items or [], whole, found.input)
    accepted = engine.accept(action, values, asked.caller, test=test)
    settled = _wait(asked, accepted)
    asked.out.settled(settled)
    asked.say_home()
    raise typer.Exit(settled.exit)


def _values(items: list[str], whole: str | None, contract: type[Contract]) -> dict[str, Any]:
    from core import grammar

    if whole is None:
        return grammar.parse_items(items, contract) if items else {}
    if items:
        raise InvalidInput([Fault("--json", "is the whole input; leave out the other items")])
    text = sys.stdin.read(MAX_INPUT + 1) if whole == "-" else whole
    if len(text) > MAX_INPUT:
        raise TooLarge([Fault("--json", "is too large: at most 256 KB")])
    return grammar.read_json(text)


def _wait(asked: Session, accepted: Accepted) -> Settled:
    engine = asked.engine
    future = engine.start(accepted)
    try:
        with asked.out.waiting(f"{accepted.action_id}: waiting for the answer to {accepted.run}"):
            return future.result()
    except KeyboardInterrupt:
        engine.close(GRACE_S)
        how = future.result()
        raise Interrupted(
            f"Interrupted. The run {how.run} is {how.outcome.replace('_', ' ')}.",
            fix=f"More about it: levqor why {how.run}",
            run=how.run,
        ) from None
