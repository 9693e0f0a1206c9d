"""JSON as input: an object or rows, each name once, only numbers that are numbers."""

import json
import re
from typing import Any

from core.errors import Fault, InvalidInput
from core.grammar.words import visible

MAX_NAMES = 100  # far above what any contract takes; names cost time to compare
# Notion's deepest property objects nest nine levels; a cell or a text none.
MAX_DEPTH = 32
# What every JSON reader holds exactly (RFC 8259, section 6).
MAX_INTEGER = 2**53 - 1
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_TOO_LARGE = "holds a number that is too large"
_TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels"


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
        return strict_json(text)
    except BrokenJson:
        straight = text.replace("“", '"').replace("”", '"')
        if straight == text:
            raise
        # Phones and chats curl the quotes of what was typed.
        return strict_json(straight)


def strict_json(text: str) -> Any:
    """Read JSON within bounds, the same from a person and a program; raises BrokenJson."""
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except BrokenJson:
        raise
    except json.JSONDecodeError as fault:
        # Its position helps, its text would quote what was given.
        where = f"line {fault.lineno}, column {fault.colno}"
        raise BrokenJson("json", f"is not valid at {where}") from None
    except ValueError:
        # Python reads whole numbers of up to 4,300 digits.
        raise BrokenJson("json", _TOO_LARGE) from None
    except RecursionError:
        raise BrokenJson("json", _TOO_DEEP) from None
    _check_values(value)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise BrokenJson(name, "is in the JSON twice")
        values[name] = value
    if len(values) > MAX_NAMES:
        raise BrokenJson("json", f"holds more than {MAX_NAMES} fields in one object")
    return values


def _no_constant(name: str) -> Any:
    raise BrokenJson("json", f"must not hold {name}")


def _check_values(value: Any) -> None:
    """Walk a value without recursion."""
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for inner in level:
            if isinstance(inner, dict):
                below += [*inner, *inner.values()]
            elif isinstance(inner, list):
                below += inner
            elif isinstance(inner, str) and _SURROGATE.search(inner):
                what = "holds half of a surrogate pair, which is no character"
                raise BrokenJson("json", what)
            elif isinstance(inner, int | float) and abs(inner) > MAX_INTEGER:
                raise BrokenJson("json", _TOO_LARGE)
        if not below:
            return
        level = below
    raise BrokenJson("json", _TOO_DEEP)
