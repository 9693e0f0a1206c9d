"""Thread pools for blocking work."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

# Each kind of blocking work has threads of its own, so that none waits for another's.
Kind = Literal["accept", "run", "call", "read", "note", "ask"]

# Most of them wait for one another at the ledger, where one writes what has queued up as one
# transaction.
SIZES: dict[Kind, int] = {
    # What a chat platform wants acknowledged within seconds.
    "accept": 32,
    # Runs whose caller waits for the end: as many as may reasonably be journaled at once.
    "run": 64,
    "call": 32,
    # Reads share one connection and never wait for a writer.
    "read": 4,
    # One, so that health's verdicts are written in the order in which they came.
    "note": 1,
    # What a form asks of a service that may hang.
    "ask": 8,
}

# As many are ready for a burst; a thread that must be started first costs it up to a millisecond.
_BURST = 16
_SECONDS = 5.0


class Pools:
    """A thread pool for each kind of work, with one thread from the start.

    So work is done, in its turn, also where the system gives no more threads.
    """

    def __init__(self) -> None:
        self._closed = False
        self._pools = {
            kind: ThreadPoolExecutor(size, thread_name_prefix=f"levqor-{kind}")
            for kind, size in SIZES.items()
        }
        for pool in self._pools.values():
            pool.submit(_nothing)

    def submit(self, kind: Kind, work: Callable[[], object]) -> None:
        """Have a thread do work that raises nothing; raises RuntimeError once closed."""
        try:
            self._pools[kind].submit(work)
        except RuntimeError:
            # The executor has queued it before it tried to start a thread.
            if self._closed:
                raise

    def warm(self, kind: Kind) -> None:
        """Start the threads for a burst now."""
        together = threading.Barrier(_BURST)
        try:
            for _ in range(_BURST):
                self._pools[kind].submit(together.wait, _SECONDS)
        except RuntimeError:
            together.abort()

    def close(self) -> None:
        """Take no more; what runs is not waited for."""
        self._closed = True
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


def _nothing() -> None:
    pass
