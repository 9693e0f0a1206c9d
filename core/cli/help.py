"""`levqor run` as typer's command: its help is read from the contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from typer.core import TyperCommand

from core.cli import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.contract import Action, Connector, FieldSpec


class RunCommand(TyperCommand):
    """A command whose help ends with the actions, or the fields of the one that was named."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Keep the words, so that help can tell whether one names an action."""
        ctx.meta["levqor.words"] = tuple(args)
        if not ctx.resilient_parsing:
            known = {opt: not _flag(one) for one in self.get_params(ctx) for opt in one.opts}
            words.refuse_strange_options(args, known)
            words.refuse_other_bytes(args)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: typer.Context, formatter: object) -> None:  # type: ignore[override]
        """Write typer's own help, then the actions."""
        super().format_help(ctx, formatter)  # type: ignore[arg-type]
        text = "\n".join(lines(ctx.meta.get("levqor.words", ())))
        if self.rich_markup_mode is None:
            formatter.write(f"\n{text}\n")  # type: ignore[attr-defined]
        else:
            typer.echo(f"{text}\n")


def _flag(option: object) -> bool:
    return bool(getattr(option, "is_flag", False))


def lines(asked: tuple[str, ...]) -> Iterator[str]:
    """The usage of every action; with one of them among the words, its fields as well."""
    from core import grammar
    from core.connectors import CONNECTORS

    actions = [(connector, action) for connector in CONNECTORS for action in connector.actions]
    named = [pair for pair in actions if pair[0].action_id(pair[1]) in asked]
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
