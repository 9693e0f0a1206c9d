"""The sandbox: every service on one loopback port, in a thread of its own."""

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
from core.sandbox.service import Received, SandboxService, headers_of
from core.sandbox.sheets import Sheets
from core.sandbox.slack import Slack
from core.sandbox.telegram import Telegram

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from types import TracebackType

    from core.sandbox.service import Handler

    Wrapped = Callable[[web.Request], Awaitable[web.StreamResponse]]

SERVICES: tuple[type[SandboxService], ...] = (Slack, Notion, Sheets, Telegram, Resend)
MAX_BODY = 8 * 2**20  # more than any of the vendors takes


class Sandbox:
    """All services on a loopback port; a context manager.

    `port` 0 takes any free one. A made-up connector brings its service with `extra`.
    """

    slack: Slack
    notion: Notion
    sheets: Sheets
    telegram: Telegram
    resend: Resend

    host: ClassVar[str] = "127.0.0.1"
    kinds: ClassVar[tuple[type[SandboxService], ...]] = SERVICES

    def __init__(self, port: int = 0, extra: Iterable[type[SandboxService]] = ()) -> None:
        self._wanted = port
        self._kinds = (*self.kinds, *extra)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.services: tuple[SandboxService, ...] = ()
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
        for service in self.services:
            settings |= service.settings()
        return {**settings, "LEVQOR_SANDBOX_PAGE": self.url}

    def service(self, name: str) -> SandboxService:
        """The service of that name or for that connector; raises KeyError."""
        for service in self.services:
            if name in (service.name, service.connector):
                return service
        raise KeyError(name)

    @property
    def received(self) -> list[Received]:
        """What all services received, oldest first."""
        everything = (request for service in self.services for request in service.received)
        return sorted(everything, key=lambda request: request.at)

    def clear(self) -> None:
        """Forget requests, scripts and everything calls have made."""
        for service in self.services:
            service.clear()

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
            for service in self.services:
                runner.run(service.stop())
            runner.run(server.cleanup())

    async def _listen(self) -> web.AppRunner:
        app = web.Application(client_max_size=MAX_BODY)
        server = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
        sock = self._bind()
        self.url = f"http://{self.host}:{sock.getsockname()[1]}"
        self.services = tuple(kind(self.url) for kind in self._kinds)
        for service in self.services:
            setattr(self, service.name, service)
            service.loop = asyncio.get_running_loop()
            for method, path, call, handler in service.routes():
                app.router.add_route(method, path, recorded(service, call, handler))
            for path, raw in service.raw_routes():
                app.router.add_get(path, raw)
            app.router.add_route("*", f"/{service.name}/{{_:.*}}", unknown_call(service))
        app.router.add_get("/", self._front)
        await server.setup()
        await web.SockSite(server, sock, backlog=1024).start()
        return server

    async def _front(self, request: web.Request) -> web.Response:
        titles = {service.name: service.title for service in self.services}
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


def recorded(service: SandboxService, call: str, handler: Handler) -> Wrapped:
    """Record a request, then answer it as scripted or as the vendor would."""

    async def handle(request: web.Request) -> web.StreamResponse:
        # Telegram's calls are named by the address itself.
        received = Received(
            upstream=service.name,
            call=call or request.match_info["call"],
            method=request.method,
            path=request.path.removeprefix(f"/{service.name}"),
            query=dict(request.query),
            headers=headers_of(request),
        )
        try:
            return await _answered(service, request, received, handler)
        finally:
            received.over = True

    return handle


async def _answered(
    service: SandboxService, request: web.Request, received: Received, handler: Handler
) -> web.StreamResponse:
    scripted = service.scripted(received.call)
    real = partial(handler, request, received)
    if scripted is not None and not scripted.reads:
        service.keep(received)
        return await scripted.play(request, real)
    try:
        received.body = await request.read()
    finally:
        service.keep(received)
    response = await (real() if scripted is None else scripted.play(request, real))
    if connected(request):
        received.status = response.status
    return response


def unknown_call(service: SandboxService) -> Wrapped:
    """Answer an address the vendor does not have, in the vendor's way."""

    async def handle(request: web.Request, received: Received) -> web.Response:
        return service.not_found()

    return recorded(service, "unknown", handle)
