"""uvicorn inside our own loop, with the bounds it lacks: time, connections, plain errors.

uvicorn waits for a request's head and body for ever and answers malformed HTTP in plain
text; what is overridden here is checked by tests on real sockets.
"""

import asyncio
import contextlib
import logging
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, cast

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.web.body import HeadTooLarge, error_response
from core.errors import Busy, Fault, InvalidInput, LevqorError

HEAD_BYTES = 16 * 1024
# The app answers a late body itself; this ends the connection where it does not read it.
_BODY_GRACE = 1.0


def affordable(most: int, share: int) -> int:
    """At most so many, and no more than a share of the files the process may have open.

    The ledger and each run's way out are files too.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if files == resource.RLIM_INFINITY else min(most, files // share)


@dataclass(frozen=True)
class Limits:
    """Bounds in time and number."""

    head_seconds: float = 10.0  # for a whole head
    body_seconds: float = 10.0  # for a whole body
    # Between two requests. A proxy that keeps idle connections longer than we do writes a request
    # to one that we are closing: nginx keeps them 60 s, Go's programs 90 s, Caddy 120 s.
    keep_alive_seconds: int = 125
    read_seconds: float = 10.0  # then a caller that leaves its answers unread is cut off
    connections: int = field(default_factory=partial(affordable, 512, 2))
    # Connections that wait to be taken. asyncio takes all of them in one turn, and three turns go
    # by until those are closed that must make room.
    backlog: int = field(default_factory=partial(affordable, 256, 8))

    @property
    def runs(self) -> int:
        """How many runs are waited for at once where a platform posts: it needs the others."""
        return self.connections - self.connections // 4


class Server(uvicorn.Server):
    """uvicorn's server, ended by `leave` and waking once a second instead of ten times."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        """Make a server for `serve(sockets=[…])`; what uvicorn logs goes nowhere."""
        config = uvicorn.Config(
            app,
            http=type("Protocol", (BoundedProtocol,), {"limits": limits}),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level=logging.CRITICAL,  # it warns of each malformed request: strangers write these
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=limits.keep_alive_seconds,
            timeout_graceful_shutdown=1,
            backlog=limits.backlog,
            h11_max_incomplete_event_size=HEAD_BYTES,
        )
        super().__init__(config)
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Stop serving."""
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        """Keep the Date header true until it is time to leave."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._leaving.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would raise SIGTERM again at its end."""
        yield


class Corked:
    """A transport that sends in one piece what was written in one turn of the loop.

    uvicorn writes an answer's head and body apart; each system call costs more than either.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = bytearray()

    def write(self, data: bytes) -> None:
        """Keep bytes until the end of this turn."""
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held += data

    def close(self) -> None:
        """Send what is held, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            held, self._held = bytes(self._held), bytearray()
            self._transport.write(held)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class BoundedProtocol(H11Protocol):
    """One connection: bounded time for a head and a body, a place only while it works."""

    limits = Limits()
    _deadline: asyncio.TimerHandle | None = None
    _phase: tuple[str, int] | None = None
    since = 0.0
    _said_all = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, in the place of the slowest one if all are taken."""
        full = len(self.connections) >= self.limits.connections
        super().connection_made(cast("asyncio.Transport", Corked(transport, self.loop)))
        self.since = self.loop.time()
        if full and not self._make_room():
            self._refuse(
                Busy("Levqor has too many connections.", retry_after=self.limits.head_seconds)
            )
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take bytes; what breaks HTTP after an answer began just ends the connection."""
        try:
            super().data_received(data)
        except h11.LocalProtocolError:
            self.transport.abort()
            return
        self._watch()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep the way back open for a caller who has said everything and listens."""
        if self.cycle is None or self.cycle.response_complete or self.cycle.more_body:
            return False
        self._said_all = True
        return True

    def pause_writing(self) -> None:
        """Give a caller who does not read its answers a bounded time to begin."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Go on: the caller reads."""
        super().resume_writing()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_watch()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for the next request, or begin it where it is there."""
        super().on_response_complete()
        self.since = self.loop.time()
        if self._said_all and self.cycle.response_complete:
            self.transport.close()
        self._watch()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, at once where its answer was not even read."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's, in plain text
        """Answer what is not HTTP in the standard shape."""
        problem = sys.exc_info()[1]  # uvicorn calls this where it caught it
        if getattr(problem, "error_status_hint", None) == HeadTooLarge.http:
            fault = Fault("headers", f"must be at most {HEAD_BYTES} bytes in all")
            fix = "Send shorter headers; in a browser delete the cookies of this address."
            self._refuse(HeadTooLarge([fault], fix=fix))
            return
        fix = "Send HTTP/1.1, with one Host and one length, and no characters beyond ASCII."
        self._refuse(InvalidInput([Fault("request", "is not HTTP/1.1 as it should be")], fix=fix))

    def _refuse(self, error: LevqorError) -> None:
        answer = error_response(error)
        close = (b"connection", b"close")
        headers = [*self.server_state.default_headers, *answer.raw_headers, close]
        reason = HTTPStatus(answer.status_code).phrase
        for event in (
            h11.Response(status_code=answer.status_code, headers=headers, reason=reason),
            h11.Data(data=bytes(answer.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def phase(self) -> tuple[str, int]:
        """What the connection does now, and in which request."""
        number = id(self.cycle)
        if self.flow.write_paused or self.transport.is_closing():
            # A closed transport lives on, and takes a place, until its answer was read.
            return "unread", number
        if self.conn.their_state is h11.IDLE:
            # uvicorn's own timer runs between two requests, until a byte arrives.
            return ("head" if self.timeout_keep_alive_task is None else "idle"), number
        return ("body" if self.conn.their_state is h11.SEND_BODY else "work"), number

    def _watch(self) -> None:
        phase = self.phase()
        if phase == self._phase:
            return
        self._stop_watch()
        self._phase = phase
        seconds = {
            "head": self.limits.head_seconds,
            "body": self.limits.body_seconds + _BODY_GRACE,
            "unread": self.limits.read_seconds,
        }.get(phase[0])
        if seconds is not None and self in self.connections:
            self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _stop_watch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._phase = None

    def _make_room(self) -> bool:
        """End the connection that has only waited for its caller the longest, if any does."""
        waiting = [
            other
            for other in self.connections
            if isinstance(other, BoundedProtocol)
            and other is not self
            and other.phase()[0] != "work"
        ]
        if not waiting:
            return False
        oldest = min(waiting, key=lambda connection: connection.since)
        self.connections.discard(oldest)
        oldest.transport.abort()
        return True
