"""The command lines of the programs that have options alone: each word as it is, or refused."""

import argparse
import re
from pathlib import Path
from typing import Any, NoReturn

from core import command_line, streams

# What argparse says, and which sentence that is.
_WORDS = (
    (re.compile(r"\Aunrecognized arguments: (-.+)\Z", re.DOTALL), command_line.NO_OPTION),
    (re.compile(r"\Aunrecognized arguments: (.+)\Z", re.DOTALL), command_line.UNEXPECTED),
    (
        re.compile(r"\Aargument \w+: invalid choice: .(.+). \(choose from .+\)\Z"),
        command_line.NO_COMMAND,
    ),
    (re.compile(r"\Aargument (\S+): expected one argument\Z"), command_line.VALUE_MISSING),
    (
        re.compile(r"\Aargument (\S+): not allowed with argument (\S+)\Z"),
        command_line.NOT_TOGETHER,
    ),
    (
        re.compile(r"\Aargument (\S+): ignored explicit argument .+\Z"),
        command_line.VALUE_UNEXPECTED,
    ),
    (re.compile(r"\Aargument (\S+): (.+)\Z", re.DOTALL), command_line.WRONG_VALUE),
)


class Parser(argparse.ArgumentParser):
    """A parser that takes no option by its beginning, and says what to do."""

    def __init__(self, **more: Any) -> None:
        super().__init__(allow_abbrev=False, **more)

    def error(self, message: str) -> NoReturn:
        """Leave with status 2 and a sentence."""
        for said, words in _WORDS:
            message = said.sub(words.format(r"\1", r"\2"), message)
        streams.print_error(f"{message}\nWhat to do: See: {self.prog} --help")
        raise SystemExit(2)


def folder(text: str) -> Path:
    """Take a folder's name; none, as of a variable that is not set, is not the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("names no folder")
    return Path(text)
