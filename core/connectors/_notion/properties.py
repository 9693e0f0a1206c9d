"""Plain values as the typed properties a database's own columns want."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Container, Iterable, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import unquote, urlsplit

from core.connectors._notion.columns import Schema, notion_id
from core.contract import listed
from core.errors import Fault, InvalidInput

# https://developers.notion.com/reference/request-limits. Notion counts as JavaScript does, in
# UTF-16 units; a piece that fits so fits by any other count as well.
TEXT_UNITS = 2000
ITEMS = 100
OPTION_LENGTH = 100
URL_LENGTH = 2000
SHORT_LENGTH = 200
FILE_NAME_LENGTH = 100
SAFE_INTEGER = 2**53  # a Notion number is a double: larger integers would lose their end

READ_ONLY = {
    *("formula", "rollup", "unique_id", "button", "verification"),
    *("created_time", "created_by", "last_edited_time", "last_edited_by", "last_visited_time"),
}
_NUMBER = re.compile(r"-?[0-9]{1,300}(\.[0-9]{1,300})?(e[+-]?[0-9]{1,3})?", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
_YES = {"yes", "true", "1", "on", "y", "x", "✓"}
_NO = {"no", "false", "0", "off", "n"}


def named_once(props: Any) -> Any:
    """Refuse names that stripping would empty, or quietly make the same."""
    if isinstance(props, Mapping):
        names = {str(name).strip() for name in props}
        if "" in names:
            raise ValueError("has a value without a name")
        if len(names) < len(props):
            raise ValueError("names a column twice")
    return props


def typed(props: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Turn plain values into the typed properties of this schema.

    A key is a column's name or id; `title` is the title column, whatever its name. Notion's
    own property objects are left as they are. Raises InvalidInput with every fault.
    """
    made: dict[str, Any] = {}
    faults: list[Fault] = []
    for key, value in props.items():
        try:
            name = _column(key, schema, made)
            made[name] = _property(schema.columns[name].type, value)
        except ValueError as wrong:
            faults.append(Fault(f"props.{key[:80]}", str(wrong)))
    if faults:
        raise InvalidInput(faults)
    return made


def _column(key: str, schema: Schema, taken: Container[str]) -> str:
    name = _name(key.strip(), schema)
    if name is None:
        raise ValueError(_no_such_column(key, schema))
    if name in taken:
        raise ValueError(f"is the column {name!r}, which is given twice")
    return name


def _name(key: str, schema: Schema) -> str | None:
    if key == "title":
        return next((n for n, column in schema.columns.items() if column.type == "title"), None)
    if key in schema.columns:
        return key
    return next((n for n, c in schema.columns.items() if key in (c.id, unquote(c.id))), None)


def _no_such_column(key: str, schema: Schema) -> str:
    folded = {name.casefold(): name for name in schema.columns}
    near = get_close_matches(key.strip().casefold(), folded, n=1)
    hint = f" (did you mean {folded[near[0]]!r}?)" if near else ""
    names = listed(name for name, column in schema.columns.items() if column.type not in READ_ONLY)
    return f"is not a column of this database{hint}; the columns are: {names}"


def _property(kind: str, value: Any) -> dict[str, Any]:
    if kind in READ_ONLY:
        raise ValueError(f"is read-only in Notion ({kind}); leave it out")
    if isinstance(value, Mapping) and kind in value:
        return dict(value)
    if kind not in _PLAIN:
        raise ValueError(f"is of type {kind}, which takes only Notion's own object ({kind}: …)")
    empty, convert = _PLAIN[kind]
    try:
        value = value.strip() if isinstance(value, str) else value
        return {kind: empty if value in (None, "") and kind != "checkbox" else convert(value)}
    except ValueError as wrong:
        raise ValueError(f"is of type {kind}: {wrong}") from None


def _plain(value: Any, most: int | None = None) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("give text")  # noqa: TRY004 - a fault of the input
    text = str(value).strip()
    if most is not None and len(text) > most:
        raise ValueError(f"at most {most:,} characters (it has {len(text):,})")
    return text


def _text(value: Any) -> list[dict[str, Any]]:
    pieces = split_text(_plain(value))
    if len(pieces) > ITEMS:
        raise ValueError(f"at most {TEXT_UNITS * ITEMS:,} characters")
    return [{"text": {"content": piece}} for piece in pieces]


def split_text(text: str) -> list[str]:
    """Cut a text into pieces of at most 2,000 UTF-16 units, never inside a character."""
    pieces, start, units = [], 0, 0
    for index, char in enumerate(text):
        width = 2 if ord(char) > 0xFFFF else 1
        if units + width > TEXT_UNITS:
            pieces.append(text[start:index])
            start, units = index, 0
        units += width
    return [*pieces, text[start:]] if text else []


def _number(value: Any) -> int | float:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value) if re.search(r"[.eE]", value) else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("give a number such as 3 or 4.5")
    if isinstance(value, int) and abs(value) > SAFE_INTEGER:
        raise ValueError("Notion keeps whole numbers up to 9,007,199,254,740,992 exactly")
    return value


def _option(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        if not value.keys() & {"name", "id"}:
            raise ValueError("give the option's name")
        return dict(value)
    return {"name": _plain(value, OPTION_LENGTH)}


def _options(value: Any) -> list[dict[str, Any]]:
    return _distinct(_option(item) for item in _items(value))


def _items(value: Any, separator: str = r"\s*,\s*") -> list[Any]:
    if isinstance(value, str):
        return [item for item in re.split(separator, value) if item]
    return list(value) if isinstance(value, list | tuple) else [value]


def _distinct(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for item in items:
        if item not in found:
            found.append(item)
    if len(found) > ITEMS:
        raise ValueError(f"at most {ITEMS} (there are {len(found)})")
    return found


def _references(value: Any) -> list[dict[str, Any]]:
    return _distinct(_reference(item) for item in _items(value))


def _reference(value: Any) -> dict[str, Any]:
    ident = value.get("id") if isinstance(value, Mapping) else value
    try:
        return {"id": notion_id(str(ident))}
    except ValueError:
        raise ValueError("give Notion ids or addresses, separated by commas") from None


def _files(value: Any) -> list[dict[str, Any]]:
    return _distinct(_file(item) for item in _items(value, r"[,\s]*\s[,\s]*"))


def _file(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        if not value.keys() & {"external", "file", "file_upload"}:
            raise ValueError("give the file's address")
        return dict(value)
    url = _url(value)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("give the file's address, beginning with https://")
    name = unquote(parts.path.rpartition("/")[2]) or parts.hostname
    return {"name": name[:FILE_NAME_LENGTH], "external": {"url": url}}


def _url(value: Any) -> str:
    return _plain(value, URL_LENGTH)


def _short(value: Any) -> str:
    return _plain(value, SHORT_LENGTH)


def _checkbox(value: Any) -> bool:
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word not in _YES | _NO:
        raise ValueError("give yes or no")
    return word in _YES


def _date(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        parts = dict(value)
    elif isinstance(value, str):
        start, _, end = value.partition("/")
        parts = {"start": start, "end": end or None}
    else:
        parts = {}
    if not parts.get("start") or parts.keys() - {"start", "end", "time_zone"}:
        raise ValueError("give a day such as 2026-12-01, or a range such as 2026-12-01/2026-12-05")
    start_at, end_at = (_moment(parts[key]) if parts.get(key) else None for key in ("start", "end"))
    if _after(start_at, end_at):
        raise ValueError("the range ends before it begins")
    made = {"start": start_at and start_at.isoformat(), "end": end_at and end_at.isoformat()}
    made |= {"time_zone": parts.get("time_zone")}
    return {key: value for key, value in made.items() if value is not None}


def _moment(value: Any) -> dt.date:
    """Read a day or a moment; a moment is a datetime, which is a date too."""
    text = value.strip() if isinstance(value, str) else ""
    try:
        if _DAY.fullmatch(text):
            return dt.date.fromisoformat(text)
        if _MOMENT.fullmatch(text):
            return dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("there is no such day or time") from None
    raise ValueError("write days as 2026-12-01 and times as 2026-12-01T09:30")


def _after(start: dt.date | None, end: dt.date | None) -> bool:
    if isinstance(start, dt.datetime) and isinstance(end, dt.datetime):
        # One with an offset and one without cannot be compared; Notion reads them itself.
        return (start.tzinfo is None) == (end.tzinfo is None) and start > end
    if isinstance(start, dt.datetime) or isinstance(end, dt.datetime):
        return False
    return bool(start and end and start > end)


# Each type a plain value can fill: what "nothing" is, and how a value is turned.
_PLAIN: Mapping[str, tuple[Any, Callable[[Any], Any]]] = {
    "title": ([], _text),
    "rich_text": ([], _text),
    "number": (None, _number),
    "select": (None, _option),
    "status": (None, _option),
    "multi_select": ([], _options),
    "date": (None, _date),
    "checkbox": (False, _checkbox),
    "url": (None, _url),
    "email": (None, _short),
    "phone_number": (None, _short),
    "people": ([], _references),
    "relation": ([], _references),
    "files": ([], _files),
}
