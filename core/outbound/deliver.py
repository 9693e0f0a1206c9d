"""Deliver a run: make the attempts that `retry` allows, then choose the honest error."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar, cast
from weakref import WeakSet

from core.contract import Answer, HttpClient
from core.errors import Certainty, LevqorError, NotSent, Unknown, UpstreamError
from core.logs import mistake
from core.masking import Redactor
from core.outbound import retry
from core.outbound.attempt import Attempt
from core.outbound.cache import SingleFlightCache
from core.outbound.rate_limit import RateLimitGate
from core.outbound.session import Routes, Session
from core.outbound.transport_errors import failure
from core.timers import uptime

T = TypeVar("T")

_log = logging.getLogger(__name__)

NO_SECRETS = Redactor()


class Try(NamedTuple):
    """An attempt: when it began, how long it took, in ms, and why it failed."""

    at: int
    ms: int
    reason: str | None


@dataclass(frozen=True)
class Delivery(Generic[T]):
    """How a delivery ended, and in which attempts: with a result or with an error."""

    tries: tuple[Try, ...]
    result: T | None = None
    error: LevqorError | None = None

    @property
    def attempts(self) -> int:
        """How many attempts were made."""
        return len(self.tries)

    def get(self) -> T:
        """The result; raises the error where there is none."""
        if self.error is not None:
            raise self.error
        return cast("T", self.result)


class Outbound:
    """Delivers runs: one attempt at a time, and another one only if `retry` allows it.

    One for the whole process; every thread that calls gets connections of its own.
    """

    def __init__(
        self, *, redactor: Redactor = NO_SECRETS, attempt_seconds: float = retry.ATTEMPT_SECONDS
    ) -> None:
        self.redactor = redactor
        self.on_answer: Callable[[Answer], None] | None = None
        self._attempt_seconds = attempt_seconds
        self._routes = Routes()
        self._cache = SingleFlightCache()
        self._rate_limits = RateLimitGate()
        self._closing = threading.Event()
        self._local = threading.local()
        self._sessions: WeakSet[Session] = WeakSet()
        self._lock = threading.Lock()

    def deliver(
        self,
        connector_name: str,
        credential: bytes,
        run: str,
        send: Callable[[HttpClient], T],
        *,
        seconds: float = retry.SECONDS,
        attempts: int = retry.ATTEMPTS,
        began: float | None = None,
    ) -> Delivery[T]:
        """Make attempts until one succeeds or no other is allowed; raises only our own mistakes.

        The error has `retry_after` where waiting would have taken more than `seconds` in all.
        No request begins later than `seconds` after `began`, an `uptime()`.
        """
        key = (connector_name, credential)
        start = uptime() if began is None else began
        end = time.monotonic() + seconds
        error: LevqorError | None
        unknown: Unknown | None = None
        tries: list[Try] = []
        while (error := self._rate_limits.wait(key, end, turned_away=bool(tries))) is None:
            at = uptime()
            try:
                result = self._attempt(key, run, send, end, start + seconds)
                return Delivery((*tries, _try(start, at)), result)
            except LevqorError as raised:
                error = raised
                tries.append(_try(start, at, error))
                if retry.may_repeat(error) and error.retry_after is not None:
                    self._rate_limits.block(key, error)
            finally:
                self._rate_limits.done(key)
            if isinstance(error, Unknown):
                unknown = error
            wait = retry.next_wait(error, len(tries), attempts)
            if wait is None:
                break
            if time.monotonic() + wait > end:
                error = error.replace(retry_after=wait)
                break
            # A wait that the service named is the next attempt's first step.
            if error.retry_after is None and self._closing.wait(wait):
                break
        return Delivery(tuple(tries), error=self._final_error(error, unknown))

    def probe(
        self,
        connector_name: str,
        credential: bytes,
        probe: Callable[[HttpClient], T],
        *,
        seconds: float = retry.ATTEMPT_SECONDS,
    ) -> T:
        """Ask once; raises the error there is in place of an answer."""
        once = self.deliver(connector_name, credential, "probe", probe, seconds=seconds, attempts=1)
        return once.get()

    def close(self) -> None:
        """Shut idle connections; from now on nothing waits to be tried again."""
        self._closing.set()
        self._rate_limits.close()
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()

    def _attempt(
        self,
        credential: tuple[str, bytes],
        run: str,
        send: Callable[[HttpClient], T],
        end: float,
        expires: float,
    ) -> T:
        deadline = min(end, time.monotonic() + self._attempt_seconds)
        shared = (self._session(), self._routes, self._cache, self.on_answer)
        attempt = Attempt(run, deadline, expires, credential, *shared)
        try:
            return send(attempt)
        except Unknown as raised:
            if attempt.certainty > Certainty.NOTHING_BEGUN:
                raise
            # The connector cannot say what happened, but no call that writes was begun.
            error: UpstreamError = NotSent(
                raised.reason or "", raised.message, fix=raised.fix, retry_after=raised.retry_after
            )
        except LevqorError:
            raise
        except Exception as raised:
            # Our own fault, but what was written may have been done all the same.
            if attempt.certainty <= Certainty.NOT_DONE:
                raise
            _log.error("run %s: %s", run, mistake(raised))
            error = failure("mishandled")
        raise error

    def _session(self) -> Session:
        session: Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = Session()
            with self._lock:
                self._sessions.add(session)
        return session

    def _final_error(self, error: LevqorError, unknown: Unknown | None) -> LevqorError:
        """Choose the run's error: the last one, but if any attempt was unknown, that one.

        A later refusal proves nothing: a service checks quota and key before it looks whether
        it knows the repeat.
        """
        if unknown is not None:
            error = unknown.replace(retry_after=error.retry_after)
        clean = self.redactor.clean
        return error.replace(message=clean(error.message), fix=error.fix and clean(error.fix))


def _try(start: float, at: float, error: LevqorError | None = None) -> Try:
    reason = (error.reason or error.code) if error else None
    return Try(round((at - start) * 1000), round((uptime() - at) * 1000), reason)
