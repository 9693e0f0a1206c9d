"""A question at a terminal whose answer may be a secret, by mistake too: then it is not shown."""

from __future__ import annotations

import codecs
import os
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from core.cli.output import terminal
from core.plain import counted, plain_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from core.settings import Settings

# Nobody types so many characters between two looks at the keyboard: they were pasted.
TYPED = 8
# What is longer is no value that a person wants to look at; a key may be.
LONGEST_SHOWN = 200
# A terminal that is asked for it says what was pasted; elsewhere only the pace tells.
_ASK_PASTED, _ASK_NO_MORE = "\x1b[?2004h", "\x1b[?2004l"
_KEY = re.compile(r"\x1b\[([0-9;]*)[A-Za-z~]|\x1b[O\[]?[^\x1b\[]|[^\x1b]")
_BEGUN = re.compile(r"\x1b(?:\[[0-9;]*|O)?\Z")
_BACK, _CLEAR, _WORD, _END, _LEAVE = "\b\x7f", "\x15", "\x17", "\x04", "\x03"

# What was read after the end of an answer: the next one's beginning.
_ahead = ""


def ask(
    stream: TextIO,
    question: str,
    *,
    secret: bool = False,
    harmless: Callable[[str], bool] = lambda _: False,
) -> str:
    """What a person answers, without blanks around it; raises Abort where none is given.

    A secret is never shown. What was pasted may be one: it is shown once it was entered, and
    then only where it is `harmless`.
    """
    if sys.platform == "win32":  # pragma: no cover - only Windows runs it
        typed: str = typer.prompt(question, default="", show_default=False, hide_input=True)
        return typed.strip()
    room = _room(stream, question)
    line = Line(secret=secret, room=room)
    with _keys(stream) as read:
        stream.write(f"{question}: ")
        stream.flush()
        while not line.done:
            was = line.shown
            line.take(read())
            _draw(stream, was, line.shown)
        global _ahead  # noqa: PLW0603 - there is one keyboard
        _ahead = line.rest
        if not secret and harmless(line.text.strip()):
            _draw(stream, line.shown, plain_line(line.text, room))
    return line.text.strip()


def fits(draft: Settings, name: str, text: str) -> bool:
    """Whether a text is what a setting wants, and looks like no secret."""
    secrets = [str(each.shape) for each in draft.described() if each.secret and each.shape]
    return (
        len(text) <= LONGEST_SHOWN
        and draft.redactor().clean(text) == text
        and not any(re.fullmatch(shape, text) for shape in secrets)
        and not any(p.fatal for p in draft.problems() if p.setting == name)
    )


class Line:
    """What was typed so far, and how it is shown; `rest` came after its end."""

    def __init__(self, *, secret: bool = False, room: int = 80) -> None:
        self.text = self.rest = ""
        self.done = False
        self._secret = self._covered = secret
        self._room = room
        self._pasting = False

    @property
    def shown(self) -> str:
        """What may be seen of it."""
        if not self._covered or not self.text:
            return self.text
        cover = f"({counted(len(self.text), 'character')})"
        return cover if len(cover) <= self._room else "***"

    def take(self, read: str) -> None:
        """Take what was read at once; raises Abort at the end of input."""
        read, self.rest = self.rest + read, ""
        typed = 0
        while read and not self.done:
            key = None if _BEGUN.match(read) else _KEY.match(read)
            if key is None:  # the rest of a key is on its way
                break
            read = read[key.end() :]
            typed += self._press(key)
        self.rest = read
        self._covered = self._secret or (bool(self.text) and (self._covered or typed > TYPED))

    def _press(self, key: re.Match[str]) -> int:
        """Take one key; how many characters it wrote, many where they are pasted."""
        char = key[0]
        if key[1] in ("200", "201"):
            self._pasting = key[1] == "200"
        elif char in "\r\n":
            # A pasted document is one line.
            self.done = not self._pasting
            self.text += " " * self._pasting
        elif char in _BACK:
            self.text = self.text[:-1]
        elif char == _WORD:
            text = self.text.rstrip()
            self.text = text.removesuffix((text.split() or [""])[-1])
        elif char == _CLEAR:
            self.text = ""
        elif char == _LEAVE or (char == _END and not self.text):
            raise typer.Abort
        elif char.isprintable():
            self.text += char
            return TYPED + 1 if self._pasting else 1
        return 0


def _room(stream: TextIO, question: str) -> int:
    return max(4, terminal(stream).width - len(question) - 3)


def _draw(stream: TextIO, was: str, now: str) -> None:
    from rich.cells import cell_len

    if not now.startswith(was):
        columns = cell_len(was)
        stream.write("\b" * columns + " " * columns + "\b" * columns)
        was = ""
    stream.write(now[len(was) :])
    stream.flush()


if sys.platform != "win32":  # pragma: no branch - Windows goes on without
    import termios

    @contextmanager
    def _keys(stream: TextIO) -> Iterator[Callable[[], str]]:
        """Read keys as they come, which the terminal does not show; give a function for it."""
        keyboard = sys.stdin.fileno()
        before = termios.tcgetattr(keyboard)
        mode = termios.tcgetattr(keyboard)
        # Ctrl-C is a key: a signal may come a moment before the wait that it is to end. And who
        # came back from Ctrl-Z would find a terminal that shows everything.
        mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode

        def read() -> str:
            global _ahead
            if _ahead:
                ahead, _ahead = _ahead, ""
                return ahead
            raw = os.read(keyboard, 65536)
            return decode(raw) if raw else _END

        asks = not terminal(stream).is_dumb_terminal
        termios.tcsetattr(keyboard, termios.TCSADRAIN, mode)
        try:
            stream.write(_ASK_PASTED if asks else "")
            stream.flush()
            yield read
        finally:
            stream.write(f"{_ASK_NO_MORE if asks else ''}\n")
            stream.flush()
            termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
