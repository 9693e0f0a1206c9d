"""One attempt: the `HttpClient` a connector is handed."""

import errno
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, TypeVar

from urllib3.exceptions import HTTPError, SSLError

from core import __version__
from core.contract.http import Answer, Effect, Explain, HttpClient
from core.errors import Certainty, UpstreamError
from core.network import NoRoute
from core.outbound import google
from core.outbound.cache import SingleFlightCache
from core.outbound.connection import RequestProgress, current
from core.outbound.response import MAX_BODY_BYTES
from core.outbound.session import Routes, Session
from core.outbound.transport_errors import failure
from core.timers import at

T = TypeVar("T")

# The reason of a failure before the request left, by how far it got.
_BEFORE = {
    "idle": "unreachable",
    "resolve": "name_not_found",
    "connect": "unreachable",
    "tunnel": "tls_failed",
    "up": "tls_failed",
}


@dataclass
class Attempt(HttpClient):
    """The client of one attempt: all its calls share one deadline.

    `certainty` is of its calls with an effect: one may be done from its first byte on, until
    the service says no.
    """

    run: str
    deadline: float  # by time.monotonic()
    expires: float  # by uptime(): a process that stood still may no longer send after it
    credential: Hashable
    session: Session
    routes: Routes
    cache: SingleFlightCache
    on_answer: Callable[[Answer], None] | None
    certainty: Certainty = Certainty.NOTHING_BEGUN

    def service_account_token(
        self, info: Mapping[str, Any], scope: str, *, explain: Explain, fresh: bool = False
    ) -> str:
        """A Google access token, cached until a minute before it ends."""
        return self.remember(
            ("token", scope), lambda: google.exchange(info, scope, self, explain), fresh=fresh
        )

    def remember(
        self, key: Hashable, make: Callable[[], tuple[T, float]], *, fresh: bool = False
    ) -> T:
        """Keep a value for this credential; waits for another who makes it, within the deadline."""
        seconds = max(0.0, self.deadline - time.monotonic())
        try:
            return self.cache.get((self.credential, key), make, wait=seconds, fresh=fresh)
        except TimeoutError:
            raise self._before("timed_out_before") from None

    def request(
        self, method: str, url: str, effect: Effect, headers: Mapping[str, str] | None, **parts: Any
    ) -> Answer:
        """Make one call and say how it ended: an answer, or the error that is honest."""
        writes = effect != "none"
        if writes:
            self.certainty = max(self.certainty, Certainty.NOT_DONE)
        standard = {"Accept": "*/*", "Accept-Encoding": "identity"}  # 64 KB of gzip can be 60 MB
        headers = {**standard, **(headers or {}), "User-Agent": f"Levqor/{__version__}"}
        progress = RequestProgress(self.deadline, self.expires)
        answer = None
        try:
            answer, reason = self._send(progress, effect, method, url, headers=headers, **parts)
        finally:
            said_no = answer is not None and 400 <= answer.status < 500
            if writes and progress.handed_over and not said_no:
                open_end = Certainty.REPEATABLE if effect == "keyed" else Certainty.MAYBE_DONE
                self.certainty = max(self.certainty, open_end)
        if answer is not None:
            if self.on_answer:
                self.on_answer(answer)
            return answer
        if writes and progress.handed_over:
            raise failure(reason, certainty=self.certainty)
        raise self._before(reason)

    def _send(
        self, progress: RequestProgress, effect: Effect, method: str, url: str, **parts: Any
    ) -> tuple[Answer | None, str]:
        """Make a request; an answer, or the reason why there is none."""
        if not progress.remaining():
            return None, "timed_out_before"
        guard = at(progress.deadline, progress.abort)
        token = current.set(progress)
        try:
            seconds, route = progress.remaining() + 1, self.routes.to(url)
            raw = self.session.exchange(method, url, route=route, seconds=seconds, **parts)
        except NoRoute as error:
            return None, error.reason
        except (OSError, HTTPException, HTTPError, ValueError) as error:
            return None, _reason(progress, error, in_time=progress.finish())
        finally:
            in_time = progress.finish()
            current.reset(token)
            guard.cancel()
        if not in_time:
            return None, "too_slow"
        return Answer(raw.status, raw.headers, raw.body[:MAX_BODY_BYTES], effect), ""

    def _before(self, reason: str) -> UpstreamError:
        """Make the error of a call that did nothing itself, whatever an earlier one did."""
        slow = reason in ("timed_out", "timed_out_before", "too_slow")
        if self.certainty >= Certainty.REPEATABLE:
            return failure("timed_out" if slow else "dropped", certainty=self.certainty)
        if slow:
            return failure("timed_out_before")
        return failure("dropped_before" if reason == "dropped" else reason)


def _reason(progress: RequestProgress, error: Exception, *, in_time: bool) -> str:
    late = not in_time or not progress.remaining()
    if progress.handed_over:
        slow = "too_slow" if progress.stage == "answered" else "timed_out"
        return slow if late else "dropped"
    if isinstance(error, ValueError) and not isinstance(error, OSError):  # TLS's are both
        return "not_sendable"
    if _out_of_files(error):
        return "no_files"
    if late:
        return "timed_out_before"
    if progress.proxied and not isinstance(error, SSLError):
        return "proxy"
    return _BEFORE[progress.stage]


def _out_of_files(error: BaseException | None) -> bool:
    # urllib3 and requests each wrap what the system said.
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            return True
        error = error.__context__
    return False
