"""Accepted runs are started once nobody waits for an acknowledgement any more, or nearly so."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from core.engine import Accepted, Engine, Settled

# While people wait for acknowledgements a run is started this often. A service may take seconds
# anyway; a burst of sends beside a burst of commands makes the last of these wait twice as long.
GAP = 0.02


class Starter:
    """Starts runs in the order in which they were accepted, in a thread of its own."""

    def __init__(self, engine: Engine, gap: float = GAP) -> None:
        self._engine, self._gap = engine, gap
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="levqor-start")
        self._later: set[str] = set()
        self._waiting = 0
        self._calm = threading.Event()
        self._calm.set()

    @contextlib.contextmanager
    def acknowledging(self) -> Iterator[None]:
        """Somebody waits for an acknowledgement; used by the event loop alone."""
        self._waiting += 1
        self._calm.clear()
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._calm.set()

    def add(self, accepted: Accepted) -> None:
        """Start a run soon, whatever becomes of who asked; from any thread."""
        self._later.add(accepted.run)
        try:
            self._pool.submit(self._start, accepted)
        except RuntimeError:  # the bot ends
            self._start(accepted)

    def outcome(self, accepted: Accepted) -> Future[Settled]:
        """How a run ends, which is started now unless it is to be soon."""
        if accepted.job is not None and accepted.run in self._later:
            return accepted.job.future
        return self._engine.start(accepted)

    def close(self) -> None:
        """Start what is left at once, and take no more."""
        self._calm.set()
        self._pool.shutdown(wait=False)

    def _start(self, accepted: Accepted) -> None:
        self._calm.wait(self._gap)
        self._engine.start(accepted)
        self._later.discard(accepted.run)
