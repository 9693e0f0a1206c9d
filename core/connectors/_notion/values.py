"""One plain value as what a column of its type wants; what would change is refused."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

from core.connectors._notion.dates import Zone, date
from core.connectors._notion.schema import Column, Names, notion_id, shown
from core.contract import Entered, folded, utf16_length

# https://developers.notion.com/reference/request-limits. Notion counts as JavaScript does, in
# UTF-16 units; a piece that fits so fits by any other count as well.
TEXT_UNITS = 2000
ITEMS = 100
OPTION_LENGTH = 100
URL_LENGTH = 2000
SHORT_LENGTH = 200
FILE_NAME_LENGTH = 100
SAFE_INTEGER = 2**53  # a Notion number is a double: larger integers would lose their end

_NUMERAL = re.compile(
    r"[+-]?(?=\.?[0-9])[0-9]{0,40}(?:\.[0-9]{0,40})?(?:e[+-]?[0-9]{1,2})?", re.IGNORECASE
)
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_MARKED = re.compile(r'^\[.*\]$|["“”„«»]', re.DOTALL)  # no part of an option, with a comma
_LINE_BREAK = re.compile(r"[\n\r\u2028\u2029]")
_YES = {"yes", "true", "1", "on", "y", "x", "✓"}
_NO = {"no", "false", "0", "off", "n"}


@dataclass
class Conversion:
    """One value on its way into its column, and what the receipt is to say of it."""

    column: Column
    zone: Zone
    notes: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)  # options that the column does not have yet

    @cached_property
    def options(self) -> Names:
        """The column's options."""
        return Names("options", {option.name: option.id for option in self.column.options})


def _plain(value: Any) -> str:
    if isinstance(value, float):
        raise ValueError(f'give text, in quotes: "{value}"')  # noqa: TRY004 - a fault of the input
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("give text")  # noqa: TRY004
    return str(value).strip()


def _short_text(value: Any, most: int) -> str:
    text = _plain(value)
    if (length := utf16_length(text)) > most:
        raise ValueError(f"at most {most:,} characters (it has {length:,})")
    if _LINE_BREAK.search(text):
        raise ValueError("must be on one line")
    return text


def _text(value: Any, _: Conversion) -> list[dict[str, Any]]:
    pieces = split_text(_plain(value))
    if len(pieces) > ITEMS:
        raise ValueError(f"at most {TEXT_UNITS * ITEMS:,} characters")
    return [{"text": {"content": piece}} for piece in pieces]


def split_text(text: str) -> list[str]:
    """Cut a text into pieces of at most 2,000 UTF-16 units, never inside a character."""
    pieces, start, size = [], 0, 0
    for index, char in enumerate(text):
        width = 2 if ord(char) > 0xFFFF else 1
        if size + width > TEXT_UNITS:
            pieces.append(text[start:index])
            start, size = index, 0
        size += width
    return [*pieces, text[start:]] if text else []


def _number(value: Any, turn: Conversion) -> int | float:
    if isinstance(value, str):
        return _numeral(value, turn)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("give a number such as 3 or 4.5")
    return _kept(value)


def _kept(number: float) -> int | float:
    if isinstance(number, int) and abs(number) > SAFE_INTEGER:
        raise ValueError(f"Notion keeps whole numbers up to {SAFE_INTEGER:,}: use a text column")
    return number


def _numeral(text: str, turn: Conversion) -> int | float:
    """Read a typed number; one that Notion would keep in other digits is noted or refused."""
    if not _NUMERAL.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError("give a number such as 3 or 4.5")
    whole = _kept(int(text)) if text.lstrip("+-").isdecimal() else None
    number = float(text) if whole is None else whole
    stored = f"{Decimal(repr(number)).normalize() + 0:f}"
    if text == stored:
        return number
    same = _PLAIN.fullmatch(text) and Decimal(text) == Decimal(stored)
    if not same or (number == 0 and text.startswith("-")):
        how = f"write {stored}, or use a text column"
        raise ValueError(f"Notion would keep {text} as {stored}: {how}")
    turn.notes.append(f"{text} is kept as {stored}; a text column keeps it as written")
    return number


def _option(value: Any, turn: Conversion) -> dict[str, Any]:
    if isinstance(value, Mapping):
        if not value.keys() & {"name", "id"}:
            raise ValueError("give the option's name")
        return dict(value)
    if isinstance(value, Entered):
        return _existing(value, turn)
    text = _short_text(value, OPTION_LENGTH)
    if not text:
        raise ValueError("give the option's name")
    name = turn.options.find(text)
    if name is not None:
        # A name with a comma is refused where Notion reads it, its id is not.
        return {"id": turn.options.ids[name]} if "," in name else {"name": name}
    if turn.column.type == "status" and turn.column.options:
        known = (option.name for option in turn.column.options)
        raise ValueError(f"{shown(text)} is no option{turn.options.hint(text, known)}")
    if "," in text:
        raise ValueError("the name of an option has no comma in Notion")
    turn.new.append(text)
    return {"name": text}


def _existing(text: str, turn: Conversion) -> dict[str, Any]:
    """An option that was chosen of a list: by its id, so that Notion makes none of that name."""
    ids = turn.options.ids
    name = text if text in ids else turn.options.find(text)
    if name is None:
        hint = turn.options.hint(text, ids)
        raise ValueError(f"{shown(text)} is no option{hint}")
    return {"id": ids[name]} if ids[name] else {"name": name}


def _options(value: Any, turn: Conversion) -> list[dict[str, Any]]:
    if isinstance(value, Entered):
        value = [value]
    if isinstance(value, str) and "," in value:
        with_comma = [name for name in turn.options.ids if "," in name]
        held = next((name for name in with_comma if folded(name) in folded(value)), None)
        if held is not None and folded(held) == folded(value):
            value = [value]
        elif _json_list(value) is None and (held is not None or _MARKED.search(value)):
            why = f"{shown(held)} is an option with a comma" if held else "holds quotes or brackets"
            raise ValueError(
                f'{why}: write the options as a JSON list, such as ["one", "two, three"]'
            )
    return _distinct(_items(value), lambda item: _option(item, turn))


def _items(value: Any, split: Callable[[str], list[str]] | None = None) -> list[Any]:
    if not isinstance(value, str):
        return list(value) if isinstance(value, list | tuple) else [value]
    texts = _json_list(value)
    if texts is not None:
        return texts
    return list(filter(None, map(str.strip, split(value) if split else value.split(","))))


def _json_list(text: str) -> list[str] | None:
    """The texts of a JSON list; None where it is none, and the text means itself."""
    try:
        # Phones curl the quotes of what was typed.
        straight = text if '"' in text else re.sub("[“”„]", '"', text)
        texts = json.loads(straight) if text.startswith("[") else None
    except (ValueError, RecursionError):
        return None
    fits = isinstance(texts, list) and all(isinstance(text, str) for text in texts)
    return texts if fits else None


def _distinct(items: list[Any], convert: Callable[[Any], dict[str, Any]]) -> list[dict[str, Any]]:
    """Convert each item; more than Notion takes, and one given twice, are refused."""
    if len(items) > ITEMS:
        raise ValueError(f"at most {ITEMS} (there are {len(items):,})")
    made: dict[str, dict[str, Any]] = {}
    for item in items:
        entry = convert(item)
        key = json.dumps(entry, sort_keys=True)
        if key in made:
            name = shown(str(entry.get("name") or entry.get("id") or key))
            raise ValueError(f"{name} is given twice")
        made[key] = entry
    return list(made.values())


def _reference(value: Any) -> dict[str, Any]:
    ident = value.get("id") if isinstance(value, Mapping) else value
    try:
        return {"id": notion_id(_short_text(ident, URL_LENGTH))}
    except ValueError:
        raise ValueError("give Notion ids or addresses, separated by commas") from None


def _addresses(text: str) -> list[str]:
    """Split at blanks; a comma beside one goes with it, another belongs to its address."""
    words = text.split()
    last = len(words) - 1
    return [
        word.lstrip("," if index else "").rstrip("," if index < last else "")
        for index, word in enumerate(words)
    ]


def _file(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        if not value.keys() & {"external", "file", "file_upload"}:
            raise ValueError("give the file's address")
        return dict(value)
    url = _short_text(value, URL_LENGTH)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or url.split() != [url]:
        raise ValueError("give the file's address, beginning with https://")
    last = parts.path.rpartition("/")[2]
    name = unquote(last) if unquote(last).isprintable() else last
    return {"name": (name or parts.hostname)[:FILE_NAME_LENGTH], "external": {"url": url}}


def _checkbox(value: Any, _: Conversion) -> bool:
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word not in _YES | _NO:
        raise ValueError("give yes or no")
    return word in _YES


# Each type a plain value can fill: what "nothing" is, and how a value is turned.
PLAIN: Mapping[str, tuple[Any, Callable[[Any, Conversion], Any]]] = {
    "title": ([], _text),
    "rich_text": ([], _text),
    "number": (None, _number),
    "select": (None, _option),
    "status": (None, _option),
    "multi_select": ([], _options),
    "date": (None, lambda value, turn: date(value, turn.zone, turn.notes.append)),
    "checkbox": (False, _checkbox),
    "url": (None, lambda value, _: _short_text(value, URL_LENGTH)),
    "email": (None, lambda value, _: _short_text(value, SHORT_LENGTH)),
    "phone_number": (None, lambda value, _: _short_text(value, SHORT_LENGTH)),
    "people": ([], lambda value, _: _distinct(_items(value), _reference)),
    "relation": ([], lambda value, _: _distinct(_items(value), _reference)),
    "files": ([], lambda value, _: _distinct(_items(value, _addresses), _file)),
}
