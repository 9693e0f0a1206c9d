"""Help pages, and what typer finds wrong with a command line, in everyday words.

Typer's own help names types (`<list[str]>`) and its errors are pydantic's; neither helps a reader.
"""

import re
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from core import command_line
from core.cli import options, words
from core.cli.output import unbroken, wrapped
from core.errors import InvalidInput

# What typer says, and how a person says it.
_PLAINER = (
    (r"is wrong: \w+ '(.*)' is a directory\.", r"names \1, which is a folder."),
    (r"is wrong: \w+ '(.*)' (is a file|does not exist)\.", r"names \1, which \2."),
    (r"No such option: (.*)", command_line.NO_OPTION.format(r"\1")),
    (r"Option '(.*)' requires an argument\.", command_line.VALUE_MISSING.format(r"\1")),
    (r"Option '(.*)' does not take a value\.", command_line.VALUE_UNEXPECTED.format(r"\1")),
    (r"Got unexpected extra argument\(s\) \((.*)\)", command_line.UNEXPECTED.format(r"\1")),
    (r"'([^']*)'", r"\1"),
)


class _Named:
    """What a command line is read by, which says of all that is wrong where it stood."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words."""
        try:
            read: list[str] = super().parse_args(ctx, args)  # type: ignore[misc]
        except TyperException as error:
            # Typer does not say where it stood of an option without its value.
            vars(error).update(ctx=getattr(error, "ctx", None) or ctx)
            raise
        return read


class HelpCommand(_Named, TyperCommand):
    """A command with a plain help page."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Name the arguments without braces."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options."""
        _write_parameters(self, ctx, formatter)


class HelpGroup(_Named, TyperGroup):
    """Commands in groups; one that was mistyped is answered with the nearest."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands under their groups' headings, then the options."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            title = getattr(command, "rich_help_panel", None) or "Commands"
            groups.setdefault(title, []).append((name, getattr(command, "help", None) or ""))
        for title, rows in groups.items():
            _write_section(formatter, title, rows)
        _write_parameters(self, ctx, formatter)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command; an action's ID is one too, short for `run` with it."""
        name = args[0]
        if self.get_command(ctx, name) is None and name[:1] != "-" and not ctx.resilient_parsing:
            from core.contract import nearest

            names = self.list_commands(ctx)
            actions = [] if ctx.parent else [c.action_id(a) for c, a in options.actions()]
            if name in actions:
                args = ["run", *args]
            else:
                of_service = (each for each in actions if each.startswith(f"{name}."))
                near = next(of_service, None) or nearest(name, [*names, *actions])
                see = f"See: {ctx.command_path} --help"
                fix = f"Did you mean {ctx.command_path} {near}?" if near else see
                raise InvalidInput(message=command_line.NO_COMMAND.format(name[:80]), fix=fix)
        return super().resolve_command(ctx, args)


class RunCommand(HelpCommand):
    """A command whose help ends with the actions, or the fields of the one that was named."""

    # Text may begin with "-": what no option claims is an item.
    ignore_unknown_options = True

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the words, so that help can tell whether one names an action."""
        ctx.meta["levqor.words"] = tuple(args)
        if not ctx.resilient_parsing:
            known = {
                opt: not getattr(param, "is_flag", False)
                for param in self.get_params(ctx)
                for opt in param.opts
            }
            words.refuse_strange_options(args, known)
            words.refuse_other_bytes(args)
        return super().parse_args(ctx, args)

    def get_help(self, ctx: Any) -> str:
        """Write the page, its marked blanks as blanks."""
        return super().get_help(ctx).replace("\0", " ")

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, then the actions, or the fields of the one that was named."""
        from core import grammar

        super().format_options(ctx, formatter)
        typed = ctx.meta.get("levqor.words", ())
        named = [(c, action) for c, action in options.actions() if c.action_id(action) in typed]
        with formatter.section(_heading("Action" if named else "Actions")):
            for connector, action in named or options.actions():
                formatter.write_text(f"{action.title}:")
                command = f"levqor run {connector.action_id(action)}"
                fields = unbroken(grammar.usage(command, action.input).removeprefix(f"{command} "))
                formatter.indent()
                formatter.write_usage(command, fields, prefix="")
                formatter.dedent()
        for connector, action in named:
            with formatter.section(_heading("Fields")):
                for spec in action.input.fields():
                    lines = "".join(f"  {line}\n" for line in grammar.field_help(spec))
                    formatter.write(wrapped(lines, formatter.width) + "\n")
            formatter.write_paragraph()
            for line in grammar.quoting(action.input):
                formatter.write_text(line)
            formatter.write_text(
                f"Try it: levqor --sandbox run {connector.action_id(action)} --test"
            )
        if not named:
            formatter.write_paragraph()
            formatter.write_text("More about an action: levqor run ACTION --help")


def usage_error(error: TyperException) -> InvalidInput:
    """Say what is wrong with a command line, and which help to read."""
    context, param = getattr(error, "ctx", None), getattr(error, "param", None)
    command = context.command_path if context else "levqor"
    fix = f"See: {command} --help"
    message = error.message
    if getattr(error, "possibilities", None):
        fix = f"Did you mean {error.possibilities[0]}?"  # type: ignore[attr-defined]
    elif param and message:
        name = param.opts[0] if param.param_type_name == "option" else param.name.upper()
        message = f"{name} {_expected(param) or f'is wrong: {message}'}"
    elif message == "Missing command.":
        names = ", ".join(context.command.list_commands(context))  # type: ignore[union-attr]
        message = f"{command} needs one more word: {names}."
    else:
        message = error.format_message()
    for told, plainer in _PLAINER:
        message = re.sub(told, plainer, message)
    no_such = {command_line.NO_OPTION.format(name): name for name in words.EARLY}
    early = no_such.get(message)
    if early:
        fix = f"{early} goes before the command: levqor {words.EARLY[early]} …"
    return InvalidInput(message=message, fix=fix)


def _expected(param: Any) -> str | None:
    choices = param.type_descriptor.choices
    if choices:
        *first, last = map(str, choices)
        return f"must be {', '.join(first)} or {last}."
    if param.min is not None:
        return f"must be a whole number from {param.min} to {param.max}."
    return None


def _heading(title: str) -> str:
    # Without a terminal, or where nobody wants colours, typer leaves the mark out.
    return typer.style(title, bold=True)


def _write_section(formatter: Any, title: str, rows: Sequence[tuple[str, str]]) -> None:
    if rows:
        with formatter.section(_heading(title)):
            formatter.write_dl(rows)


def _write_parameters(command: TyperCommand | TyperGroup, ctx: Any, formatter: Any) -> None:
    params = [param for param in command.get_params(ctx) if not getattr(param, "hidden", False)]
    for kind in ("argument", "option"):
        rows = [_parameter(param) for param in params if param.param_type_name == kind]
        _write_section(formatter, f"{kind.capitalize()}s", rows)


def _parameter(param: Any) -> tuple[str, str]:
    if param.param_type_name == "argument":
        return param.display_name_raw, param.help or ""
    # `main` reads -h as --help.
    names = "-h, --help" if "--help" in param.opts else ", ".join(param.opts)
    return f"{names} {param.metavar or ''}".rstrip(), param.help or ""
