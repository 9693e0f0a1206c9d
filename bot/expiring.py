"""A map in memory that forgets: what is too old, and the oldest of too many."""

import math
import time
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class ExpiringMap(Generic[K, V]):
    """At most `most` values, each for `seconds` after it was put in."""

    def __init__(self, most: int, seconds: float = math.inf) -> None:
        self._most = most
        self._seconds = seconds
        self._kept: dict[K, tuple[float, V]] = {}

    def __setitem__(self, key: K, value: V) -> None:
        """Keep a value, in place of an older one; its time begins now."""
        self._kept.pop(key, None)
        self._kept[key] = (time.monotonic() + self._seconds, value)
        self._forget()

    def get(self, key: K) -> V | None:
        """The value, where it is still kept."""
        self._forget()
        _, value = self._kept.get(key, (0.0, None))
        return value

    def pop(self, key: K) -> V | None:
        """Hand the value over and forget it."""
        value = self.get(key)
        self._kept.pop(key, None)
        return value

    def __len__(self) -> int:
        """How many are kept."""
        self._forget()
        return len(self._kept)

    def _forget(self) -> None:
        now = time.monotonic()
        while self._kept:
            oldest, (until, _) = next(iter(self._kept.items()))
            if until > now and len(self._kept) <= self._most:
                return
            del self._kept[oldest]
