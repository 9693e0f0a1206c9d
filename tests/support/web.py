"""The HTTP surface on a real socket, in a thread with a loop of its own; and a caller."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.runtime import Bot
from bot.web.surface import Web
from core.settings import Address
from tests.support.running import running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from bot.runtime import Hook
    from bot.web.server import Limits
    from core.engine import Engine

MAIL = {"to": "ann@example.com", "subject": "Hello", "text": "All is well."}


def keyed(key: str) -> dict[str, str]:
    """The header of a request with a key of its own."""
    return {"Idempotency-Key": key}


@dataclass(frozen=True)
class Reply:
    """An answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Served:
    """A running HTTP surface."""

    bot: Bot
    web: Web

    @property
    def address(self) -> tuple[str, int]:
        """Where this machine reaches it."""
        host = self.web.address.host
        return "127.0.0.1" if host == "0.0.0.0" else host, self.web.address.port

    @property
    def url(self) -> str:
        """The same, as a URL."""
        return f"http://{self.web.address}"

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        token: str | None = None,
    ) -> Reply:
        """Send one request on a connection of its own; a body that is no bytes goes as JSON."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(*self.address, timeout=120)
        try:
            connection.request(method, path, body, sent)
            got = connection.getresponse()
            found = {name.lower(): value for name, value in got.getheaders()}
            return Reply(got.status, found, got.read())
        finally:
            connection.close()

    def get(self, path: str, **more: Any) -> Reply:
        """GET a page."""
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Reply:
        """POST a body."""
        return self.call("POST", path, body, **more)


@contextmanager
def served(
    engine: Engine,
    hooks: Sequence[Hook] = (),
    limits: Limits | None = None,
    *,
    at: str = "127.0.0.1",
) -> Iterator[Served]:
    """Serve an engine on a free port of this machine until the block ends."""

    async def life(serve: Callable[[Served], Awaitable[None]]) -> None:
        bot = Bot(engine)
        web = Web(Address(at, 0), hooks, limits)
        await web.start(bot)
        await serve(Served(bot, web))
        await web.pause()
        await web.stop()
        await bot.finish()

    with running(life) as one:
        yield one


@contextmanager
def connecting(address: tuple[str, int]) -> Iterator[Callable[..., socket.socket]]:
    """A function that opens a connection and sends bytes over it; all are closed at the end."""
    with contextlib.ExitStack() as stack:

        def connect(sent: bytes = b"", receive_buffer: int | None = None) -> socket.socket:
            raw = stack.enter_context(socket.socket())
            if receive_buffer is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            raw.settimeout(120)
            raw.connect(address)
            raw.sendall(sent)
            return raw

        yield connect


def received(raw: socket.socket) -> bytes:
    """Everything until the other side ends; a reset is an end."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while more := raw.recv(65536):
            found += more
    return found
