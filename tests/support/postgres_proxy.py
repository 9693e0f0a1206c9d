"""A line to PostgreSQL that loses the answer to a COMMIT, in each way that can happen."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

# before: it never reaches the server. after: the server did it, and the line breaks.
# delayed: the line breaks, and it reaches the server later. hung: no answer, and no break.
WAYS = ("before", "after", "delayed", "hung")
# A client's first packets have no type: it may ask for TLS or GSS encryption before it starts.
_ASKS_FOR_ENCRYPTION = (80877103, 80877104)


class _Line:
    """One client's connection through the proxy."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.deaf, self.answered = threading.Event(), threading.Event()

    def close(self) -> None:
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def messages(self) -> Iterator[tuple[bytes, bytes]]:
        """What the client says: each message's type (empty at the start) and all its bytes."""
        started = False
        while True:
            kind = self._read(1) if started else b""
            length = self._read(4)
            (size,) = struct.unpack("!I", length)
            body = self._read(size - 4)
            started = started or struct.unpack("!I", body[:4])[0] not in _ASKS_FOR_ENCRYPTION
            yield kind, kind + length + body

    def _read(self, size: int) -> bytes:
        read = b""
        while len(read) < size:
            if not (more := self.client.recv(size - len(read))):
                raise ConnectionError
            read += more
        return read


class PostgresProxy:
    """Passes everything on, but for the COMMITs that it is told to cut."""

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._lines: list[_Line] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._plan: tuple[str, bytes, int] = ("", b"", 0)
        self.delay = 0.7  # seconds that a COMMIT takes which is `delayed`
        self.lag = 0.0  # seconds that each statement takes to the server
        self.commits: list[str] = []  # of each COMMIT: how it was cut, or ""
        self._start(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in self._lines:
            line.close()
        for thread in self._threads:
            thread.join(30)

    def url(self, url: str) -> str:
        """The same database, through this proxy."""
        parts = urlsplit(url)
        return parts._replace(netloc=f"{parts.username}@127.0.0.1:{self.port}").geturl()

    def cut(self, way: str, after: str, times: int = 1) -> None:
        """Cut the next COMMITs of transactions in which a statement holds these words."""
        with self._lock:
            self._plan = (way, after.encode(), times)

    @property
    def cuts(self) -> list[str]:
        return [way for way in self.commits if way]

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    line = _Line(client, socket.create_connection(self._server))
                except OSError:
                    client.close()
                    continue
                self._lines.append(line)
                self._start(self._to_server, line)
                self._start(self._to_client, line)

    def _to_server(self, line: _Line) -> None:
        said = b""
        with contextlib.suppress(OSError):
            for kind, message in line.messages():
                text = message[5:].rstrip(b"\0") if kind in (b"Q", b"P") else b""
                said = text if text.startswith(b"BEGIN") else said + text
                if kind == b"Q" and text == b"COMMIT" and (way := self._way(said)):
                    self._lose(line, message, way)
                    break
                if kind in (b"Q", b"S"):  # now the server is to answer
                    threading.Event().wait(self.lag)
                line.server.sendall(message)
        line.close()

    def _way(self, said: bytes) -> str:
        with self._lock:
            way, after, times = self._plan
            cut = times > 0 and after in said
            self._plan = (way, after, times - cut)
            self.commits.append(way if cut else "")
            return self.commits[-1]

    def _lose(self, line: _Line, commit: bytes, way: str) -> None:
        line.deaf.set()
        if way == "before":
            return
        if way == "delayed":
            line.client.shutdown(socket.SHUT_RDWR)
            threading.Event().wait(self.delay)
        line.server.sendall(commit)
        line.answered.wait(30)
        if way == "hung":
            line.client.recv(1)  # until the client has had enough

    def _to_client(self, line: _Line) -> None:
        with contextlib.suppress(OSError):
            while data := line.server.recv(65536):
                if line.deaf.is_set():
                    line.answered.set()
                else:
                    line.client.sendall(data)
        line.answered.set()
        if not line.deaf.is_set():
            line.close()
