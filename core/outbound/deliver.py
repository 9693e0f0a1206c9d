"""The one way out: what may be tried again, when, and what is honest to say at the end."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Protocol, TypeVar
from weakref import WeakSet

from core import __version__
from core.backoff import backoff
from core.errors import LevqorError, NotSent, Unknown
from core.logs import mistake
from core.outbound.attempt import Attempt
from core.outbound.cache import SingleFlightCache
from core.outbound.rate_limit import RateLimitGate
from core.outbound.session import Routes, Session
from core.outbound.transport_errors import failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.contract import HttpClient, Probe, Receipt
    from core.errors import UpstreamError

T = TypeVar("T")

_log = logging.getLogger(__name__)

ATTEMPT_SECONDS = 10.0
_BACK_OFF_BASE = 0.5
_BACK_OFF_CAP = 8.0


class Redactor(Protocol):
    """What takes secrets out of a text."""

    def clean(self, text: str) -> str:
        """Return the text without them."""


class Outbound:
    """Delivers runs: one attempt at a time, and again only what surely did not arrive.

    One for the whole process; every thread that calls gets connections of its own.
    """

    def __init__(
        self,
        *,
        redactor: Redactor | None = None,
        user_agent: str = f"Levqor/{__version__}",
        attempt_seconds: float = ATTEMPT_SECONDS,
    ) -> None:
        self.redactor = redactor
        self._user_agent = user_agent
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
        send: Callable[[HttpClient], Receipt],
        *,
        seconds: float = 30.0,
        attempts: int = 3,
    ) -> tuple[Receipt, int]:
        """Send, and tell in how many attempts.

        A raised error carries `attempts`, and `retry_after` where waiting any longer would
        have taken more than `seconds` in all.
        """
        return self._deliver((connector_name, credential), run, send, seconds, attempts)

    def probe(
        self,
        connector_name: str,
        credential: bytes,
        probe: Callable[[HttpClient], Probe],
        *,
        seconds: float = 10.0,
    ) -> Probe:
        """Ask once."""
        found, _ = self._deliver((connector_name, credential), "probe", probe, seconds, 1)
        return found

    def close(self) -> None:
        """Shut idle connections; from now on nothing waits to be tried again."""
        self._closing.set()
        self._rate_limits.close()
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()

    def _deliver(
        self,
        credential: tuple[str, bytes],
        run: str,
        send: Callable[[HttpClient], T],
        seconds: float,
        attempts: int,
    ) -> tuple[T, int]:
        end = time.monotonic() + seconds
        doubt: Unknown | None = None
        made = 0
        while True:
            error: LevqorError | None = self._rate_limits.wait(
                credential, end, turned_away=made > 0
            )
            if error is None:
                made += 1
                try:
                    return self._attempt(credential, run, send, end), made
                except LevqorError as raised:
                    error = raised
                    if _may_repeat(error) and error.retry_after is not None:
                        self._rate_limits.block(credential, error)
                finally:
                    self._rate_limits.done(credential)
                if isinstance(error, Unknown):
                    doubt = error
                if _may_repeat(error) and made < attempts and self._pause(error, made, end):
                    continue
            raise self._final(error, doubt, made)

    def _attempt(
        self, credential: tuple[str, bytes], run: str, send: Callable[[HttpClient], T], end: float
    ) -> T:
        attempt = Attempt(
            run=run,
            user_agent=self._user_agent,
            deadline=min(end, time.monotonic() + self._attempt_seconds),
            session=self._session(),
            routes=self._routes,
            cache=self._cache,
            credential=credential,
        )
        try:
            return send(attempt)
        except Unknown as raised:
            if attempt.began_write:
                raise
            error: UpstreamError = _not_sent(raised)
        except LevqorError:
            raise
        except Exception as raised:
            # Our own fault, but what was written may have been done all the same.
            if not attempt.in_doubt:
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

    def _pause(self, error: LevqorError, made: int, end: float) -> bool:
        """Wait before the next attempt; False where there is no time for one."""
        if error.retry_after is not None:
            # The credential is parked: the wait is the next attempt's first step.
            return time.monotonic() + error.retry_after <= end
        wait = backoff(made, first=_BACK_OFF_BASE, longest=_BACK_OFF_CAP, jitter=1.0)
        if time.monotonic() + wait > end:
            error.retry_after = wait
            return False
        return not self._closing.wait(wait)

    def _final(self, error: LevqorError, doubt: Unknown | None, made: int) -> LevqorError:
        """Choose what is honest: what one attempt left in doubt, nothing later can deny.

        Not even a refusal: a quota or a key that ended meanwhile is checked before the
        upstream looks whether it knows the repeat.
        """
        if doubt is not None and error is not doubt:
            doubt.retry_after = error.retry_after
            error = doubt
        error.attempts = made
        if self.redactor is not None:
            error.message = self.redactor.clean(error.message)
            error.args = (error.message,)
            error.fix = error.fix and self.redactor.clean(error.fix)
        return error


def _may_repeat(error: LevqorError) -> bool:
    return isinstance(error, NotSent) or (isinstance(error, Unknown) and error.repeatable)


def _not_sent(error: Unknown) -> NotSent:
    return NotSent(
        error.reason or "",
        error.message,
        fix=error.fix,
        run=error.run,
        retry_after=error.retry_after,
    )
