"""The three standard streams of a program, which may be closed, full, or gone."""

import contextlib
import os
import sys
from collections.abc import Iterator

from core.errors import LevqorError


class NotPrinted(LevqorError, code="not_printed", exit=8):
    """What was asked for was done, and the answer could not be printed."""

    problem = OSError()
    quiet = False

    def __init__(self, problem: OSError, *, run: str | None = None) -> None:
        what = f"The run {run} was sent, but its receipt" if run else "The answer"
        fix = f"Do not send it again. More about it: levqor why {run}" if run else None
        super().__init__(
            f"{what} could not be printed: {problem.strerror}.",
            fix=fix or "Send the output elsewhere. What was sent is listed by: levqor runs",
            run=run,
            problem=problem,
            quiet=run is None and isinstance(problem, BrokenPipeError),
        )


def open_closed() -> None:
    """Open what of the standard streams is closed, the wrong way round, so that it still fails.

    Else the next file to be opened would get its number, and words be written into a database
    or a socket (gnulib's stdopen does the same). What a stream cannot show is written as an escape.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            mode = os.O_RDONLY if number else os.O_WRONLY
            os.set_inheritable(os.open(os.devnull, mode), True)
        if getattr(sys, name) is None:
            opened = os.fdopen(
                number, "w" if number else "r", encoding="utf-8", errors="backslashreplace",
                closefd=False,
            )  # fmt: skip
            setattr(sys, name, opened)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character must not cost the answer.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if sys.flags.optimize > 1:
        # Help and errors are docstrings.
        print_error(
            "Python was told to leave out what Levqor says (PYTHONOPTIMIZE=2, or -OO).\n"
            "What to do: Take PYTHONOPTIMIZE out of the environment, or set it to 1."
        )
        raise SystemExit(3)


def flush() -> OSError | None:
    """Write out what is left; why standard output did not take it, if so.

    Python exits with 120 where it cannot write its last words: a terminal that has gone away,
    a pipe nobody reads (docs.python.org/3/library/signal.html#note-on-sigpipe).
    """
    failed = None
    for number, stream in ((2, sys.stderr), (1, sys.stdout)):
        failed = None
        try:
            stream.flush()
        except OSError as problem:
            failed = problem
            with contextlib.suppress(OSError):
                sink = os.open(os.devnull, os.O_WRONLY)
                os.dup2(sink, number)
                os.close(sink)
                stream.flush()
    return failed


@contextlib.contextmanager
def printing_help() -> Iterator[None]:
    """Turn the exit after a help that could not be printed into exit status 8."""
    try:
        yield
    except SystemExit:
        if lost := flush():
            print_error(NotPrinted(lost).message)
            raise SystemExit(NotPrinted.exit) from None
        raise


def print_answer(text: str, run: str | None = None) -> None:
    """Print an answer, of a run that was sent or of anything else; raises NotPrinted."""
    try:
        print(text, flush=True)  # noqa: T201 - a program speaks here
    except OSError as problem:
        raise NotPrinted(problem, run=run) from None


def print_error(text: str) -> None:
    """Say a line on standard error; whoever closed that does not want to hear it."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - a program speaks here
