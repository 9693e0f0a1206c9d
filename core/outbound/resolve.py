"""Names to addresses, under a deadline."""

import ipaddress
import socket
import threading
import time
from concurrent.futures import Future
from typing import Any

Address = tuple[socket.AddressFamily, Any]

_lookups: dict[tuple[str, int], Future[list[Address]]] = {}
_lock = threading.Lock()


def resolve(host: str, port: int, deadline: float) -> list[Address]:
    """Find a host's addresses before a `time.monotonic()` deadline.

    Raises OSError (TimeoutError included) where there are none.
    """
    if _literal(host):
        return _ask(host, port)
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


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _look_up(host: str, port: int, lookup: Future[list[Address]]) -> None:
    try:
        addresses = _ask(host, port)
    except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
        _forget(host, port)
        lookup.set_exception(error)
    else:
        _forget(host, port)
        lookup.set_result(addresses)


def _forget(host: str, port: int) -> None:
    with _lock:
        _lookups.pop((host, port), None)


def _ask(host: str, port: int) -> list[Address]:
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a label too long or empty
        raise OSError("not a name") from None
    return [(family, address) for family, _, _, _, address in addresses]
