"""One command line, from its words to its exit status."""

import sys
import traceback
from collections.abc import Sequence
from typing import TypeGuard, cast

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
        words.refuse_no_home(args)
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
