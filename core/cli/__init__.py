"""`levqor`: every action and every question from a terminal.

Exit status: 0 done, 1 the service said no or failed, 2 the command or its input is wrong,
3 not set up, 4 the plan's quota is spent, 5 not allowed, 6 busy, 7 our own fault, 8 done but the
answer could not be printed, 9 done but not written down, 130 Ctrl-C.
"""

import gc
import sys
from collections.abc import Sequence
from typing import NoReturn


def command() -> NoReturn:
    """Run `levqor` in a process of its own, which ends with it."""
    # Its garbage goes with it: to look for some early, from the first import on, and for all at
    # the end, takes a tenth of a short command's time.
    gc.set_threshold(100_000)
    status = main()
    gc.freeze()
    sys.exit(status)


def main(args: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit status."""
    from core.cli import line

    return line.main(args)
