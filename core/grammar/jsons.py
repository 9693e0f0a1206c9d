"""JSON as input: an object or rows, each name once, only numbers that are numbers."""

from __future__ import annotations

import json
import math
from typing import Any

from core.errors import Fault, InvalidInput
from core.grammar.words import visible


class _Broken(ValueError):
    """JSON that parses and still is no input: the name it is about, and why."""


def read_json(text: str) -> dict[str, Any]:
    """Read a JSON object; raises InvalidInput saying where it breaks off."""
    # What does not begin so is no broken object, but something else.
    found = _uncurled(text) if visible(text).startswith("{") else None
    if not isinstance(found, dict):
        raise InvalidInput([Fault("json", 'must be an object: {"name": "value"}')])
    return found


def read_json_rows(text: str) -> list[Any]:
    """Read a JSON list of rows, or of the cells of one row; raises ValueError."""
    try:
        found = _uncurled(text)
    except InvalidInput as problem:
        fault = problem.faults[0]
        what = fault.message if fault.field == "json" else f"{fault.field} {fault.message}"
        raise ValueError(what) from None
    lists = [isinstance(row, list) for row in found]
    if any(lists) and not all(lists):
        raise ValueError("must be rows, [[…], […]], or the cells of one row, […]: not both")
    return found if any(lists) or not found else [found]


def _uncurled(text: str) -> Any:
    text = visible(text)
    try:
        return _load(text)
    except InvalidInput:
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
    except _Broken as broken:
        raise InvalidInput([Fault(*broken.args)]) from None
    except json.JSONDecodeError as fault:
        where = f"line {fault.lineno}, column {fault.colno}"
        raise InvalidInput([Fault("json", f"is not valid at {where}")]) from None
    except ValueError:
        # Python reads whole numbers of up to 4,300 digits.
        raise InvalidInput([Fault("json", "holds a number that is too large")]) from None
    except RecursionError:
        raise InvalidInput([Fault("json", "is nested too deep")]) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, inner in pairs:
        if name in found:
            raise _Broken(name, "stands twice in the JSON")
        found[name] = inner
    return found


def _no_constant(name: str) -> Any:
    raise _Broken("json", f"must not hold {name}")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Broken("json", "holds a number that is too large")
    return number
