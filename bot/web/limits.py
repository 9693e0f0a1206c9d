"""How much of a request is taken, and for how long it is waited for."""

import resource
from dataclasses import dataclass, field
from functools import partial

MAX_BYTES = 256 * 1024
HEAD_BYTES = 16 * 1024


def affordable(most: int, share: int) -> int:
    """At most so many, and no more than a share of the files the process may have open.

    The ledger and each run's way out are files too.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if files == resource.RLIM_INFINITY else min(most, files // share)


@dataclass(frozen=True)
class Limits:
    """Bounds in time and number: a whole head, a whole body, a pause between two requests.

    `read_seconds` is how long a caller may leave its answers unread before it is cut off;
    `backlog` how many connections wait to be taken.
    """

    head_seconds: float = 10.0
    body_seconds: float = 10.0
    keep_alive_seconds: int = 5
    connections: int = field(default_factory=partial(affordable, 512, 2))
    read_seconds: float = 10.0
    # asyncio takes all of them in one turn, and three turns go by until those are closed
    # that must make room.
    backlog: int = field(default_factory=partial(affordable, 256, 8))

    @property
    def runs(self) -> int:
        """How many runs are waited for at once where a platform posts: it needs the others."""
        return self.connections - self.connections // 4
