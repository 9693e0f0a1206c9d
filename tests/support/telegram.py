"""The Telegram surface in a thread with a loop of its own, against the sandbox."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.telegram.settings import Timing
from bot.telegram.surface import Telegram
from bot.web.surface import Web
from core.engine import Engine
from core.settings import Address, Settings
from tests.support.running import Quiet, running
from tests.support.sandbox.answers import Hang, Scripted
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from bot.runtime import Bot
    from tests.support.sandbox import Sandbox
    from tests.support.sandbox.answers import Real
    from tests.support.sandbox.telegram import Person
    from tests.support.sandbox.telegram_messages import ChatMessage

QUICK = Timing(
    poll=1, grace=0.3, pause=0.05, conflict=0.3, longest=0.3, refused=0.1, look=0.1, hasty=0.2
)


@dataclass(frozen=True)
class Living:
    """A running bot whose one interface is Telegram."""

    bot: Bot
    surface: Telegram
    engine: Engine
    loop: asyncio.AbstractEventLoop
    said: list[str]

    @property
    def health(self) -> tuple[bool, str, str | None]:
        """What health says of Telegram: ok, verdict, fix."""
        for each in self.engine.ledger.inbounds():
            if each.surface == "telegram":
                return each.ok, each.verdict, each.fix
        return False, "", None

    def pair(self, *users: int) -> None:
        """Pair people and put them on the plan without limits."""
        for user in users:
            pair(self.engine, user)


@dataclass(frozen=True)
class Silent(Scripted):
    """A call that is not done and gets no answer, for some chats alone."""

    chats: tuple[int, ...]

    async def play(self, request: web.Request, real: Real) -> web.StreamResponse:
        body = await request.read()
        if not any(str(chat).encode() in body for chat in self.chats):
            return await real()
        return await Hang().play(request, _nothing)


async def _nothing() -> web.Response:
    return web.Response()


class Asked:
    """Somebody who says something and waits for what comes next."""

    def __init__(self, person: Person) -> None:
        self.person = person

    def __call__(self, text: str, *, reply: ChatMessage | None = None) -> ChatMessage:
        """Say it; what the bot says next."""
        before = len(self.person.conversation)
        self.person.says(text, reply_to=reply)
        return self.person.waits(before + 1)[-1]


def pair(engine: Engine, user: int, plan: str = "pro") -> None:
    """Pair somebody as the code would."""
    code, _ = engine.ledger.pair_code("telegram")
    assert engine.ledger.redeem("telegram", str(user), code)
    engine.ledger.set_plan(f"telegram:{user}", plan)


def settings_for(home: Path, sandbox: Sandbox, **more: str) -> Settings:
    """Settings that lead to the sandbox."""
    return Settings(home, sandbox_urls={**sandbox.settings(), **more})


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def living(
    settings: Settings, *, timing: Timing = QUICK, http: int | None = None, ready: bool = True
) -> Iterator[Living]:
    """Run a bot until the block ends; `ready` waits until it takes messages."""

    async def life(serve: Callable[[Living], Awaitable[None]]) -> None:
        with Engine.open(settings) as engine:
            engine.announce()
            bot = Quiet(engine)
            surface = Telegram(settings, timing)
            surfaces: list[Any] = [surface]
            if http is not None:
                surfaces.insert(0, Web(Address("127.0.0.1", http), surface.hooks()))
            one = Living(bot, surface, engine, asyncio.get_running_loop(), bot.said)
            await _live(bot, surfaces, serve(one))

    with running(life) as one:
        if ready:
            wait_for(lambda: one.health[0])
        yield one


async def _live(bot: Bot, surfaces: list[Any], block: Awaitable[None]) -> None:
    starting = [asyncio.create_task(one.start(bot)) for one in surfaces]
    await block
    bot.end()
    for one in surfaces:
        await one.pause()
    await bot.call(bot.engine.drain, 15.0)
    for task in starting:
        task.cancel()
    for result in await asyncio.gather(*starting, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
    for one in surfaces:
        await one.stop()
    await bot.finish()


def sent(said: ChatMessage) -> bool:
    """Whether a message tells how a run ended, its id last."""
    return "· run" in said.text


def ended(said: ChatMessage) -> bool:
    """Whether a run's one message has come to its end."""
    return "run" in said.text and "sending" not in said.text


def slack_texts(sandbox: Sandbox) -> list[str]:
    """What people in Slack would have seen."""
    return [one.json["text"] for one in sandbox.slack.writes]


def settle(sandbox: Sandbox, ada: Person) -> list[ChatMessage]:
    """Wait until everything said so far has been taken: the next answer comes after it."""
    before = len(ada.conversation)
    ada.says("/whoami")
    ada.waits(before + 1)
    return ada.conversation[before:]
