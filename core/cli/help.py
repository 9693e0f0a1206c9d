"""`levqor run` as typer's command: its help is read from the contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from typer.core import TyperCommand

from core.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.contract import Action, Connector, FieldSpec


class RunCommand(TyperCommand):
    """A command whose help ends with the actions, or the fields of the one that was named."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Keep the words, so that help can tell whether one names an action."""
        ctx.meta["levqor.words"] = tuple(args)
        _refuse_early_options(args)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: typer.Context, formatter: object) -> None:  # type: ignore[override]
        """Write typer's own help, then the actions."""
        super().format_help(ctx, formatter)  # type: ignore[arg-type]
        text = "\n".join(lines(ctx.meta.get("levqor.words", ())))
        if self.rich_markup_mode is None:
            formatter.write(f"\n{text}\n")  # type: ignore[attr-defined]
        else:
            typer.echo(f"{text}\n")


def _refuse_early_options(args: list[str]) -> None:
    # Taken as text, `levqor run ACTION hello --sandbox` would write to the real Slack.
    before = args[: args.index("--")] if "--" in args else args
    names = (arg.partition("=")[0] for arg in before)
    name = next((name for name in names if name in ("--sandbox", "--home")), None)
    if name:
        raise InvalidInput(
            [Fault(name, "stands before the command; nothing was sent")],
            fix=f"Write: levqor {name} ... run ...; or -- before text that begins so.",
        )


def lines(words: tuple[str, ...]) -> Iterator[str]:
    """The usage of every action; with one of them among the words, its fields as well."""
    from core import grammar
    from core.connectors import CONNECTORS

    actions = [(connector, action) for connector in CONNECTORS for action in connector.actions]
    named = [pair for pair in actions if pair[0].action_id(pair[1]) in words]
    for connector, action in named or actions:
        action_id = connector.action_id(action)
        yield f"  {action_id}: {action.title}"
        yield f"    {grammar.usage(f'levqor run {action_id}', action.input)}"
        if named:
            yield from _fields(connector, action)
    if not named:
        yield ""
        yield "  More about one of them: levqor run ACTION --help"


def _fields(connector: Connector, action: Action) -> Iterator[str]:
    from core import grammar

    yield ""
    for spec in action.input.fields():
        yield f"    {spec.name}: {spec.help} {_bounds(spec)}".rstrip()
        if spec.example is not None:
            yield f"      e.g. {spec.example}"
    for line in grammar.quoting(action.input):
        yield f"    {line}"
    yield ""
    yield f"  Try it: levqor --sandbox run {connector.action_id(action)} --test"


def _bounds(spec: FieldSpec) -> str:
    notes = [] if spec.required else ["optional"]
    if spec.max_length is not None:
        notes.append(f"at most {spec.max_length}")
    if spec.setting:
        notes.append(f"default: {spec.setting}")
    return f"({', '.join(notes)})" if notes else ""
