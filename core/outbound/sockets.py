"""Names to addresses, and sockets to them or through a proxy, each in bounded time."""

import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

Address = tuple[socket.AddressFamily, Any]
# Connects to one address within so many seconds.
Opener = Callable[[socket.AddressFamily, Any, float], socket.socket]

_lookups: dict[tuple[str, int], Future[list[Address]]] = {}
_lock = threading.Lock()


def resolve(host: str, port: int, deadline: float) -> list[Address]:
    """Find a host's addresses before a `time.monotonic()` deadline; raises OSError."""
    with suppress(OSError):  # an address needs no look-up
        return _ask(host, port, socket.AI_NUMERICHOST)
    # getaddrinfo cannot be interrupted: it gets a thread that may outlive us, and everybody
    # who wants the same name meanwhile waits for the same one.
    with _lock:
        lookup = _lookups.get((host, port))
        if lookup is None:
            lookup = Future()
            try:
                threading.Thread(
                    target=_look_up, args=(host, port, lookup), name="resolve", daemon=True
                ).start()
            except RuntimeError as error:  # this process may start no more threads
                raise OSError(str(error)) from None
            _lookups[host, port] = lookup
    return lookup.result(max(0.0, deadline - time.monotonic()))


def _look_up(host: str, port: int, lookup: Future[list[Address]]) -> None:
    end: Callable[[], None]
    try:
        end = partial(lookup.set_result, _ask(host, port))
    except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
        end = partial(lookup.set_exception, error)
    with _lock:
        del _lookups[host, port]
    end()


def _ask(host: str, port: int, flags: int = 0) -> list[Address]:
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    except UnicodeError:  # a label too long or empty
        raise OSError("not a name") from None
    return [(family, address) for family, _, _, _, address in addresses]


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
    _: socket.AddressFamily, address: Any, seconds: float, options: Any = ()
) -> socket.socket:
    """Connect to an address."""
    sock = socket.create_connection(address[:2], seconds)
    for option in options:
        sock.setsockopt(*option)
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
