"""How much of a request is taken, and for how long it is waited for."""

from __future__ import annotations

from dataclasses import dataclass

MAX_BYTES = 256 * 1024
MAX_NAMES = 64
# Notion's deepest property objects nest nine levels; a cell or a text none.
MAX_DEPTH = 32
# What every JSON reader holds exactly (RFC 8259, section 6).
MAX_INTEGER = 2**53 - 1
HEAD_BYTES = 16 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds in time and number: a whole head, a whole body, a pause between two requests.

    `read_seconds` is how long a caller may leave its answers unread before it is cut off.
    """

    head_seconds: float = 10.0
    body_seconds: float = 10.0
    keep_alive_seconds: int = 5
    # Well below the usual 1024 file descriptors of a process; a run needs one on its way out.
    connections: int = 512
    read_seconds: float = 10.0
