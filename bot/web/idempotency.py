"""The Idempotency-Key header: one run for as many posts as carry the same key.

`sent`, `refused` and `unknown` bind a key; a run that was not sent frees it. Keys are a
caller's own: another caller's equal key is another key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.callers import Caller

HEADER = "Idempotency-Key"
PATTERN = r"^[!-~]([ -~]{0,253}[!-~])?$"


def key_of(headers: Mapping[str, str], caller: Caller) -> str | None:
    """Return the key as the engine takes it; raises InvalidInput for one that cannot be."""
    text = headers.get(HEADER.lower())
    if text is None:
        return None
    if not re.fullmatch(PATTERN.strip("^$"), text):
        raise InvalidInput(
            [Fault(HEADER, "must be 1 to 255 printable ASCII characters")],
            fix="Send a UUID, a new one for each message.",
        )
    # A caller holds no space, but may hold colons: an IPv6 network must not read as a label
    # and the beginning of its key.
    return f"{caller} {text}"
