"""The part of Notion's query filters that finding a page again needs."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from core.sandbox.notion.values import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "equals": lambda have, want: have == want,
    "contains": lambda have, want: str(want).lower() in str(have).lower(),
    "starts_with": lambda have, want: str(have).lower().startswith(str(want).lower()),
}
_TIMES: dict[str, Callable[[Any, Any], bool]] = {
    "on_or_after": lambda have, want: have >= want,
    "after": lambda have, want: have > want,
    "on_or_before": lambda have, want: have <= want,
    "before": lambda have, want: have < want,
}


def matches(page: dict[str, Any], asked: Any) -> bool:
    """Whether a page fits a filter; raises Fault for one that is not understood."""
    if asked is None:
        return True
    if not isinstance(asked, dict):
        raise Fault("body failed validation: body.filter should be an object.")
    if "and" in asked:
        return all(matches(page, inner) for inner in asked["and"])
    if "or" in asked:
        return any(matches(page, inner) for inner in asked["or"])
    if asked.get("timestamp") in ("created_time", "last_edited_time"):
        return _when(page, asked)
    return _property(page, asked)


def _when(page: dict[str, Any], asked: dict[str, Any]) -> bool:
    have = dt.datetime.fromisoformat(page[asked["timestamp"]])
    for word, want in asked.get(asked["timestamp"], {}).items():
        if word not in _TIMES:
            raise Fault(f"body failed validation: body.filter.{word} should be not present.")
        moment = dt.datetime.fromisoformat(want)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        if not _TIMES[word](have, moment):
            return False
    return True


def _property(page: dict[str, Any], asked: dict[str, Any]) -> bool:
    name = asked.get("property")
    found = [
        value
        for key, value in page["properties"].items()
        if name is not None and name in (key, value["id"])
    ]
    if not found:
        raise Fault(f"Could not find property with name or id: {name}")
    kind = found[0]["type"]
    if not isinstance(asked.get(kind), dict):
        raise Fault(f"database property {kind} does not match filter")
    have = _plain(found[0][kind])
    for word, want in asked[kind].items():
        if word not in _COMPARE:
            raise Fault(f"body failed validation: body.filter.{kind}.{word} is not supported.")
        if not _COMPARE[word](have, want):
            return False
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return "".join(piece.get("plain_text", piece.get("name", "")) for piece in value)
    return value.get("name") if isinstance(value, dict) else value
