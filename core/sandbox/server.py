"""The sandbox: every stand-in on one loopback port, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Self

from aiohttp import web

from core.sandbox import page
from core.sandbox.answers import connected
from core.sandbox.notion import Notion
from core.sandbox.resend import Resend
from core.sandbox.sheets import Sheets
from core.sandbox.slack import Slack
from core.sandbox.standin import Received, StandIn, headers_of
from core.sandbox.telegram import Telegram

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from types import TracebackType

    from core.sandbox.standin import Handler

    Wrapped = Callable[[web.Request], Awaitable[web.StreamResponse]]

STAND_INS: tuple[type[StandIn], ...] = (Slack, Notion, Sheets, Telegram, Resend)
MAX_BODY = 8 * 2**20  # more than any of the vendors takes


class Sandbox:
    """All stand-ins on a loopback port; a context manager.

    `port` 0 takes any free one. A made-up connector brings its stand-in with `extra`.
    """

    slack: Slack
    notion: Notion
    sheets: Sheets
    telegram: Telegram
    resend: Resend

    host: ClassVar[str] = "127.0.0.1"
    kinds: ClassVar[tuple[type[StandIn], ...]] = STAND_INS

    def __init__(self, port: int = 0, extra: Iterable[type[StandIn]] = ()) -> None:
        self._wanted = port
        self._kinds = (*self.kinds, *extra)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.stand_ins: tuple[StandIn, ...] = ()
        self.url = ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> Self:
        """Listen; raises OSError where the port is taken."""
        started = threading.Event()
        failed: list[BaseException] = []
        self._thread = threading.Thread(
            target=self._run, args=(started, failed), name="sandbox", daemon=True
        )
        self._thread.start()
        started.wait()
        if failed:
            self._thread.join()
            raise failed[0]
        return self

    def close(self) -> None:
        """Stop listening and drop what is still open."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._loop = None

    def settings(self) -> dict[str, str]:
        """Settings, credentials included, that lead every connector here."""
        settings: dict[str, str] = {}
        for stand_in in self.stand_ins:
            settings |= stand_in.settings()
        return {**settings, "LEVQOR_SANDBOX_PAGE": self.url}

    def stand_in(self, name: str) -> StandIn:
        """The stand-in of that name or for that connector; raises KeyError."""
        for stand_in in self.stand_ins:
            if name in (stand_in.name, stand_in.connector):
                return stand_in
        raise KeyError(name)

    @property
    def received(self) -> list[Received]:
        """What all stand-ins received, oldest first."""
        everything = (request for stand_in in self.stand_ins for request in stand_in.received)
        return sorted(everything, key=lambda request: request.at)

    def clear(self) -> None:
        """Forget requests, scripts and everything calls have made."""
        for stand_in in self.stand_ins:
            stand_in.clear()

    def _run(self, started: threading.Event, failed: list[BaseException]) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            self._stop = asyncio.Event()
            try:
                server = runner.run(self._listen())
            except OSError as error:
                self._loop = None
                failed.append(error)
                started.set()
                return
            started.set()
            runner.run(self._stop.wait())
            for stand_in in self.stand_ins:
                runner.run(stand_in.stop())
            runner.run(server.cleanup())

    async def _listen(self) -> web.AppRunner:
        app = web.Application(client_max_size=MAX_BODY)
        server = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
        sock = self._bind()
        self.url = f"http://{self.host}:{sock.getsockname()[1]}"
        self.stand_ins = tuple(kind(self.url) for kind in self._kinds)
        for stand_in in self.stand_ins:
            setattr(self, stand_in.name, stand_in)
            stand_in.loop = asyncio.get_running_loop()
            for method, path, call, handler in stand_in.routes():
                app.router.add_route(method, path, played(stand_in, call, handler))
            for path, raw in stand_in.raw_routes():
                app.router.add_get(path, raw)
            app.router.add_route("*", f"/{stand_in.name}/{{_:.*}}", lost(stand_in))
        app.router.add_get("/", self._front)
        await server.setup()
        await web.SockSite(server, sock, backlog=1024).start()
        return server

    async def _front(self, request: web.Request) -> web.Response:
        titles = {stand_in.name: stand_in.title for stand_in in self.stand_ins}
        checks = "checks" in request.query
        text = page.render(self.url, titles, self.received, checks=checks)
        return page.answer(request, text)

    def _bind(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((self.host, self._wanted))
        except OSError:
            sock.close()
            raise
        return sock


def played(stand_in: StandIn, call: str, handler: Handler) -> Wrapped:
    """Record a request, then answer it as scripted or as the vendor would."""

    async def handle(request: web.Request) -> web.StreamResponse:
        # Telegram's calls are named by the address itself.
        received = Received(
            upstream=stand_in.name,
            call=call or request.match_info["call"],
            method=request.method,
            path=request.path.removeprefix(f"/{stand_in.name}"),
            query=dict(request.query),
            headers=headers_of(request),
        )
        try:
            return await _answered(stand_in, request, received, handler)
        finally:
            received.over = True

    return handle


async def _answered(
    stand_in: StandIn, request: web.Request, received: Received, handler: Handler
) -> web.StreamResponse:
    scripted = stand_in.scripted(received.call)
    real = partial(handler, request, received)
    if scripted is not None and not scripted.reads:
        stand_in.keep(received)
        return await scripted.play(request, real)
    try:
        received.body = await request.read()
    finally:
        stand_in.keep(received)
    response = await (real() if scripted is None else scripted.play(request, real))
    if connected(request):
        received.status = response.status
    return response


def lost(stand_in: StandIn) -> Wrapped:
    """Answer an address the vendor does not have, in the vendor's way."""

    async def handle(request: web.Request, received: Received) -> web.Response:
        return stand_in.not_found()

    return played(stand_in, "unknown", handle)
