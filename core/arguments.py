"""The command lines of the programs that have options alone: each word as it is, or refused."""

import argparse
import re
from typing import Any, NoReturn

from core import streams

# What argparse says, and what a person is told.
_WORDS = (
    (re.compile(r"unrecognized arguments: (-.+)", re.DOTALL), r"No such option: \1"),
    (re.compile(r"unrecognized arguments: (.+)", re.DOTALL), r"Not expected here: \1"),
    (re.compile(r"argument \w+: invalid choice: (.+) \(choose from .+\)"), r"No such command: \1"),
    (re.compile(r"argument (\S+): expected one argument"), r"\1 needs a value"),
    (re.compile(r"argument (\S+): not allowed with argument (\S+)"), r"\1 cannot be used with \2"),
    (re.compile(r"argument (\S+): ignored explicit argument .+"), r"\1 takes no value"),
    (re.compile(r"argument (\S+): (.+)", re.DOTALL), r"\1: \2"),
)


class Parser(argparse.ArgumentParser):
    """A parser that takes no option by its beginning, and says what to do."""

    def __init__(self, **more: Any) -> None:
        super().__init__(allow_abbrev=False, **more)

    def error(self, message: str) -> NoReturn:
        """Leave with status 2 and a sentence."""
        for said, words in _WORDS:
            if found := said.fullmatch(message):
                message = found.expand(words)
                break
        streams.print_error(f"{message}\nWhat to do: See: {self.prog} --help")
        raise SystemExit(2)
