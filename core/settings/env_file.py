"""Writing `.env`: some values changed, every other line as it was."""

import io
import os
import re
from collections.abc import Mapping
from pathlib import Path

from dotenv.parser import parse_stream

from core.contract import utf8
from core.home import open_trusted, write_private

# What needs no quotes, whichever program reads the file.
_PLAIN = re.compile(r"[\w.:/@%+=,;-]+", re.ASCII)


def write(file: Path, values: Mapping[str, str | None]) -> None:
    """Set values, and take out those that are None; whole or not at all, owner-only.

    A name that is there keeps its place, and everything else its wording. Raises OSError,
    NotConfigured where the file is not this user's, ValueError where it is no UTF-8 text.
    """
    left, lines = dict(values), []
    for line in parse_stream(io.StringIO(_read(file))):
        if line.key not in values:
            lines.append(line.original.string)
        elif line.key in left:
            # Of a name that was there twice, the last one counted: one is enough.
            lines.append(_line(line.key, left.pop(line.key)))
    text = "".join(lines)
    if text and not text.endswith("\n"):
        text += "\n"
    text += "".join(_line(name, value) for name, value in left.items())
    write_private(file, text.encode())


def _read(file: Path) -> str:
    try:
        with os.fdopen(open_trusted(file, "The settings file"), "rb") as opened:
            return utf8(opened.read())
    except FileNotFoundError:
        return ""


def _line(name: str, value: str | None) -> str:
    if value is None:
        return ""
    if not _PLAIN.fullmatch(value):
        value = "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return f"{name}={value}\n"
