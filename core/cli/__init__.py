"""`levqor`: every action and every question from a terminal.

Exit status: 0 done, 1 the service said no or failed, 2 the command or its input is wrong,
3 not set up, 4 the plan's quota is spent, 5 not allowed, 6 busy, 7 our own fault, 8 done but the
answer could not be printed, 9 done but not written down, 130 Ctrl-C.
"""

import gc
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn, TypeGuard, cast

from typer import Abort
from typer.exceptions import TyperException

from core import streams
from core.cli import words
from core.cli.app import app
from core.cli.help import usage_error
from core.cli.options import wants_json
from core.cli.output import Output
from core.cli.session import Interrupted, Session
from core.errors import InternalError, LevqorError
from core.streams import NotPrinted


def command() -> NoReturn:
    """Run `levqor` in a process of its own, which ends with it."""
    # Its garbage goes with it: to look for some early, and for all at the end, takes a tenth of
    # a short command's time.
    gc.set_threshold(100_000)
    status = main()
    gc.freeze()
    sys.exit(status)


def main(args: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit status."""
    args = words.long_help(sys.argv[1:] if args is None else args)
    streams.open_closed()
    out = Output(as_json=wants_json(args))
    try:
        return _run(args, out)
    except KeyboardInterrupt:
        # A second Ctrl-C, while the first was being tidied up.
        return Interrupted.exit
    finally:
        streams.flush()


def _run(args: Sequence[str], out: Output) -> int:
    failure: LevqorError
    try:
        with Session(out) as session:
            # A dictionary, because typer keeps a note of its own beside ours.
            root = {"session": session}
            status = cast("int | None", app(args, "levqor", standalone_mode=False, obj=root))
            session.written()
    except TyperException as error:
        failure = usage_error(error)
    except LevqorError as error:
        failure = error
    except Abort:
        # Ctrl-C or Ctrl-D at a question.
        failure = Interrupted()
    except SystemExit:
        # Typer's own help, and nobody who reads it: the one case in which it ends by itself.
        return NotPrinted.exit
    except Exception as error:  # noqa: BLE001 - the last resort: a crash must not print secrets
        failure = NotPrinted(error) if _is_of_echo(error) else _crash(error)
    else:
        if status != Interrupted.exit:
            return status or 0
        failure = Interrupted()
    out.error(failure)
    return failure.exit


def _is_of_echo(error: Exception) -> TypeGuard[OSError]:
    # Typer prints its help and our version by a function of its own.
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return isinstance(error, OSError) and [frame.name for frame in last] == ["echo"]


def _crash(error: Exception) -> InternalError:
    from core.logs import mistake

    return InternalError(
        f"This is a fault in Levqor: {mistake(error)}.",
        fix="Please report it with the line above and the output of: levqor --version",
    )
