"""How much one request may hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def json_of_at_most(most: int) -> Callable[[Any], Any]:
    """Make a validator: what it takes can be written as JSON, in at most so many bytes."""

    def check(value: Any) -> Any:
        try:
            size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
        except (TypeError, ValueError):
            raise ValueError("must hold nothing but JSON: text, numbers, lists, objects") from None
        if size > most:
            raise ValueError(f"must be at most {most:,} bytes in all (it has {size:,})")
        return value

    return check
