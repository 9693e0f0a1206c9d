"""What waits for a person's yes: kept in memory, for one asker, for ten minutes."""

from __future__ import annotations

import secrets
from typing import Generic, TypeVar

from bot.expiring import ExpiringMap

T = TypeVar("T")

SECONDS = 600.0
# A flood of questions forgets the oldest, as a restart would.
MOST = 1000


class Confirmations(Generic[T]):
    """Things put aside under a nonce, for whom they belong to; each can be taken once."""

    def __init__(self, *, seconds: float = SECONDS, most: int = MOST) -> None:
        self._kept: ExpiringMap[str, tuple[str, T]] = ExpiringMap(most, seconds)

    def put(self, owner: str, thing: T) -> str:
        """Keep a thing for its owner; the nonce is 16 characters, fit for a button."""
        nonce = secrets.token_urlsafe(12)
        self._kept[nonce] = (owner, thing)
        return nonce

    def find(self, owner: str, nonce: str) -> T | None:
        """Show a thing and keep it; None where it is gone, late or somebody else's."""
        found = self._kept.get(nonce)
        return found[1] if found is not None and found[0] == owner else None

    def take(self, owner: str, nonce: str) -> T | None:
        """Hand a thing over, once; None where `find` finds none."""
        found = self.find(owner, nonce)
        if found is not None:
            self._kept.pop(nonce)
        return found
