"""Connections that know how far they got, and that another thread can cut.

requests raises the same classes whether a request left or not, so what counts is noted
where it happens: a `RequestProgress` is told of each stage by the connection that carries it.
"""

import math
import socket
import threading
import time
from collections.abc import Mapping
from contextvars import ContextVar
from functools import partial
from http import HTTPStatus
from http.client import BadStatusLine, HTTPResponse, LineTooLong, RemoteDisconnected
from typing import Any, Literal

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from core.outbound.sockets import Opener, WatchedSocket, by_socks, direct, first, resolve
from core.timers import uptime

Stage = Literal["idle", "resolve", "connect", "tunnel", "up", "handed_over"]

# Services and proxies drop idle connections after anything from 5 s up, unannounced; a
# request written to such a one may or may not have been read.
IDLE_SECONDS = 5.0
MAX_HEADER_BYTES = 64 * 1024


class RequestProgress:
    """One request and its answer: how far it got, and whether its time was up."""

    def __init__(self, deadline: float, expires: float = math.inf) -> None:
        self.deadline, self._expires = deadline, expires
        self.stage: Stage = "idle"
        self.proxied = False
        self._socket: WatchedSocket | None = None
        self._owns_socket = False
        self._over = False
        self._aborted = False
        self._lock = threading.Lock()

    @property
    def handed_over(self) -> bool:
        """Whether the request's first byte has left: from then on it may have arrived."""
        return self.stage == "handed_over"

    def remaining(self) -> float:
        """Seconds until the deadline, 0 when it has passed, or the run has expired."""
        return max(0.0, min(self.deadline - time.monotonic(), self._expires - uptime()))

    def attach(self, socket: WatchedSocket) -> None:
        """Take a connection; it is cut at once when the time is up already."""
        with self._lock:
            self._socket = socket
            self._owns_socket = False
            if self._aborted:
                socket.abort()

    def detach(self, socket: WatchedSocket) -> bool:
        """Take over a socket whose connection lets go while the answer is still being read."""
        with self._lock:
            mine = socket is self._socket and not self._over
            self._owns_socket = self._owns_socket or mine
            return mine

    def abort(self) -> None:
        """The deadline's callback: nothing more is waited for."""
        with self._lock:
            if not self._over:
                self._aborted = True
                if self._socket is not None:
                    self._socket.abort()

    def finish(self) -> bool:
        """End it; False where the time was up before."""
        with self._lock:
            self._over = True
            if self._owns_socket and self._socket is not None:
                self._socket.close()
            self._socket = None
            return not self._aborted


current: ContextVar[RequestProgress] = ContextVar("current")  # of this thread


class _Headers:
    """The stream of an answer's head, which remembers how it ended."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.last = b""
        self._seen = 0

    def readline(self, limit: int) -> bytes:
        line: bytes = self.stream.readline(limit)
        self.last = line
        self._seen += len(line)
        if self._seen > MAX_HEADER_BYTES:
            raise LineTooLong("header line")
        return line

    def close(self) -> None:
        self.stream.close()


class _Answer(HTTPResponse):
    """http.client's, without two of its mistakes.

    It takes a connection lost amid the headers for their end; and any interim answer but 100
    (RFC 9110, 15.2) for the final one, which the next request would then read as its own.
    """

    def begin(self) -> None:
        if self.headers is not None:
            return
        head = _Headers(self.fp)
        self.fp = head
        try:
            super().begin()
            while 100 <= self.status < 200:
                if self.status == HTTPStatus.SWITCHING_PROTOCOLS:
                    raise BadStatusLine("nobody asked for another protocol")
                self.headers = None
                super().begin()
        finally:
            if self.fp is head:
                self.fp = head.stream
        if head.last not in (b"\r\n", b"\n"):
            raise RemoteDisconnected("connection lost amid the headers")


class WatchedConnection(HTTPConnection):
    """A plain connection that reports to this thread's progress."""

    response_class = _Answer

    def __init__(
        self, *args: Any, _socks_options: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._socks = _socks_options
        self._socket: WatchedSocket | None = None
        self._connecting = False
        self._held: list[bytes] | None = None
        self._used = 0.0

    def connect(self) -> None:
        """Connect, through a tunnel where there is a proxy, TLS included."""
        self._connecting = True
        try:
            super().connect()
        finally:
            self._connecting = False

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request, head and body at once: the service wakes once, and so do we."""
        self._held = []
        try:
            super().request(*args, **kwargs)
            whole = b"".join(self._held)
        finally:
            self._held = None
        self.send(whole)

    def send(self, data: Any) -> None:
        """Hand bytes over; from the first one on the request may have arrived."""
        if self._held is not None:
            self._held.append(data)
            return
        progress = current.get()
        if self.sock is None:
            self.connect()
        if self._connecting:
            progress.stage = "tunnel"
        elif progress.stage != "handed_over":
            if self._socket is not None:
                progress.attach(self._socket)
            if not progress.remaining():
                raise TimeoutError
            progress.stage = "handed_over"
        super().send(data)

    def getresponse(self) -> Any:
        """Read the answer's head."""
        if self.sock is None:
            # urllib3 reads on after a reset, for an answer that came before it; here the
            # connection never came up. How far it got says what it means.
            raise ConnectionResetError
        response = super().getresponse()
        self._used = time.monotonic()
        return response

    @property
    def is_connected(self) -> bool:
        """Whether it may carry another request."""
        return time.monotonic() - self._used <= IDLE_SECONDS and super().is_connected

    def close(self) -> None:
        """Close both handles, the second only when no answer is being read any more."""
        socket, self._socket = self._socket, None
        super().close()
        progress = current.get(None)
        if socket is not None and not (progress and progress.detach(socket)):
            socket.close()

    def _new_conn(self) -> socket.socket:
        progress = current.get()
        progress.proxied = self.proxy is not None or self._socks is not None
        progress.stage = "resolve"
        host, port = self._dns_host.strip("[]"), self.port
        if self._socks is not None:
            host, port = self._socks["proxy_host"].strip("[]"), self._socks["proxy_port"]
        addresses = resolve(host, port, progress.deadline)
        progress.stage = "connect"
        sock = first(addresses, progress.remaining, self._opener())
        if self._socket is not None:
            self._socket.close()
        self._socket = WatchedSocket(sock)
        progress.attach(self._socket)
        progress.stage = "up"
        sock.settimeout(self.timeout)
        return sock

    def _opener(self) -> Opener:
        if self._socks is None:
            return partial(direct, options=self.socket_options or ())
        target = (self._dns_host.strip("[]"), self.port)
        return partial(by_socks, self._socks, target, current.get().attach)


class WatchedTLSConnection(WatchedConnection, HTTPSConnection):
    """The same over TLS."""


class WatchedPool(HTTPConnectionPool):
    """Plain connections to one host."""

    ConnectionCls = WatchedConnection


class WatchedTLSPool(HTTPSConnectionPool):
    """TLS connections to one host."""

    ConnectionCls = WatchedTLSConnection


POOLS = {"http": WatchedPool, "https": WatchedTLSPool}
