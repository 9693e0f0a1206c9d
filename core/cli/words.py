"""The words of `levqor run`: which are options, which can only be text, what `-` reads."""

import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import BinaryIO

from core.errors import Fault, InvalidInput, TooLarge

# What HTTP takes as well; no contract has room for more.
MAX_INPUT = 256 * 1024
# These go before the command: `levqor run ACTION hello --sandbox` would write to the real
# Slack if it were taken as text.
EARLY = {"--home": "--home DIR", "--sandbox": "--sandbox"}
_OPTION = re.compile(r"(--[a-z][a-z-]*)(=\S*)?")
# Capitals, one dash, or the long one that an editor makes of two: meant as an option only
# where one is called so.
_OTHER_DASH = re.compile(r"[-\u2013\u2014]-?([a-z]+)(?:=\S*)?", re.IGNORECASE)


def split(args: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before the first `--` and what it protects."""
    end = args.index("--") if "--" in args else len(args)
    return list(args[:end]), list(args[end + 1 :])


def long_help(args: Sequence[str]) -> list[str]:
    """Write -h as --help: to typer, `-hello` would begin with an option called -h."""
    options, text = split(args)
    long = ["--help" if word == "-h" else word for word in options]
    return [*long, *args[len(options) : len(options) + 1], *text]


def refuse_no_home(args: Sequence[str]) -> None:
    """Raise InvalidInput for a --home that names nothing, as with a variable that is not set.

    A path without a name is the current folder, which is never the home by itself.
    """
    before, _ = split(args)
    written = [*before, *map("=".join, pairwise(before))]
    if any(word.startswith("--home=") and not word[7:].strip() for word in written):
        raise InvalidInput(message="--home names no folder.", fix="Write it after --home.")


def refuse_strange_options(args: Sequence[str], known: Mapping[str, bool]) -> None:
    """Raise InvalidInput for a word that can only be meant as an option and is none.

    `known` maps the command's options to whether a value follows them.
    """
    faults = [
        Fault(name, _about(name, known)) for name in _options(args, known) if name not in known
    ]
    if faults:
        name = faults[0].field
        action = next((word for word in args if not word.startswith("-")), "ACTION")
        first = f"Write it first: levqor {EARLY[name]} run {action} … " if name in EARLY else ""
        raise InvalidInput(
            faults,
            fix=f"{first}To send it as text, write -- before it: levqor run {action} -- {name}",
        )


def _options(args: Sequence[str], known: Mapping[str, bool]) -> Iterator[str]:
    words = iter(split(args)[0])
    for word in words:
        option = _OPTION.fullmatch(word)
        if option:
            yield option[1]
            if not option[2] and known.get(option[1]):
                next(words, None)
        elif (other := _OTHER_DASH.fullmatch(word)) and (
            other[1].lower() == "h" or f"--{other[1].lower()}" in {*known, *EARLY}
        ):
            yield word


def _about(name: str, known: Mapping[str, bool]) -> str:
    from core.contract import nearest

    if name in EARLY:
        return "must be before the command"
    if name in ("-h", "-H"):
        name = "--help"
    near = nearest(name, [*known, *EARLY])
    return f"is no option here{f'; did you mean {near}?' if near else ''}"


def refuse_other_bytes(args: Sequence[str]) -> None:
    """Raise InvalidInput where an argument held bytes that are not UTF-8."""
    from core.contract import utf8

    faults = []
    for number, arg in enumerate(args, 1):
        if any("\udc80" <= char <= "\udcff" for char in arg):
            try:
                utf8(os.fsencode(arg))
            except ValueError as problem:
                faults.append(Fault(f"word {number}", str(problem)))
    if faults:
        raise InvalidInput(faults)


def read_standard_input(field: str) -> str:
    """Read all of standard input as `read_text` does."""
    return read_text(sys.stdin.buffer, field)


def read_text(file: BinaryIO, field: str) -> str:
    """Read all of a file as UTF-8, whatever the locale says; raises InvalidInput."""
    from core.contract import utf8

    try:
        data = file.read(MAX_INPUT + 1)
    except OSError as problem:
        where = "standard input" if file is sys.stdin.buffer else file.name
        raise InvalidInput(
            [Fault(field, f"cannot be read from {where}: {problem.strerror}")]
        ) from None
    if len(data) > MAX_INPUT:
        raise TooLarge([Fault(field, "is too large: at most 256 KB")])
    try:
        return utf8(data)
    except ValueError as problem:
        raise InvalidInput([Fault(field, str(problem))]) from None


def piped() -> bool:
    """Whether standard input is a pipe or a file, so that somebody may mean it to be read."""
    mode = os.fstat(0).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)
