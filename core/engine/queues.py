"""Each account's own workers and waiting places, so that none can delay another."""

import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial

from core.engine.results import Job
from core.timers import Handle, at

WORKERS = 16
# Who has sent writes down how it ended, and another sends meanwhile.
THREADS = 2 * WORKERS
PLACES = 256
# A run that waited this long is answered `busy`.
WAIT_SECONDS = 120.0


class Queue:
    """Sixteen workers, started as they are needed, and 256 places to wait.

    A worker that has sent its run calls what `work` is given; from then on it counts as none.
    Threads are daemons: one whose service hangs must not hold up the exit.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Job, Callable[[], None]], None],
        expired: Callable[[Job], None],
        *,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._name = name
        self._work = work
        self._expired = expired
        self._wait_seconds = wait_seconds
        self._waiting: deque[tuple[Job, Handle | None]] = deque()  # None: not for long
        self._ready = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._busy: set[str] = set()
        self._closed = False

    def offer(self, job: Job) -> bool:
        """Take a job; False where every place is taken, or no thread can be had."""
        with self._ready:
            if self._closed or len(self._waiting) >= PLACES:
                return False
            handle = None
            if not self._staffed():
                if not self._threads:
                    return False
                handle = at(time.monotonic() + self._wait_seconds, lambda: self._expire(job))
            self._waiting.append((job, handle))
            self._ready.notify()
        return True

    def load(self) -> tuple[int, int]:
        """(runs being sent, runs waiting)."""
        with self._ready:
            return len(self._busy), len(self._waiting)

    def drain(self) -> list[Job]:
        """Take no more, and hand back what had not begun."""
        with self._ready:
            self._closed = True
            not_begun = [job for job, _ in self._waiting]
            for _, handle in self._waiting:
                if handle:
                    handle.cancel()
            self._waiting.clear()
            self._ready.notify_all()
        return not_begun

    def _staffed(self) -> bool:
        """Whether a worker is free for one more, started where there may be another."""
        if len(self._busy) + len(self._waiting) >= WORKERS:
            return False
        return self._idle > len(self._waiting) or self._started()

    def _started(self) -> bool:
        """Whether one more thread could be had."""
        if self._threads == THREADS:
            return False
        name = f"levqor-{self._name}-{self._threads + 1}"
        try:
            threading.Thread(target=self._loop, name=name, daemon=True).start()
        except RuntimeError:
            # This process or its container may start no more; those there are do the work.
            return False
        self._threads += 1
        return True

    def _loop(self) -> None:
        while True:
            with self._ready:
                self._idle += 1
                while not self._closed and not (self._waiting and len(self._busy) < WORKERS):
                    self._ready.wait()
                self._idle -= 1
                if not self._waiting:
                    return
                job, handle = self._waiting.popleft()
                if handle:
                    handle.cancel()
                self._busy.add(job.run)
            try:
                self._work(job, partial(self._sent, job.run))
            except BaseException:
                with self._ready:
                    self._threads -= 1
                raise
            finally:
                self._sent(job.run)
                # Its payload must not live on in this frame while the worker waits.
                del job, handle

    def _sent(self, run: str) -> None:
        """Let the next one be sent."""
        with self._ready:
            if run in self._busy:
                self._busy.remove(run)
                if self._waiting and (self._idle or self._started()):
                    self._ready.notify()

    def _expire(self, job: Job) -> None:
        with self._ready:
            place = next((item for item in self._waiting if item[0] is job), None)
            if place is None:  # pragma: no cover - a worker took it at that very moment
                return
            self._waiting.remove(place)
        self._expired(job)
