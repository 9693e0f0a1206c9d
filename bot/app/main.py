"""The command line of `levqor-bot`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core import __version__, streams, wording
from core.errors import LevqorError
from core.logs import quiet_libraries
from core.masking import Redactor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.settings import Address, Settings


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line; `http` is None where the setting decides."""

    home: Path | None = None
    sandbox: bool = False
    console: bool = False
    http: Address | None = None
    no_http: bool = False
    command: str | None = None


def main(argv: Sequence[str] | None = None) -> int:
    """Run `levqor-bot`; returns the exit status."""
    streams.hold()
    try:
        return _run(parse(sys.argv[1:] if argv is None else argv))
    finally:
        streams.flush()


def _run(options: Options) -> int:
    with contextlib.ExitStack() as stack:
        try:
            prepare()
            settings = load(options, stack)
            # Before any of them has a word to say: several print tokens and whole messages.
            quiet_libraries(Redactor(settings.secrets()))
            if options.command == "slack-manifest":
                from bot.slack import manifest

                return manifest.main(settings)
            if options.command == "check":
                from bot import check

                return check.main(settings)
            from bot.app.process import run

            return asyncio.run(run(settings, options))
        except LevqorError as error:
            streams.tell(wording.in_one_line(error))
            return error.exit


def prepare() -> None:
    """Make the environment fit for TLS; before anything is imported that uses it at once."""
    from core.settings import ready_for_tls

    if said := ready_for_tls():
        streams.tell(said)


def load(options: Options, stack: contextlib.ExitStack) -> Settings:
    """Read the settings; with the sandbox, start the stand-ins for as long as `stack`."""
    from core.settings import Settings

    if not options.sandbox:
        return Settings.load(options.home)
    from core.sandbox import Sandbox

    sandbox = stack.enter_context(Sandbox())
    home = options.home or Path(
        stack.enter_context(tempfile.TemporaryDirectory(prefix="levqor-sandbox-"))
    )
    streams.tell(f"sandbox: {sandbox.url} shows what was sent")
    kept = "" if options.home else " (temporary: gone when this ends; --home DIR keeps one)"
    streams.tell(f"home: {home}{kept}")
    values = sandbox.settings()
    if options.console:
        # Whoever types here is alone with the stand-ins: nobody writes from a phone.
        values["LEVQOR_TELEGRAM"] = "off"
    settings = Settings.load(home, sandbox_urls=values)
    if settings.own.home and not options.home:
        streams.tell("LEVQOR_HOME is not used: a sandbox has a home of its own. Or name it: --home")
    return settings


def parse(argv: Sequence[str]) -> Options:
    """Read the command line; leaves with status 2 where it makes no sense."""
    parser = argparse.ArgumentParser(
        prog="levqor-bot",
        description="Take requests from Slack, Telegram, HTTP and a console, and do them.",
    )
    parser.add_argument("--version", action="version", version=f"levqor-bot {__version__}")
    parser.add_argument(
        "--home", type=Path, metavar="DIR", help="the folder of levqor.db, logs and .env"
    )
    parser.add_argument(
        "--sandbox", action="store_true", help="send to built-in stand-ins, with no credentials"
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
    commands.add_parser("slack-manifest", help="print the Slack app's manifest, ready to paste")
    commands.add_parser("check", help="check tokens, scopes, webhooks and command names")
    with streams.helping():
        return Options(**vars(parser.parse_args(argv)))


def address(text: str) -> Address:
    """Read HOST:PORT as LEVQOR_HTTP is read."""
    from core.settings import Address

    try:
        return Address.parse(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None
