"""What a column of each type takes, and how Notion answers it."""

import re
import uuid
from collections.abc import Callable
from typing import Any

from aiohttp import web

from core.plain import utf16_length
from core.sandbox.credentials import uuid as made_up_uuid
from core.sandbox.notion import schema
from core.sandbox.service import Refusal

MAX_TEXT = 2000
MAX_ITEMS = 100
_NULLABLE = {"number", "select", "status", "date", "url", "email", "phone_number"}
_BOUNDS = {"url": 2000, "email": 200, "phone_number": 200}
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
_LINK = re.compile(r"[a-z][a-z0-9+.-]*:\S+", re.IGNORECASE)

READ_ONLY: dict[str, Any] = {
    "formula": {"type": "boolean", "boolean": False},
    "rollup": {"type": "number", "number": 0, "function": "sum"},
    "created_time": schema.CREATED,
    "created_by": schema.user(schema.BOT),
    "last_edited_time": schema.CREATED,
    "last_edited_by": schema.user(schema.BOT),
    "unique_id": {"prefix": "TASK", "number": 1},
    "button": {},
}


def refusal(status: int, code: str, message: str, more: dict[str, Any] | None = None) -> Refusal:
    """Notion's refusal: HTTP status, code, sentence and additional data."""
    body = {"object": "error", "status": status, "code": code, "message": message}
    if more:
        body["additional_data"] = more
    body["request_id"] = str(uuid.uuid4())
    return Refusal(web.json_response(body, status=status))


def invalid(message: str, more: dict[str, Any] | None = None) -> Refusal:
    """What Notion says of a request that does not hold what it wants."""
    return refusal(400, "validation_error", message, more)


def read_uuid(text: Any) -> str | None:
    """An id with or without dashes in its dashed form; None where it is not one."""
    try:
        return str(uuid.UUID(text)) if re.fullmatch(r"[0-9a-fA-F-]{32,36}", str(text)) else None
    except ValueError:
        return None


def read(column: dict[str, Any], given: Any) -> dict[str, Any]:
    """Turn a property of a request into the property of the page; raises Refusal."""
    name, kind = column["name"], column["type"]
    if kind in READ_ONLY:
        raise invalid(f"{name} is a {kind} property, which cannot be set through the API.")
    if isinstance(given, dict) and given.get("type", kind) == kind and kind in given:
        value = given[kind]
    elif isinstance(given, list) and kind in ("title", "rich_text"):
        value = given
    else:
        raise invalid(f"{name} is expected to be {kind}.")
    kept: Any = None
    if kind in _ITEMS:
        items = enumerate(_items(column, value))
        kept = [_ITEMS[kind](column, item, f"[{index}]") for index, item in items]
    elif value is not None or kind not in _NULLABLE:
        kept = _VALUES[kind](column, value)
    return {"id": column["id"], "type": kind, kind: kept}


def empty(column: dict[str, Any]) -> dict[str, Any]:
    """The property of a page that was given no value."""
    kind = column["type"]
    if kind in READ_ONLY:
        value = READ_ONLY[kind]
    elif kind == "checkbox":
        value = False
    elif kind == "status":
        value = _plain(column["status"]["options"][0])
    else:
        value = None if kind in _NULLABLE else []
    return {"id": column["id"], "type": kind, kind: value}


def shown(filled: dict[str, Any]) -> str:
    """A property as a person reads it."""
    value = filled[filled["type"]]
    if isinstance(value, bool):
        return "☑" if value else "☐"
    return ", ".join(map(_words, value if isinstance(value, list) else [value]))


def _words(value: Any) -> str:
    if not isinstance(value, dict):
        return "" if value is None else str(value)
    if "start" in value:
        return " → ".join(filter(None, (value["start"], value.get("end"))))
    return str(value.get("plain_text") or value.get("name") or value.get("id") or "")


def _path(column: dict[str, Any], rest: str = "") -> str:
    return f"body failed validation: body.properties.{column['name']}.{column['type']}{rest}"


def _wrong(column: dict[str, Any], kind: str, given: Any, rest: str = "") -> Refusal:
    return invalid(f"{_path(column, rest)} should be {kind}, instead was `{given!r}`.")


def _items(column: dict[str, Any], value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise _wrong(column, "an array", value)
    if len(value) > MAX_ITEMS:
        raise _wrong(column, f"≤ `{MAX_ITEMS}`", len(value), ".length")
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise _wrong(column, "an object", item, f"[{index}]")
    return value


def _rich_text(column: dict[str, Any], item: dict[str, Any], at: str) -> dict[str, Any]:
    text = item.get("text")
    if not isinstance(text, dict) or not isinstance(text.get("content"), str):
        raise _wrong(column, "defined", None, f"{at}.text")
    if (length := utf16_length(text["content"])) > MAX_TEXT:
        raise _wrong(column, f"≤ `{MAX_TEXT}`", length, f"{at}.text.content.length")
    link = text.get("link") or {}
    if not isinstance(link, dict):
        raise _wrong(column, "an object", link, f"{at}.text.link")
    return schema.rich_text(text["content"], link.get("url"))


def _number(column: dict[str, Any], value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(column, "a number", value)
    return value


def _plain(option: dict[str, Any]) -> dict[str, Any]:
    return {name: option[name] for name in ("id", "name", "color")}


def _option(column: dict[str, Any], value: Any, at: str = "") -> dict[str, Any]:
    kind, known = column["type"], column[column["type"]]["options"]
    name = value.get("name", value.get("id")) if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(name, str):
        raise _wrong(column, "an object with a name", value)
    for option in known:
        if option["id"] == value.get("id") or option["name"] == value.get("name"):
            return _plain(option)
    if "name" not in value:
        raise invalid(f'Invalid {kind} option. Option with ID "{name}" does not exist.')
    if kind == "status":
        raise invalid(f'Invalid status option. Status option "{name}" does not exist".')
    if "," in name:
        raise invalid(f"Invalid select option, commas not allowed: {name}")
    if not 1 <= utf16_length(name) <= MAX_ITEMS:
        raise _wrong(column, f"≤ `{MAX_ITEMS}`", utf16_length(name), ".name.length")
    return {"id": made_up_uuid(f"option {name}"), "name": name, "color": "default"}


def _date(column: dict[str, Any], value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or "start" not in value:
        raise _wrong(column, "an object with a start", value)
    parts: dict[str, Any] = {name: value.get(name) for name in ("start", "end", "time_zone")}
    for part in ("start",) if parts["end"] is None else ("start", "end"):
        if not isinstance(parts[part], str) or not _DATE.fullmatch(parts[part]):
            raise _wrong(column, "a valid ISO 8601 date string", parts[part], f".{part}")
    return parts


def _checkbox(column: dict[str, Any], value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(column, "a boolean", value)
    return value


def _short(column: dict[str, Any], value: Any) -> str:
    bound = _BOUNDS[column["type"]]
    if not isinstance(value, str) or not value:
        raise _wrong(column, "a non-empty string", value)
    if utf16_length(value) > bound:
        raise _wrong(column, f"≤ `{bound}`", utf16_length(value), ".length")
    return value


def _id(column: dict[str, Any], item: dict[str, Any], at: str) -> str:
    if (ident := read_uuid(item.get("id"))) is None:
        raise _wrong(column, "a valid uuid", item.get("id"), f"{at}.id")
    return ident


def _person(column: dict[str, Any], item: dict[str, Any], at: str) -> dict[str, Any]:
    if (ident := _id(column, item, at)) not in (schema.PERSON, schema.BOT):
        raise invalid(f"Could not find user with ID: {ident}.")
    return schema.user(ident)


def _file(column: dict[str, Any], item: dict[str, Any], at: str) -> dict[str, Any]:
    external = item.get("external")
    link = external.get("url") if isinstance(external, dict) else None
    if not isinstance(item.get("name"), str) or not isinstance(link, str):
        raise _wrong(column, "defined", None, f"{at}.external")
    if not _LINK.fullmatch(link):
        raise invalid("Invalid URL for file.")
    return {"name": item["name"], "type": "external", "external": {"url": link}}


# A column's value, or each item of one that holds several.
_VALUES: dict[str, Callable[[dict[str, Any], Any], Any]] = {
    "number": _number,
    "select": _option,
    "status": _option,
    "date": _date,
    "checkbox": _checkbox,
    "url": _short,
    "email": _short,
    "phone_number": _short,
}
_ITEMS: dict[str, Callable[[dict[str, Any], dict[str, Any], str], Any]] = {
    "title": _rich_text,
    "rich_text": _rich_text,
    "multi_select": _option,
    "people": _person,
    "relation": lambda column, item, at: {"id": _id(column, item, at)},
    "files": _file,
}
