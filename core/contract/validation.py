"""Validators of input: characters it may not hold, and how much it may hold."""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.contract.text import BYTE_ORDER_MARK, with_newlines

# Far above what any service takes; what is much deeper cannot be written as JSON again.
MOST_NESTED = 50
_LINE_BREAK = re.compile(r"[\n\r\u2028\u2029]")
# What stands around a text and is not of it.
OUTER = (
    f" \t\r\n{BYTE_ORDER_MARK}\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
# Controls but tab and line breaks; lone surrogates, which no upstream's UTF-8 can carry.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def refuse_control(value: Any, *, line_breaks: bool, depth: int = 0) -> None:
    """Raise ValueError where a text, however deep, holds a character nobody can type."""
    if isinstance(value, str):
        if not line_breaks and _LINE_BREAK.search(value):
            raise ValueError("must be on one line")
        if control := _CONTROL.search(value):
            raise ValueError(f"holds a control character (U+{ord(control[0]):04X})")
    elif depth > MOST_NESTED:
        raise ValueError(f"is nested too deep: at most {MOST_NESTED} levels")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            refuse_control(key, line_breaks=False)
            refuse_control(inner, line_breaks=True, depth=depth + 1)
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for inner in value:
            refuse_control(inner, line_breaks=True, depth=depth + 1)


def refuse_blank(value: str) -> None:
    """Raise ValueError for a text of nothing but characters that nobody sees."""
    if value and all(char in OUTER or unicodedata.category(char) == "Cf" for char in value):
        raise ValueError("must not be empty: it holds only characters that nobody sees")


def tidied(value: Any) -> Any:
    """Give each line break as one, and no text, cell or name a byte order mark before it.

    Raises ValueError where two names would become the same.
    """
    if isinstance(value, str):
        # A text that says of itself how it was given goes on saying so.
        return type(value)(with_newlines(value).lstrip(BYTE_ORDER_MARK))
    if isinstance(value, Mapping):
        made = {tidied(key): tidied(inner) for key, inner in value.items()}
        if len(made) < len(value):
            raise ValueError("has the same name twice, once with a mark that nobody sees")
        return made
    if isinstance(value, list | tuple):
        return type(value)(map(tidied, value))
    return value


def refuse_unseen(value: str) -> None:
    """Raise ValueError where a name or an address holds a mark that comes with pasting.

    Joiners and marks of direction belong in a text, where emoji and Arabic need them.
    """
    unseen = next((char for char in value if unicodedata.category(char) == "Cf"), None)
    if unseen is not None:
        code = f"U+{ord(unseen):04X}"
        raise ValueError(f"holds a character that nobody sees ({code}): type it instead of pasting")


def json_of_at_most(most: int) -> Callable[[Any], Any]:
    """Make a validator: what it takes can be written as JSON, in at most so many bytes."""

    def check(value: Any) -> Any:
        try:
            size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
        except (TypeError, ValueError):
            raise ValueError("must hold nothing but JSON: text, numbers, lists, objects") from None
        if size > most:
            raise ValueError(f"must be at most {most:,} bytes in all (it has {size:,})")
        return value

    return check
