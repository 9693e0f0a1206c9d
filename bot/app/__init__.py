"""`levqor-bot`: one process, every surface that is configured."""

import gc
import sys
from collections.abc import Sequence
from typing import NoReturn


def command() -> NoReturn:
    """Run `levqor-bot` in a process of its own."""
    # What is imported stays: to look for garbage in it again and again, while it grows, is for
    # nothing. Once everything is there, `bot.app.process` has it looked for again.
    gc.disable()
    sys.exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run `levqor-bot`; returns the exit status."""
    from bot.app import line

    return line.main(argv)
