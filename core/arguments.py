"""The command lines of the programs that have options alone: each word as it is, or refused."""

import argparse
import re
from pathlib import Path
from typing import Any, NoReturn

from core import streams

# What argparse says, and what a person is told.
_WORDS = (
    (re.compile(r"\Aunrecognized arguments: (-.+)\Z", re.DOTALL), r"No such option: \1"),
    (re.compile(r"\Aunrecognized arguments: (.+)\Z", re.DOTALL), r"Not expected here: \1"),
    (
        re.compile(r"\Aargument \w+: invalid choice: (.+) \(choose from .+\)\Z"),
        r"No such command: \1",
    ),
    (re.compile(r"\Aargument (\S+): expected one argument\Z"), r"\1 needs a value"),
    (
        re.compile(r"\Aargument (\S+): not allowed with argument (\S+)\Z"),
        r"\1 cannot be used with \2",
    ),
    (re.compile(r"\Aargument (\S+): ignored explicit argument .+\Z"), r"\1 takes no value"),
    (re.compile(r"\Aargument (\S+): (.+)\Z", re.DOTALL), r"\1: \2"),
)


class Parser(argparse.ArgumentParser):
    """A parser that takes no option by its beginning, and says what to do."""

    def __init__(self, **more: Any) -> None:
        super().__init__(allow_abbrev=False, **more)

    def error(self, message: str) -> NoReturn:
        """Leave with status 2 and a sentence."""
        for said, words in _WORDS:
            message = said.sub(words, message)
        streams.print_error(f"{message}\nWhat to do: See: {self.prog} --help")
        raise SystemExit(2)


def folder(text: str) -> Path:
    """Take a folder's name; none, as of a variable that is not set, is not the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("names no folder")
    return Path(text)
