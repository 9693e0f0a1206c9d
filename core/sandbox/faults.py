"""Servers that fail below HTTP: they refuse, fall silent in the handshake, or break TLS.

Each is a context manager with a `url`, the number of `connections` it took and the
`requests` it read whole. What they do is never an upstream's verdict.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import re
import socket
import ssl
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from types import TracebackType

_POLL = 0.05
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Refusing:
    """A port nobody listens on, and nobody else can take meanwhile."""

    scheme: ClassVar[str] = "http"

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()


class Unanswering(Refusing):
    """A port whose queue is full: a new connection is never established (Linux)."""

    def __init__(self) -> None:
        super().__init__()
        self._socket.listen(0)
        self._waiting = []
        for _ in range(3):
            waiting = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", self.port))
            self._waiting.append(waiting)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for waiting in self._waiting:
            waiting.close()
        super().__exit__(kind, error, trace)


class _Serving(Refusing):
    """A server with a thread for each connection; subclasses say what befalls it."""

    scheme: ClassVar[str] = "https"

    def __init__(self) -> None:
        super().__init__()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._socket.listen(64)
        self._socket.settimeout(_POLL)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        super().__exit__(kind, error, trace)

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                client, _ = self._socket.accept()
            except TimeoutError:
                continue
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        # A caller that gives up first is what these servers are for.
        with client, contextlib.suppress(OSError):
            client.settimeout(_POLL)
            self.befall(client)

    def befall(self, client: socket.socket) -> None:
        """Do to a connection what this server is named after."""
        raise NotImplementedError

    def _wait(self, client: socket.socket) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(TimeoutError):
                if not client.recv(4096):
                    return


class HangingHandshake(_Serving):
    """Accepts, reads the client's TLS hello and never answers it."""

    def befall(self, client: socket.socket) -> None:
        """Stay silent."""
        self._wait(client)


class BreakingHandshake(_Serving):
    """Answers the client's TLS hello with something that is not TLS."""

    def befall(self, client: socket.socket) -> None:
        """Say nonsense and hang up."""
        _read(client, 1, self._stopped)
        client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


class BreakingAfter(_Serving):
    """Reads the whole request over sound TLS, then breaks the record layer.

    `certificate` is the file a client must trust to get that far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.certificate, key = _certificate()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key)

    def befall(self, client: socket.socket) -> None:
        """Read, then write bytes that decrypt to nothing."""
        client.settimeout(5)
        with self._context.wrap_socket(client, server_side=True) as tls:
            if self._request(tls):
                self._break(tls)

    def _request(self, tls: ssl.SSLSocket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data:
            data += (piece := tls.recv(65536))
            if not piece:
                return False
        head, _, body = data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        while length and len(body) < int(length[1]):
            body += (piece := tls.recv(65536))
            if not piece:
                return False
        with self._lock:
            self.requests.append(head + b"\r\n\r\n" + body)
        return True

    def _break(self, tls: ssl.SSLSocket) -> None:
        # A TLS 1.2 application-data record whose content no key can open.
        garbage = b"\x17\x03\x03\x00\x20" + b"\xff" * 32
        with socket.socket(fileno=socket.dup(tls.fileno())) as raw:
            raw.sendall(garbage)


class ClosingAfter(BreakingAfter):
    """Reads the whole request over sound TLS, then closes without a goodbye."""

    def _break(self, tls: ssl.SSLSocket) -> None:
        """Close the socket underneath."""


def _read(client: socket.socket, count: int, stopped: threading.Event) -> bytes:
    while not stopped.is_set():
        with contextlib.suppress(TimeoutError):
            return client.recv(count)
    return b""


@cache
def _certificate() -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key, as files, once in a process."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "levqor sandbox")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = _folder()
    pem, secret = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, secret


_KEEP: list[tempfile.TemporaryDirectory[str]] = []


def _folder() -> Path:
    # Removed when the process ends; the context reads the files once more for each server.
    _KEEP.append(tempfile.TemporaryDirectory(prefix="levqor-sandbox-"))
    return Path(_KEEP[-1].name)
