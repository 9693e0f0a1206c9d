"""HTTP as one of the bot's surfaces: listening, serving, stopping."""

import asyncio
import socket
from collections.abc import Sequence

from bot.runtime import Bot, Hook, Surface
from bot.web.app import make_app
from bot.web.server import Limits, Server
from bot.web.settings import LISTENING
from core.errors import NotConfigured
from core.settings import Address

# Every run has settled by then: what is left is writing its answer.
_DRAIN_SECONDS = 2.0


class Web(Surface):
    """The HTTP surface; `address` is where it listens once it has started."""

    name = "http"

    def __init__(
        self,
        address: Address,
        hooks: Sequence[Hook] = (),
        limits: Limits | None = None,
        *,
        optional: bool = False,
    ) -> None:
        self.address = address
        self._optional = optional
        self._limits = limits or Limits()
        self._hooks = tuple(hooks)
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._listener: socket.socket | None = None

    async def start(self, bot: Bot) -> None:
        """Listen and serve."""
        try:
            self._listener = listen(self.address)
        except NotConfigured as error:
            if not self._optional:
                raise
            await bot.inbound(self.name, error.message.removesuffix("."), error.fix, ok=False)
            return
        self.address = Address(*self._listener.getsockname()[:2])
        app = make_app(bot, self._hooks, self._limits, self.address)
        self._server = Server(app, self._limits)
        self._serving = bot.spawn(self._server.serve(sockets=[self._listener]), name="http")
        await bot.inbound(self.name, f"{LISTENING}http://{self.address}")

    async def pause(self) -> None:
        """Listen no longer; requests that have arrived are still answered."""
        if self._server is None:
            return
        for server in getattr(self._server, "servers", ()):
            server.close()

    async def stop(self) -> None:
        """Send the last answers and close every connection."""
        if self._server is None or self._serving is None:
            if self._listener is not None:
                self._listener.close()
            return
        if answering := tuple(self._server.server_state.tasks):
            await asyncio.wait(answering, timeout=_DRAIN_SECONDS)
        self._server.leave()
        await self._serving


def listen(address: Address) -> socket.socket:
    """Open the listening socket; raises NotConfigured where that cannot be."""
    try:
        found, *_ = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        family, kind, proto, _, where = found
        listener = socket.socket(family, kind, proto)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(where)
            listener.listen()
        except OSError:
            listener.close()
            raise
    except OSError as problem:
        raise NotConfigured(
            f"Levqor cannot listen on {address} ({problem.strerror}).",
            settings=["LEVQOR_HTTP"],
            fix="Choose another address with --http or LEVQOR_HTTP, or start with --no-http.",
        ) from None
    listener.setblocking(False)
    return listener
