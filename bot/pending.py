"""What waits for a person's yes: kept in memory, for one asker, for ten minutes."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")

SECONDS = 600.0
# A flood of questions forgets the oldest, as a restart would.
MOST = 1000


class Pending(Generic[T]):
    """Things put aside under a nonce, for whom they belong to; each can be taken once."""

    def __init__(self, *, seconds: float = SECONDS, most: int = MOST) -> None:
        self._seconds = seconds
        self._most = most
        self._kept: OrderedDict[str, tuple[float, str, T]] = OrderedDict()

    def put(self, owner: str, thing: T) -> str:
        """Keep a thing for its owner; the nonce is 16 characters, fit for a button."""
        self._forget(self._most - 1)
        nonce = secrets.token_urlsafe(12)
        self._kept[nonce] = (time.monotonic() + self._seconds, owner, thing)
        return nonce

    def find(self, owner: str, nonce: str) -> T | None:
        """Show a thing and keep it; None where it is gone, late or somebody else's."""
        self._forget(self._most)
        found = self._kept.get(nonce)
        return found[2] if found is not None and found[1] == owner else None

    def take(self, owner: str, nonce: str) -> T | None:
        """Hand a thing over, once; None where `find` finds none."""
        found = self.find(owner, nonce)
        if found is not None:
            del self._kept[nonce]
        return found

    def _forget(self, most: int) -> None:
        now = time.monotonic()
        while self._kept:
            nonce, (until, _, _) = next(iter(self._kept.items()))
            if until > now and len(self._kept) <= most:
                return
            del self._kept[nonce]
