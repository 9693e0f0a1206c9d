"""JSON as input: an object or rows, each name once, only numbers that are numbers."""

from __future__ import annotations

import json
import math
from typing import Any

from core.errors import Fault, InvalidInput
from core.grammar.words import visible


class BrokenJson(ValueError):
    """JSON that is no input: the name it is about (`json` for the whole), and why."""

    def __str__(self) -> str:
        name, why = self.args
        return str(why) if name == "json" else f"{name} {why}"


def read_json(text: str) -> dict[str, Any]:
    """Read a JSON object; raises InvalidInput saying where it breaks off."""
    try:
        return json_object(text)
    except BrokenJson as broken:
        raise InvalidInput([Fault(*broken.args)]) from None


def json_object(text: str) -> dict[str, Any]:
    """Read a JSON object; raises BrokenJson saying where it breaks off."""
    # What does not begin so is no broken object, but something else.
    read = _uncurled(text) if visible(text).startswith("{") else None
    if not isinstance(read, dict):
        raise BrokenJson("json", 'must be an object: {"name": "value"}')
    return read


def json_rows(text: str) -> list[Any]:
    """Read a JSON list of rows, or of the cells of one row; raises ValueError."""
    read = _uncurled(text)
    lists = [isinstance(row, list) for row in read]
    if any(lists) and not all(lists):
        raise ValueError("must be rows, [[…], […]], or the cells of one row, […]: not both")
    return read if any(lists) or not read else [read]


def _uncurled(text: str) -> Any:
    text = visible(text)
    try:
        return _load(text)
    except BrokenJson:
        straight = text.replace("“", '"').replace("”", '"')
        if straight == text:
            raise
        # Phones and chats curl the quotes of what was typed.
        return _load(straight)


def _load(text: str) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite
        )
    except BrokenJson:
        raise
    except json.JSONDecodeError as fault:
        where = f"line {fault.lineno}, column {fault.colno}"
        raise BrokenJson("json", f"is not valid at {where}") from None
    except ValueError:
        # Python reads whole numbers of up to 4,300 digits.
        raise BrokenJson("json", "holds a number that is too large") from None
    except RecursionError:
        raise BrokenJson("json", "is nested too deep") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, inner in pairs:
        if name in values:
            raise BrokenJson(name, "is in the JSON twice")
        values[name] = inner
    return values


def _no_constant(name: str) -> Any:
    raise BrokenJson("json", f"must not hold {name}")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BrokenJson("json", "holds a number that is too large")
    return number
