"""Values worth keeping for a while: tokens, schemas, names."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, TypeVar, cast

T = TypeVar("T")


class _Held(NamedTuple):
    value: Any
    made: float
    until: float


class _Slot:
    __slots__ = ("held", "making")

    def __init__(self) -> None:
        self.held: _Held | None = None
        self.making = threading.Lock()


class SingleFlightCache:
    """A bounded cache whose values end; of several who want one, the first makes it."""

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self,
        key: Hashable,
        make: Callable[[], tuple[T, float]],
        *,
        wait: float,
        fresh: bool = False,
    ) -> T:
        """Return what is kept, else what `make` gives: a value and for how many seconds.

        `fresh` takes nothing that was made before this call. Where `make` raises, nothing
        is kept and the next who waits tries for itself. Raises TimeoutError after `wait`
        seconds of waiting for somebody else's `make`.
        """
        asked = time.monotonic()
        slot = self._slot(key)
        held = slot.held
        if held and not fresh and asked < held.until:
            return cast("T", held.value)
        if not slot.making.acquire(timeout=wait):
            raise TimeoutError
        try:
            held = slot.held
            if held and time.monotonic() < held.until and (held.made >= asked or not fresh):
                return cast("T", held.value)
            value, seconds = make()
            now = time.monotonic()
            slot.held = _Held(value, now, now + seconds)
            return value
        finally:
            slot.making.release()

    def _slot(self, key: Hashable) -> _Slot:
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            if len(self._slots) > self._size:
                self._slots.popitem(last=False)
            return slot
