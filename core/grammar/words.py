"""Where a `name=value` ends: quotes, straight or paired curly, and plain words."""

import re
from typing import NamedTuple

from core.contract import folded

# What people and input methods write for "=": ASCII, full-width, small.
EQUALS = "=\uff1d\ufe66"
# A word such as https://x/?a=b is text: a plain name is letters, digits and . _ -
_NAME = re.compile(r"[^\W\d][\w.-]*(?==)")
_WORD = re.compile(rf"[^\s{EQUALS}]+")
_LINE = re.compile(rf"[^{EQUALS}\r\n]*")
_BLANKS = re.compile(r"[^\S\r\n]*")
_VALUE = re.compile(r"\S*")

# What phones, address books and editors put before a pasted word, and nobody sees.
_MARKS = r"\ufeff\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069"
_UNSEEN = re.compile(rf"[\s{_MARKS}]+")
_UNSEEN_BUT_TABS = re.compile(rf"(?:[^\S\t]|[{_MARKS}])+")

_CLOSERS = {'"': '"', "'": "'", "“": "”", "„": "“”", "‘": "’"}  # noqa: RUF001 - they are meant
# What a value opens and does not close goes on after the blank, and so do these.
_OPENERS = {"“": "”", "„": "“”", "«": "»", "「": "」", "`": "`", "[": "]", "{": "}"}
_IN_TWO = re.compile(
    r"\d{4}-\d\d-\d\d (?:\d{1,2}:\d\d|\S{1,5} \d{4}-\d\d-)"  # a day and a time, two days
    r"|\+\d+ [\d(]|-?\d{1,3} \d{3}(?!\S)"  # a number of a telephone, one with thousands
)
_NEXT = re.compile(r"[^\S\r\n]+(\S[^\r\n]{0,30})")
# Longer pieces of what was typed are not said back.
_SHOWN = 60


class Names(NamedTuple):
    """What may stand before an `=`: a contract's own names (folded), and any other if `free`."""

    own: frozenset[str]
    free: bool

    def known(self, name: str) -> bool:
        """Whether a value can be given under this name."""
        return self.free or self.owns(name)

    def owns(self, name: str) -> bool:
        """Whether it is one of the contract's own."""
        return folded(name) in self.own


class Pair(NamedTuple):
    """One `name=value` and where it ends; `trouble` is what is wrong with how it is written."""

    name: str
    value: str
    end: int
    trouble: str | None = None


class _Head(NamedTuple):
    """A name with its `=`: where the value may begin, and whether blanks stand before the `=`."""

    name: str
    end: int
    spaced: bool = False


def visible(text: str, *, tabs: bool = False) -> str:
    """Leave out the white space and the unseen marks that a text begins with.

    With `tabs` these stay: the first one parts an empty cell from the next.
    """
    return text[_end(_UNSEEN_BUT_TABS if tabs else _UNSEEN, text, 0) :]


def pair_at(text: str, names: Names) -> Pair | None:
    """Read the `name=value` that a text begins with, if it begins with one."""
    head = _head_at(text, 0, names)
    if head is None:
        return None
    if not head.spaced and text[head.end : head.end + 1] in tuple(EQUALS):
        trouble = f'has == after it: write {shown(head.name)}="=…" if its value begins with ='
        return Pair(head.name, "", _end(_VALUE, text, head.end), trouble)
    after = _end(_BLANKS, text, head.end)
    ends = not text[after : after + 1].strip()
    if head.spaced and (ends or _head_at(text, after, names)):
        return Pair(head.name, "", after, no_value(head.name))
    if not head.spaced and after > head.end and not ends and names.known(head.name):
        name = shown(head.name)
        nothing = "" if names.owns(head.name) else f', or {name}="" for nothing'
        trouble = f"has a blank after its =: write {name}=… without it{nothing}"
        return Pair(head.name, "", after, trouble)
    start = after if head.spaced else head.end
    quoted = _quoted(text, start)
    if quoted is not None:
        inner, end = quoted
        return Pair(head.name, inner, end, _opened_twice(head.name, inner))
    end = _end(_VALUE, text, start)
    following = _NEXT.match(text, end)
    cut = _unfinished(head.name, text[start:end], following[1] if following else "")
    return Pair(head.name, text[start:end], end, cut if names.known(head.name) else None)


def _opened_twice(name: str, inner: str) -> str | None:
    # 'Notes="a "b" c"' ends after b, where the inner quotes do.
    if inner.count('"') % 2 and re.search(r'(?:\A|\s)"\S', inner):
        return f"has quotes within quotes: write {shown(name)}='…'"
    return None


def _unfinished(name: str, value: str, following: str) -> str | None:
    if value.startswith('"'):
        return unclosed(name)
    if goes_on(value, following):
        whole = f"{shown(name)}={around(value)}"
        return f"seems to go on after the blank: write {whole} round what belongs to it"
    return None


def goes_on(value: str, following: str) -> bool:
    """Whether a value without quotes seems to go on in the word that follows it."""
    if not following:
        return False
    closers = _OPENERS.get(value[:1])
    if closers and not any(closer in value[1:] for closer in closers):
        return True
    if value.endswith((",", ";")) or following.startswith((",", ";")):
        return True
    return len(value) <= _SHOWN and _IN_TWO.match(f"{value} {following}") is not None


def unclosed(name: str) -> str:
    """Say that a value begins with a quote and does not end with one."""
    return f'has an opening " and no closing one before a blank: write {shown(name)}="…"'


def around(text: str) -> str:
    """The quotes in which a text can be written so that it ends where they do."""
    ends = (mark for mark in "\"'" if not re.search(rf"{mark}(?:\s|\Z)", text))
    mark = next(ends, "")
    return f"{mark}…{mark}" if mark else "“…”"


def bare(name: str) -> str:
    """A name without the marks that somebody has put round it."""
    return name.strip("\"'“”„‘’«»`").strip()  # noqa: RUF001 - they are meant


def no_value(name: str) -> str:
    """Say that an `=` with blanks round it has nothing after it that can be its value."""
    return f'has no value after its =: write {shown(name)}="…"'


def shown(name: str) -> str:
    """Write a name as it is typed: in quotes where it holds white space."""
    cut = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
    return f'"{cut}"' if re.search(r"\s", cut) else cut


def item(text: str, names: Names) -> tuple[str, str] | None:
    """Split an argument into name and value; None where it is text.

    The shell has taken quotes away, so a free name is all that stands before the first `=`.
    """
    text = visible(text)
    if head := _marked_head(text, 0, names):
        return head.name, text[head.end :]
    end = _end(_LINE, text, 0)
    name = text[:end].strip()
    if not name or not names.known(name) or not _is_equals(text, end, name):
        return None
    # A quote that opens before the name closes after the =: it stands round more than a name.
    return None if name.startswith('"') else (name, text[end + 1 :])


def split_equals(word: str, following: str, names: Names) -> str | None:
    """Return the value's beginning where an argument is a name and the next begins with `=`."""
    name = word.strip()
    if not name or not names.known(name) or re.search(rf"[{EQUALS}\r\n]", word):
        return None
    lone = _is_equals(following, 0, name) and not following.startswith(">", 1)
    return following[1:] if lone else None


def pair_within(text: str) -> tuple[str, str] | None:
    """Find a word in a text that looks like `name=value`.

    Returns the word, and what stands before its `=` on the line: the name that may be meant.
    """
    for word in re.finditer(r"\S+", text):
        at = _end(_WORD, word[0], 0)
        if at < len(word[0]) and _is_equals(word[0], at, word[0][:at]):
            begin = text.rfind("\n", 0, word.start()) + 1
            return word[0], text[begin : word.start() + at].strip()
    return None


def whole_quoted(text: str) -> str | None:
    """Return what a pair of quotes round a whole text holds; None where there is no pair."""
    quoted = _quoted(text, 0)
    return quoted[0] if quoted is not None and quoted[1] == len(text) else None


def _head_at(text: str, pos: int, names: Names) -> _Head | None:
    """Find the name before an `=` and where its value may begin."""
    if head := _marked_head(text, pos, names):
        return head
    word = _WORD.match(text, pos)
    if word is None or word[0].startswith('"') or not names.known(word[0]):
        return None
    return _equals_after(text, word.end(), word[0])


def _marked_head(text: str, pos: int, names: Names) -> _Head | None:
    """Find a name in quotes, or a plain one that no text is likely to hold."""
    if quoted := _quoted_name(text, pos, names):
        return quoted
    plain = _NAME.match(text, pos)
    own = plain and (not names.free or names.owns(plain[0]))
    return _Head(plain[0], plain.end() + 1) if plain and own else None


def _equals_after(text: str, end: int, name: str) -> _Head | None:
    at = _end(_BLANKS, text, end)
    if not _is_equals(text, at, name):
        return None
    if at > end and text.startswith(">", at + 1):
        return None  # an arrow
    return _Head(name, at + 1, spaced=at > end)


def _is_equals(text: str, at: int, name: str) -> bool:
    """Whether an `=` parts a name from a value here; that of == != <= >=, of a URL does not."""
    if text[at : at + 1] not in tuple(EQUALS) or text[at + 1 : at + 2] in tuple(EQUALS):
        return False
    return not name.endswith(("!", "<", ">")) and "://" not in name


def _quoted_name(text: str, pos: int, names: Names) -> _Head | None:
    """Read a name in quotes: its closing quote counts only before an `=`."""
    closers = _CLOSERS.get(text[pos : pos + 1])
    match = re.compile(rf"[{closers}\r\n]").search(text, pos + 1) if closers else None
    if match is None or match[0] not in (closers or ""):
        return None
    name = text[pos + 1 : match.start()].strip()
    head = _equals_after(text, match.end(), "") if name else None
    if head is None or (head.spaced and not names.known(name)):
        return None
    return _Head(name, head.end, head.spaced)


def _quoted(text: str, start: int) -> tuple[str, int] | None:
    """Read a value in quotes: its closing quote counts only before white space or the end."""
    opener = text[start : start + 1]
    closers = _CLOSERS.get(opener)
    if not closers:
        return None
    match = re.compile(rf"[{closers}](?=\s|\Z)").search(text, start + 1)
    at = match.start() if match else None
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


def _end(pattern: re.Pattern[str], text: str, pos: int) -> int:
    """Where a pattern that may match nothing ends."""
    match = pattern.match(text, pos)
    return match.end() if match else pos
