"""Where a `name=value` ends: quotes, straight or paired curly, and plain words."""

from __future__ import annotations

import re
from dataclasses import dataclass

# A word such as https://x/?a=b is text: a plain name is letters, digits and . _ -
_NAME = re.compile(r"[^\W\d][\w.-]*(?==)")
_SPACED_NAME = re.compile(r"[^\W\d][\w .()/-]*(?==)")

# What phones, address books and editors put before a pasted word, and nobody sees.
_UNSEEN = re.compile(r"[\s\ufeff\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069]+")

_CLOSERS = {'"': '"', "'": "'", "“": "”", "„": "“”", "‘": "’"}  # noqa: RUF001 - they are meant


@dataclass(frozen=True)
class Pair:
    """One `name=value` and where it ends."""

    name: str
    value: str
    end: int
    unclosed: bool = False


def visible(text: str) -> str:
    """Leave out the white space and the unseen marks that a text begins with."""
    found = _UNSEEN.match(text)
    return text[found.end() :] if found else text


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
    text = visible(text)
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
    if before_equals:
        found = re.compile(f"[{closers}]").search(text, start + 1)
        at = found.start() if found and text.startswith("=", found.end()) else None
    else:
        found = re.compile(rf"[{closers}](?=\s|\Z)").search(text, start + 1)
        at = found.start() if found else None
        if at is not None and opener == "“":
            at = _partner(text, start) or at
    return None if at is None else (text[start + 1 : at], at + 1)


def _partner(text: str, start: int) -> int | None:
    """Find where the curly quotes opened at `start` are all closed and the piece may end."""
    depth = 0
    for mark in re.compile("[“”]").finditer(text, start + 1):
        if mark[0] == "“":
            depth += 1
        elif depth:
            depth -= 1
        elif not text[mark.end() : mark.end() + 1].strip():
            return mark.start()
    return None
