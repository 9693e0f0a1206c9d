"""Where a `name=value` ends: quotes, straight or paired curly, and plain words."""

from __future__ import annotations

import re
from dataclasses import dataclass

# A word such as https://x/?a=b is text: a plain name is letters, digits and . _ -
_NAME = re.compile(r"[^\W\d][\w.-]*(?==)")
_SPACED_NAME = re.compile(r"[^\W\d][\w .()/-]*(?==)")

_CLOSERS = {'"': '"', "'": "'", "“": "”", "„": "“”", "‘": "’"}  # noqa: RUF001 - they are meant


@dataclass(frozen=True)
class Pair:
    """One `name=value` and where it ends."""

    name: str
    value: str
    end: int
    unclosed: bool = False


def pair_at(text: str) -> Pair | None:
    """Read the `name=value` that a text begins with, if it begins with one."""
    found = _name_at(text, _NAME)
    if found is None:
        return None
    name, start = found
    quoted = _quoted(text, start, before_equals=False)
    if quoted is not None:
        inner, end = quoted
        return Pair(name, inner, end)
    word = re.compile(r"\S*").match(text, start)
    end = word.end() if word else start
    # A curly quote or an apostrophe without its partner is a letter like any other.
    return Pair(name, text[start:end], end, unclosed=text[start:end].startswith('"'))


def item(text: str, *, spaced: bool) -> tuple[str, str] | None:
    """Split an argument into name and value; None where it is text.

    The shell has taken quotes away, so `spaced` lets a plain name hold spaces.
    """
    found = _name_at(text, _SPACED_NAME if spaced else _NAME)
    return found and (found[0].rstrip(), text[found[1] :])


def _name_at(text: str, plain: re.Pattern[str]) -> tuple[str, int] | None:
    """Find the name before an `=` and where its value starts."""
    quoted = _quoted(text, 0, before_equals=True)
    if quoted is not None and quoted[0].strip():
        return quoted[0].strip(), quoted[1] + 1
    word = plain.match(text)
    return (word[0], word.end() + 1) if word else None


def _quoted(text: str, start: int, *, before_equals: bool) -> tuple[str, int] | None:
    """Read a quoted piece: a closing quote counts only before what must follow it."""
    opener = text[start : start + 1]
    closers = _CLOSERS.get(opener)
    if not closers:
        return None
    depth, first = 0, None
    for at in range(start + 1, len(text)):
        letter = text[at]
        if letter in closers:
            after = text[at + 1 : at + 2]
            ends = after == "=" if before_equals else not after or after.isspace()
            piece = (text[start + 1 : at], at + 1) if ends else None
            if depth == 0 and (ends or before_equals):
                return piece
            first = first or piece
            depth = max(0, depth - 1)
        elif letter == opener == "“":
            depth += 1
    # Quotes that do not nest: the first that may end it does.
    return first
