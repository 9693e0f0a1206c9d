"""`levqor-bot`: its command line, from its start to its exit status."""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Sequence

from bot.declaration import Options, Subcommand, imported
from bot.surfaces import SURFACES
from core import __version__, streams, wording
from core.arguments import Parser, folder
from core.errors import LevqorError
from core.home import temporary
from core.logs import quiet_libraries
from core.settings import Address, Settings, ready_for_tls

COMMANDS = {
    command.name: command
    for command in (
        *(command for spec in SURFACES for command in spec.commands),
        Subcommand(
            "check",
            "check tokens, scopes, webhooks and command names",
            imported("bot.check:main"),
        ),
    )
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run `levqor-bot`; returns the exit status."""
    streams.open_closed()
    try:
        return _run(parse(sys.argv[1:] if argv is None else argv))
    finally:
        streams.flush()


def _run(options: Options) -> int:
    with contextlib.ExitStack() as stack:
        try:
            # Before anything is imported that uses TLS at once.
            if note := ready_for_tls():
                streams.print_error(note)
            settings = load(options, stack)
            # Before any of them has a word to say: several print tokens and whole messages.
            quiet_libraries(settings.redactor(), settings.loggers())
            leave_out()
            if options.command:
                return COMMANDS[options.command].run(settings)
            from bot.app.process import run

            return asyncio.run(run(settings, options))
        except LevqorError as error:
            streams.print_error(wording.in_one_line(error))
            return error.exit


def leave_out() -> None:
    """Import httpx without its command line: with rich, that is a tenth of the start."""
    # It does without where it cannot be imported.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]


def load(options: Options, stack: contextlib.ExitStack) -> Settings:
    """Read the settings; with the sandbox, start its services for as long as `stack`."""
    if not options.sandbox:
        return Settings(options.home)
    from core.sandbox import Sandbox

    sandbox = stack.enter_context(Sandbox())
    settings = Settings(options.home or temporary(stack), sandbox_urls=sandbox.settings())
    streams.print_error(f"sandbox: {sandbox.url} shows what was sent")
    kept = "" if options.home else " (temporary; to keep it, add --home DIR)"
    streams.print_error(f"home: {settings.home}{kept}")
    if settings.app.home and not options.home:
        streams.print_error("LEVQOR_HOME is not used: with --sandbox, only --home chooses a home.")
    return settings


def parse(argv: Sequence[str]) -> Options:
    """Read the command line; leaves with status 2 where it makes no sense."""
    chats = ", ".join(spec.title for spec in SURFACES if spec.guide)
    parser = Parser(
        prog="levqor-bot",
        description=f"Take requests from {chats}, HTTP and a console, and do them.",
    )
    parser.add_argument("--version", action="version", version=f"levqor-bot {__version__}")
    parser.add_argument(
        "--home", type=folder, metavar="DIR", help="the folder of levqor.db, logs and .env"
    )
    parser.add_argument(
        "--sandbox",
        action="store_true",
        help="use the built-in sandbox services: no account needed",
    )
    parser.add_argument(
        "--console", action="store_true", help="read commands from standard input as well"
    )
    http = parser.add_mutually_exclusive_group()
    http.add_argument(
        "--http", type=address, metavar="HOST:PORT", help="where to listen (LEVQOR_HTTP)"
    )
    http.add_argument("--no-http", action="store_true", help="do not listen at all")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for command in COMMANDS.values():
        commands.add_parser(command.name, help=command.help)
    with streams.printing_help():
        return Options(**vars(parser.parse_args(argv)))


def address(text: str) -> Address:
    """Read HOST:PORT as LEVQOR_HTTP is read."""
    try:
        return Address.parse(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None
