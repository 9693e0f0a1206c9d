"""`levqor-bot`, from its start to its exit status."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

from bot.app.options import COMMANDS, parse
from core import streams, wording
from core.errors import LevqorError
from core.logs import quiet_libraries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.declaration import Options
    from core.settings import Settings


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
            quiet_libraries(settings.redactor(), settings.loggers())
            if options.command:
                return COMMANDS[options.command].run(settings)
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
    """Read the settings; with the sandbox, start its services for as long as `stack`."""
    from core.settings import Settings

    if not options.sandbox:
        return Settings.load(options.home)
    from core.sandbox import start

    sandbox, settings = start(stack, options.home)
    streams.tell(f"sandbox: {sandbox.url} shows what was sent")
    kept = "" if options.home else " (temporary: gone when this ends; --home DIR keeps one)"
    streams.tell(f"home: {settings.home}{kept}")
    if settings.app.home and not options.home:
        streams.tell("LEVQOR_HOME is not used: a sandbox has its own home, or the one in --home.")
    return settings
