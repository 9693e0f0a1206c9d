"""The reference of commands and HTTP addresses as Markdown, made from the programs."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from bot.runtime import Bot
from bot.web import openapi
from bot.web.app import make_app
from bot.web.server import Limits
from core.cli.app import app
from core.engine import Engine
from core.ledger.postgres_errors import ROWS, UNREACHABLE
from core.settings import Address, Settings
from docs.contract_pages import table

# Said once for all commands.
EVERYWHERE = ("--output", "--help")


def commands() -> str:
    """Describe every `levqor` command."""
    root = typer.main.get_command(app)
    options = table(("option", "what it does"), _options(root, every=True))
    parts = [f"## Before the command\n\n{options}"]
    return "\n\n".join([*parts, *(_command(*each) for each in _leaves(root, "levqor"))])


def database_errors() -> str:
    """List what Levqor may say of a PostgreSQL database, and what to do then."""
    said = [(what, fix) for _, _, what, fix in ROWS] + [UNREACHABLE[1:]]
    return table(("The PostgreSQL database NAME on HOST …", "what to do"), said)


def addresses() -> str:
    """List every HTTP address."""
    paths = asyncio.run(_described())["paths"]
    rows = [
        (f"`{method.upper()} {path}`", f"{page['summary']}. {page['description']}")
        for path, item in paths.items()
        for method, page in item.items()
        if page["tags"] != ["actions"]
    ]
    act = "One of the [actions](actions.md). With `?test=1` and no body its sample is sent."
    return table(("address", "what it does"), [("`POST /actions/{action}`", act), *rows])


async def _described() -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory() as folder,
        Engine.open(Settings(Path(folder) / "home", environ={})) as engine,
    ):
        served = make_app(Bot(engine), (), Limits(), Address("127.0.0.1", 8787))
        return openapi.document(engine, served.router.routes)


def _leaves(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Each command that does something, under its whole name."""
    if not hasattr(command, "list_commands"):
        yield name, command
        return
    for word in command.list_commands(None):
        yield from _leaves(command.get_command(None, word), f"{name} {word}")


def _command(name: str, command: Any) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    bare = [each.metavar.strip("[].") for each in arguments]
    words = [
        name if each.required else f"[{name}{' …' if each.nargs == -1 else ''}]"
        for each, name in zip(arguments, bare, strict=True)
    ]
    rows = [(f"`{name}`", each.help or "") for each, name in zip(arguments, bare, strict=True)]
    rows += _options(command)
    text = f"## `{' '.join([name, *words])}`\n\n{command.help}"
    return f"{text}\n\n{table(('word', 'what it is'), rows)}" if rows else text


def _options(command: Any, *, every: bool = False) -> list[tuple[str, str]]:
    options = [
        each
        for each in command.params
        if each.param_type_name == "option" and not each.hidden
        if every or each.opts[0] not in EVERYWHERE
    ]
    names = [" / ".join([*each.opts, *each.secondary_opts]) for each in options]
    return [
        (f"`{name} {each.metavar or ''}".rstrip() + "`", each.help or "")
        for name, each in zip(names, options, strict=True)
    ]
