"""`levqor run`: fire one action and wait for its receipt."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli import complete, options, words
from core.cli.help import RunCommand
from core.cli.session import Interrupted
from core.errors import Fault, InvalidInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.cli.session import Session
    from core.contract import Contract
    from core.engine import Accepted, Settled

# How long Ctrl-C waits for an answer that may be on its way already.
GRACE_S = 2.0
ADD_DASH = "To read the text from standard input, add - at the end."


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
            help="name=value, or words of the text; after -- every word is text;"
            " - reads the text from standard input.",
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
    with _pipe_hint(found.input, hint=not test and whole is None):
        values = _values(ctx, items or [], whole, found.input)
        accepted = engine.accept(action, values, asked.caller, test=test)
    settled = _wait(asked, accepted)
    asked.out.settled(settled)
    asked.say_home()
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
def _pipe_hint(contract: type[Contract], *, hint: bool) -> Iterator[None]:
    """Add to a refusal how standard input is read, where it may be meant to hold the text."""
    try:
        yield
    except InvalidInput as error:
        absent = {fault.field for fault in error.faults if fault.message == "is required"}
        text = absent & {spec.name for spec in contract.fields() if spec.takes_text}
        if hint and text and error.fix is None and words.piped():
            raise error.replace(fix=ADD_DASH) from None
        raise


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
