"""The sandbox with people at the other end and answers that a test scripts.

with Sandbox() as sandbox:
    settings = sandbox.settings()
    sandbox.slack.next(Answer(404, "no_service"))
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import core.sandbox
from core.sandbox import SERVICES
from tests.support.sandbox.answers import (
    Answer,
    Delay,
    Drip,
    DropAfter,
    DropBefore,
    Hang,
    Huge,
    Scripted,
)
from tests.support.sandbox.notion import NotionWorkspace
from tests.support.sandbox.scripted import ScriptedService
from tests.support.sandbox.slack import SlackApp
from tests.support.sandbox.telegram import TelegramChats

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

    from core.sandbox import SandboxService

__all__ = [
    "Answer",
    "Delay",
    "Drip",
    "DropAfter",
    "DropBefore",
    "Hang",
    "Huge",
    "Sandbox",
    "Scripted",
]

LARGER = {"notion": NotionWorkspace, "slack": SlackApp, "telegram": TelegramChats}


class Sandbox(core.sandbox.Sandbox):
    """The product's sandbox, whose chats people use; `extra` are services of a test's own."""

    slack: SlackApp
    telegram: TelegramChats

    def __init__(self, port: int = 0, extra: Iterable[type[SandboxService]] = ()) -> None:
        super().__init__(port)
        kinds = (*SERVICES, *extra)
        self.kinds = tuple(_scripted(LARGER.get(kind.name, kind)) for kind in kinds)

    def settings(self, chat: Literal["socket", "http"] | None = None) -> dict[str, str]:
        """Settings that lead every connector here, and Slack to the bot where `chat` says how."""
        more = {"socket": self.slack.socket_settings, "http": self.slack.http_settings}
        return super().settings() | (more[chat]() if chat else {})

    def service(self, name: str) -> ScriptedService:
        """The service of that name or for that connector."""
        return next(one for one in self.services if name in (one.name, one.connector))

    def clear(self) -> None:
        """Forget requests, scripts and everything calls have made."""
        for service in self.services:
            service.clear()

    def application(self) -> web.Application:
        """What services have beside their calls: a loop, an end, and Slack's sockets."""
        for service in self.services:
            setattr(self, service.name, service)
            service.loop = asyncio.get_running_loop()
        app = super().application()
        app.router.add_get("/slack/link", self.slack.socket.serve)
        app.on_shutdown.append(self._stop_services)
        return app

    async def _stop_services(self, app: web.Application) -> None:
        for service in self.services:
            await service.stop()


def _scripted(kind: type[SandboxService]) -> type[ScriptedService]:
    return type(kind.__name__, (kind, ScriptedService), {})
