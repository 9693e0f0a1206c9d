"""The command line of `levqor-bot`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core import __version__, streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.settings import Address


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line; `http` is None where the setting decides."""

    home: Path | None = None
    sandbox: bool = False
    console: bool = False
    http: Address | None = None
    no_http: bool = False
    command: str | None = None


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
