"""The bot's threads: each kind of blocking work has its own, so that none waits for another's."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TypeVar

T = TypeVar("T")

Kind = Literal["accept", "run", "call", "read", "note"]

# Most of them wait for the ledger's one thread, which writes what has queued up as one
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
}


class Threads:
    """A pool for each kind of work."""

    def __init__(self) -> None:
        self._pools = {
            kind: ThreadPoolExecutor(size, thread_name_prefix=f"levqor-{kind}")
            for kind, size in SIZES.items()
        }

    async def on(self, kind: Kind, work: Callable[[], T]) -> T:
        """Do blocking work off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pools[kind], work)

    def close(self) -> None:
        """Begin nothing more; what runs is not waited for."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
