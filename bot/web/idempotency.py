"""The Idempotency-Key header: one run for as many posts as carry the same key.

`sent`, `refused` and `unknown` bind a key; a run that was not sent frees it. Keys are a
caller's own: another caller's equal key is another key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.errors import Fault, InProgress, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.callers import Caller
    from core.engine import Accepted

HEADER = "Idempotency-Key"
PATTERN = r"^[!-~]([ -~]{0,253}[!-~])?$"
# A run that is still out is over by then: what is left of its time, at most.
_RETRY_SECONDS = 5.0


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
    return f"{caller}:{text}"


def refuse_unfinished(accepted: Accepted) -> None:
    """Raise InProgress for a repeated key whose first run is still out."""
    if not accepted.first and accepted.settled is None:
        raise InProgress(run=accepted.run, retry_after=_RETRY_SECONDS, fix="Ask again shortly.")
