"""Connections that know how far they got, and that another thread can cut.

requests raises the same classes whether a request left or not, so what counts is noted
where it happens: a `RequestProgress` is told of each stage by the connection that carries it.
urllib3 makes the connections, through proxies and TLS. What goes over them is written and read
here: in urllib3 that takes longer than everything else a run does.
"""

import math
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from http.client import IncompleteRead
from typing import Any, Literal

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import SSLError

from core.outbound.response import MAX_BODY_BYTES, RawAnswer, Response
from core.outbound.sockets import Opener, WatchedSocket, by_socks, direct, first, resolve
from core.timers import uptime

Stage = Literal["idle", "resolve", "connect", "tunnel", "up", "handed_over", "answered"]

# Services and proxies drop idle connections after anything from 5 s up, unannounced; a
# request written to such a one may or may not have been read.
IDLE_SECONDS = 5.0


class RequestProgress:
    """One request and its answer: how far it got, and whether its time was up."""

    def __init__(self, deadline: float, expires: float = math.inf) -> None:
        self.deadline, self._expires = deadline, expires
        self.stage: Stage = "idle"
        self.proxied = False
        self._socket: WatchedSocket | None = None
        self._over = False
        self._aborted = False
        self._lock = threading.Lock()

    @property
    def handed_over(self) -> bool:
        """Whether the request's first byte has left: from then on it may have arrived."""
        return self.stage in ("handed_over", "answered")

    def remaining(self) -> float:
        """Seconds until the deadline, 0 when it has passed, or the run has expired."""
        return max(0.0, min(self.deadline - time.monotonic(), self._expires - uptime()))

    def attach(self, socket: WatchedSocket) -> None:
        """Take a connection; it is cut at once when the time is up already."""
        with self._lock:
            self._socket = socket
            if self._aborted:
                socket.abort()

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
            self._socket = None
            return not self._aborted


current: ContextVar[RequestProgress] = ContextVar("current")  # of this thread


class WatchedConnection(HTTPConnection):
    """A plain connection that reports to this thread's progress."""

    response_class = Response

    def __init__(
        self, *args: Any, _socks_options: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._socks = _socks_options
        self._socket: WatchedSocket | None = None
        self._connecting = False
        self._used = 0.0

    def connect(self) -> None:
        """Connect, through a tunnel where there is a proxy, TLS included."""
        self._connecting = True
        try:
            super().connect()
        finally:
            self._connecting = False

    def send(self, data: Any) -> None:
        """Hand bytes over; but for a tunnel's, the request may have arrived from the first on."""
        progress = current.get()
        if self._connecting:
            progress.stage = "tunnel"
        else:
            assert self._socket is not None  # noqa: S101 - it is connected
            progress.attach(self._socket)
            if not progress.remaining():
                raise TimeoutError
            progress.stage = "handed_over"
        super().send(data)

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> RawAnswer:
        """Send one request and read its answer; whoever calls closes it where this raises."""
        if self.sock is None:
            self.connect()
        self.sock.settimeout(self.timeout)
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        whole = f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (body or b"")
        # The service may have answered, and closed, before it had read everything.
        with suppress(BrokenPipeError, ConnectionResetError):
            # Head and body at once: the service wakes once, and so do we.
            self.send(whole)
        response = self.response_class(self.sock, method=method)
        try:
            response.begin()
            current.get().stage = "answered"
            content = response.read(MAX_BODY_BYTES + 1)
            whole_read = response.isclosed()
            if response.length and len(content) <= MAX_BODY_BYTES:
                raise IncompleteRead(content)
        finally:
            response.close()
        self._used = time.monotonic()
        # What is left unread would be read as the next answer.
        if response.will_close or not whole_read:
            self.close()
        return RawAnswer(response.status, response.headers, content)

    @property
    def is_connected(self) -> bool:
        """Whether it may carry another request."""
        return time.monotonic() - self._used <= IDLE_SECONDS and super().is_connected

    def close(self) -> None:
        """Close both handles."""
        socket, self._socket = self._socket, None
        super().close()
        if socket is not None:
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

    def exchange(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        seconds: float,
    ) -> RawAnswer:
        """Make one request over the connection that is kept, or a new one."""
        connection: Any = self._get_conn()
        connection.timeout = seconds
        try:
            # A target with a scheme is the proxy's own to ask for.
            if connection.is_closed and self.proxy is not None and target.startswith("/"):
                self._prepare_proxy(connection)
            answer: RawAnswer = connection.exchange(method, target, headers, body)
        except BaseException as error:
            # To a proxy that cannot be reached it is no error of the service's certificate.
            behind = connection.proxy is None or connection.has_connected_to_proxy
            connection.close()
            if isinstance(error, ssl.SSLError) and behind:
                raise SSLError(error) from error
            raise
        finally:
            self._put_conn(connection)
        return answer


class WatchedTLSPool(WatchedPool, HTTPSConnectionPool):
    """TLS connections to one host."""

    ConnectionCls = WatchedTLSConnection


POOLS = {"http": WatchedPool, "https": WatchedTLSPool}
