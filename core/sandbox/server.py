"""The sandbox: every service on one loopback port, in a thread of its own."""

import asyncio
import shlex
import socket
import threading
from concurrent.futures import Future
from functools import partial
from typing import Self

from aiohttp import web

from core.sandbox import page
from core.sandbox.notion import Notion
from core.sandbox.resend import Resend
from core.sandbox.service import Received, SandboxService
from core.sandbox.sheets import Sheets
from core.sandbox.slack import Slack
from core.sandbox.telegram import Telegram

SERVICES: tuple[type[SandboxService], ...] = (Slack, Notion, Sheets, Telegram, Resend)
MAX_BODY = 8 * 2**20  # more than any of the vendors takes
HOST = "127.0.0.1"


class Sandbox:
    """All services on a loopback port; `port` 0 takes any free one."""

    kinds: tuple[type[SandboxService], ...] = SERVICES

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._thread: threading.Thread | None = None
        self.services: tuple[SandboxService, ...] = ()
        self.url = ""

    def __enter__(self) -> Self:
        """Listen; raises OSError where the port is taken."""
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(started)), name="sandbox", daemon=True
        )
        self._thread.start()
        started.result()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening and drop what is still open."""
        if self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def settings(self) -> dict[str, str]:
        """Settings, credentials included, that lead every connector here."""
        settings: dict[str, str] = {}
        for service in self.services:
            settings |= service.settings()
        return {**settings, "LEVQOR_SANDBOX_PAGE": self.url}

    @property
    def received(self) -> list[Received]:
        """What all services received, oldest first."""
        everything = (request for service in self.services for request in service.received)
        return sorted(everything, key=lambda request: request.at)

    async def _serve(self, started: Future[None]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await self._listen()
        except Exception as error:  # noqa: BLE001 - whoever waits for the start is told
            started.set_exception(error)
            return
        started.set_result(None)
        await self._stop.wait()
        await server.cleanup()

    async def _listen(self) -> web.AppRunner:
        sock = socket.create_server((HOST, self._port), backlog=1024)
        try:
            self.url = f"http://{HOST}:{sock.getsockname()[1]}"
            self.services = tuple(kind(self.url) for kind in self.kinds)
            server = web.AppRunner(self.application(), access_log=None, shutdown_timeout=0.05)
            await server.setup()
            await web.SockSite(server, sock, backlog=1024).start()
        except BaseException:
            sock.close()
            raise
        return server

    def application(self) -> web.Application:
        """Every call of every service, and the front page."""
        app = web.Application(client_max_size=MAX_BODY)
        for service in self.services:
            rest = ("*", f"/{service.name}/{{_:.*}}", "unknown", service.unknown)
            for method, path, call, handler in [*service.routes(), rest]:
                app.router.add_route(method, path, partial(service.serve, call, handler))
        app.router.add_get("/", self._front)
        return app

    async def _front(self, request: web.Request) -> web.Response:
        titles = {service.name: service.title for service in self.services}
        return page.front_page(request, titles, self.received)


def exports(settings: dict[str, str]) -> str:
    """The settings as lines for a shell."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in settings.items())
