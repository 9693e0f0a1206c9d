"""Sockets to a service or to a proxy on the way to it, each in bounded time."""

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from core.outbound.resolve import Address

# Connects to one address within so many seconds.
Opener = Callable[[socket.AddressFamily, Any, float], socket.socket]


class WatchedSocket:
    """A second handle on a socket: closing or wrapping the first leaves it valid."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock.dup()
        self._lock = threading.Lock()

    def abort(self) -> None:
        """End whatever anybody is doing on this socket, a TLS handshake included."""
        with self._lock, suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go; the connection ends when the first handle is closed too."""
        with self._lock:
            self._sock.close()


def first(
    addresses: Sequence[Address], remaining: Callable[[], float], connect: Opener
) -> socket.socket:
    """Connect to the first address that takes us, while there is time left."""
    error: OSError = OSError("no address")
    for number, (family, address) in enumerate(addresses):
        # A first address that swallows packets must leave time for the second.
        share = remaining() / (len(addresses) - number)
        try:
            return connect(family, address, share or 0.001)
        except OSError as failed:
            error = failed
    raise error


def direct(
    family: socket.AddressFamily, address: Any, seconds: float, options: Any = ()
) -> socket.socket:
    """Connect to an address."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        for option in options:
            sock.setsockopt(*option)
        sock.settimeout(seconds)
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


def by_socks(
    proxy: Mapping[str, Any],
    target: tuple[str, int],
    watch: Callable[[WatchedSocket], None],
    family: socket.AddressFamily,
    address: Any,
    seconds: float,
) -> socket.socket:
    """Connect to a target through a SOCKS proxy, which looks the target's name up itself."""
    import socks

    sock: socket.socket = socks.socksocket(family, socket.SOCK_STREAM)
    line = WatchedSocket(sock)
    try:
        # Its time-out is for each step of the handshake: only the watch bounds them all.
        watch(line)
        sock.set_proxy(  # type: ignore[attr-defined]
            socks.SOCKS5, *address[:2], True, proxy["username"], proxy["password"]
        )
        sock.settimeout(seconds)
        sock.connect(target)
    except BaseException:
        sock.close()
        raise
    finally:
        line.close()
    return sock
