"""The wait that a service asks for, shared by all runs with the same credential."""

import threading
import time
from collections import deque
from collections.abc import Hashable

from core.errors import LevqorError, NotSent

_MAX_CREDENTIALS = 256
# How long the next in the queue waits for the attempt before it to end.
_HEAD_START_SECONDS = 1.0
# The longest that a service means is a day, until a plan's quota is fresh again.
_LONGEST_SECONDS = 86400.0


class _Waiters:
    """The runs of one credential that wait, in order, and what the service said."""

    def __init__(self) -> None:
        self.until = 0.0  # nobody calls before, by time.monotonic()
        self.told = 0.0  # what the service said of it
        self.next = 0.0  # nor the next in the queue before this
        self.queue: deque[object] = deque()
        self.refusal: NotSent  # it comes with the first wait

    def wanted(self, now: float) -> bool:
        """Whether anybody waits, or must."""
        return bool(self.queue) or self.until > now


class RateLimitGate:
    """Which credentials were told to wait, bounded in number.

    When the wait is over the runs go one after the other, those who were turned away
    first: all at once would only be turned away again, and three attempts are soon gone.
    """

    def __init__(self) -> None:
        self._waiters: dict[Hashable, _Waiters] = {}
        self._changed = threading.Condition()
        self._closed = False

    def wait(self, credential: Hashable, end: float, *, turned_away: bool) -> NotSent | None:
        """Wait for this run's turn; an error where it would come after `end`."""
        with self._changed:
            waiters = self._waiters.get(credential)
            return None if waiters is None else self._queue(waiters, end, first=turned_away)

    def block(self, credential: Hashable, error: LevqorError) -> None:
        """Let nobody with this credential call for `error.retry_after`; a longer wait stands.

        After a day one asks again, whose answer is then everybody's.
        """
        now = time.monotonic()
        told = now + (error.retry_after or 0.0)
        until = min(told, now + _LONGEST_SECONDS)
        with self._changed:
            if len(self._waiters) >= _MAX_CREDENTIALS:
                self._waiters = {
                    k: waiters for k, waiters in self._waiters.items() if waiters.wanted(now)
                }
            waiters = self._waiters.setdefault(credential, _Waiters())
            if waiters.until < until:
                waiters.until, waiters.told = until, told
                waiters.refusal = NotSent(error.reason or "", error.message, fix=error.fix)

    def done(self, credential: Hashable) -> None:
        """An attempt is over: the next in the queue may go."""
        with self._changed:
            waiters = self._waiters.get(credential)
            if waiters is not None and not waiters.wanted(time.monotonic()):
                del self._waiters[credential]
            elif waiters is not None:
                waiters.next = 0.0
                self._changed.notify_all()

    def close(self) -> None:
        """Nobody waits any longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _queue(self, waiters: _Waiters, end: float, *, first: bool) -> NotSent | None:
        ticket = object()
        (waiters.queue.appendleft if first else waiters.queue.append)(ticket)
        try:
            while not self._closed and waiters.until < end:
                now = time.monotonic()
                turn = max(waiters.until, waiters.next) if waiters.queue[0] is ticket else end
                if turn <= now < end:
                    waiters.next = now + _HEAD_START_SECONDS
                    return None
                if now >= end:
                    break
                self._changed.wait(min(turn, end) - now)
        finally:
            waiters.queue.remove(ticket)
            self._changed.notify_all()
        seconds = waiters.told - time.monotonic()
        return waiters.refusal.replace(retry_after=max(1.0, seconds))
