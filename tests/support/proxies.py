"""A proxy on loopback that speaks SOCKS 5 and HTTP's CONNECT, and counts who came through."""

from __future__ import annotations

import base64
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tests.support.rawserver import Peer, RawServer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator


# What an HTTP client may look at.
NETWORK = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"),
)


class ProxyServer(RawServer):
    """Leads every host to the loopback port that `leads` names for it.

    With `tls` the far side is https here and plain http there. `asked` holds how, to which
    host and to which port; `credentials` each name and password that came with it.
    """

    def __init__(self, leads: Callable[[str], int], tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[tuple[str, str, int]] = []
        self.credentials: list[str] = []
        self._leads = leads
        self._tls = tls
        super().__init__(self._serve)

    @property
    def hosts(self) -> set[str]:
        """Every host that somebody wanted to reach."""
        return {host for _, host, _ in self.asked}

    def _serve(self, peer: Peer) -> None:
        first = peer.sock.recv(1, socket.MSG_PEEK)
        host = self._socks(peer) if first == b"\x05" else self._connect(peer)
        if host is None:
            return
        if self._tls is not None:
            peer.start_tls(self._tls)
        with socket.create_connection(("127.0.0.1", self._leads(host))) as far:
            back = threading.Thread(target=_copy, args=(far, peer.sock))
            back.start()
            _copy(peer.sock, far)
            back.join()

    def _socks(self, peer: Peer) -> str | None:
        # RFC 1928 and 1929.
        _, count = _exactly(peer, 2)
        methods = _exactly(peer, count)
        if 2 in methods:
            peer.say(b"\x05\x02")
            _, length = _exactly(peer, 2)
            user = _exactly(peer, length).decode()
            password = _exactly(peer, _exactly(peer, 1)[0]).decode()
            self.credentials.append(f"{user}:{password}")
            peer.say(b"\x01\x00")
        else:
            peer.say(b"\x05\x00")
        kind = _exactly(peer, 4)[3]
        if kind == 3:
            host = _exactly(peer, _exactly(peer, 1)[0]).decode()
        else:
            family, length = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, _exactly(peer, length))
        self.asked.append(("socks5", host, int.from_bytes(_exactly(peer, 2), "big")))
        peer.say(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        return host

    def _connect(self, peer: Peer) -> str | None:
        request = peer.request().decode()
        method, _, rest = request.partition(" ")
        host, _, port = rest.partition(" ")[0].rpartition(":")
        for line in request.split("\r\n"):
            name, _, value = line.partition(": ")
            if name.lower() == "proxy-authorization":
                self.credentials.append(base64.b64decode(value.split()[1]).decode())
        if method != "CONNECT":
            self.asked.append((method, rest.partition(" ")[0], 0))
            peer.answer(405)
            return None
        self.asked.append(("connect", host, int(port)))
        peer.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return host


def _exactly(peer: Peer, count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = peer.sock.recv(count - len(found))
        if not more:
            raise OSError("it hung up")
        found += more
    return found


def _copy(source: socket.socket, target: socket.socket) -> None:
    source.settimeout(None)
    with suppress(OSError):
        while more := source.recv(65536):
            target.sendall(more)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxying(
    leads: Callable[[str], int], tls: ssl.SSLContext | None = None
) -> Iterator[ProxyServer]:
    """A proxy for the length of a block."""
    server = ProxyServer(leads, tls)
    try:
        yield server
    finally:
        server.close()
