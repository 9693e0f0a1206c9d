"""`levqor`: every action and every question from a terminal.

Exit status: 0 done, 1 the service said no or failed, 2 the command or its input is wrong,
3 not set up, 4 the plan's quota is spent, 5 not allowed, 6 busy, 7 our own fault, 8 done but the
answer could not be printed, 9 done but not written down, 130 Ctrl-C.
"""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, TypeGuard, cast

from typer.exceptions import TyperException

from core import streams
from core.cli import doctor, health, home, people, records, run, sandbox, smoke
from core.cli.app import app
from core.cli.options import wants_json
from core.cli.output import Output
from core.cli.session import Interrupted, Session
from core.errors import InternalError, InvalidInput, LevqorError
from core.streams import NotPrinted

if TYPE_CHECKING:
    from collections.abc import Sequence

for _commands in (run, health, records, doctor, smoke, people, home, sandbox):
    _commands.register(app)


def main(args: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit status."""
    args = list(sys.argv[1:] if args is None else args)
    streams.hold()
    out = Output(as_json=wants_json(args))
    try:
        return _run(args, out)
    except KeyboardInterrupt:
        # A second Ctrl-C, while the first was being tidied up.
        return Interrupted.exit
    finally:
        streams.flush()


def _run(args: Sequence[str], out: Output) -> int:
    said: LevqorError
    try:
        with Session(out) as session:
            # A dictionary, because typer keeps a note of its own beside ours.
            root = {"session": session}
            status = cast("int | None", app(args, "levqor", standalone_mode=False, obj=root))
            session.written()
        lost = streams.flush()
        if lost:
            out.error(NotPrinted(lost))
            return status or NotPrinted.exit
    except TyperException as error:
        said = _usage_error(error)
    except LevqorError as error:
        said = error
    except SystemExit:
        # Typer's own help, and nobody who reads it: the one case in which it ends by itself.
        return NotPrinted.exit
    except Exception as error:  # noqa: BLE001 - the last door: a crash must not print secrets
        said = NotPrinted(error) if _is_of_echo(error) else _crash(error)
    else:
        if status != Interrupted.exit:
            return status or 0
        said = Interrupted()
    out.error(said)
    return said.exit


def _is_of_echo(error: Exception) -> TypeGuard[OSError]:
    # Typer prints its help and our version by a function of its own.
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return isinstance(error, OSError) and [frame.name for frame in last] == ["echo"]


def _usage_error(error: TyperException) -> InvalidInput:
    # Pydantic's own words about words that are ours.
    message = error.format_message().replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "levqor"
    fix = f"See: {command} --help"
    early = next((name for name in ("--home", "--sandbox") if name in message), None)
    if early:
        fix = f"{early} goes before the command: levqor {early} ..."
    elif "--output" in message and context is not None and context.parent is None:
        fix = "--output goes after the command: levqor health --output json"
    return InvalidInput(message=message, fix=fix)


def _crash(error: Exception) -> InternalError:
    from core.logs import mistake

    return InternalError(
        f"Levqor made a mistake of its own: {mistake(error)}.",
        fix="Please report it with the line above and the output of: levqor --version",
    )
