"""The Slack surface at work: in a thread with a loop of its own, against the stand-in."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.app.frame import Bot
from bot.slack.link import Pace
from bot.slack.surface import Slack
from bot.web.surface import Web
from core.engine import Engine
from core.sandbox.slack import PERSON, TEAM
from core.settings import Address, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.sandbox import Sandbox

QUICK = Pace(connect=1.0, ping=0.5, look=0.05, crowd=0.2, linger=0.1)
ME = f"slack:{TEAM}:{PERSON}"


@dataclass(frozen=True)
class AtWork:
    """A running surface, and the person's side of it."""

    sandbox: Sandbox
    engine: Engine
    bot: Bot
    loop: asyncio.AbstractEventLoop

    @property
    def people(self) -> Any:
        """What people in the workspace do."""
        return self.sandbox.slack

    @property
    def health(self) -> tuple[bool, str, str | None]:
        """What health says of this way in: ok, verdict, fix."""
        way = next(way for way in self.engine.ledger.inbounds() if way.surface == "slack")
        return way.ok, way.verdict, way.fix

    def send(self, text: str, **more: Any) -> Any:
        """Type the action that sends a Slack message."""
        return self.people.command("/levqor-slack-send", text, **more)

    def ask(self, text: str, **more: Any) -> str:
        """Ask a question; the acknowledgement's words."""
        return str(self.people.command("/levqor", text, **more).ack["text"])

    def unlimited(self, *callers: str) -> None:
        """Put callers on the plan without limits."""
        for caller in callers or (ME,):
            self.engine.ledger.set_plan(caller, "pro")


def settings_for(home: Path, sandbox: Sandbox, *, http: bool = False, **more: str) -> Settings:
    """Settings that lead to the stand-ins, over HTTP or else a socket."""
    chosen = sandbox.slack.http_settings() if http else sandbox.slack.socket_settings()
    return Settings.load(home, sandbox_urls={**sandbox.settings(), **chosen, **more})


@contextmanager
def at_work(
    home: Path, sandbox: Sandbox, *, http: bool = False, pace: Pace = QUICK, **more: str
) -> Iterator[AtWork]:
    """Run the surface until the block ends, the HTTP surface beside it where it is needed."""
    settings = settings_for(home, sandbox, http=http, **more)
    ready: list[AtWork] = []
    failed: list[BaseException] = []
    started, stop = threading.Event(), threading.Event()

    async def life() -> None:
        engine = Engine.open(settings)
        bot = Bot(engine)
        surface = Slack(settings, pace)
        web = Web(Address("127.0.0.1", 0), surface.hooks()) if http else None
        if web:
            await web.start(bot)
            address = f"http://{web.address}/slack/events"
            await asyncio.to_thread(sandbox.slack.listens_at, address)
        try:
            await surface.start(bot)
            ready.append(AtWork(sandbox, engine, bot, asyncio.get_running_loop()))
            started.set()
            await asyncio.to_thread(stop.wait)
        finally:
            bot.end()
            await surface.pause()
            await bot.call(engine.drain, 5.0)
            await surface.stop()
            if web:
                await web.pause()
                await web.stop()
            await bot.call(engine.close, 0.0)
            await bot.finish()

    def run() -> None:
        try:
            asyncio.run(life())
        except BaseException as error:  # noqa: BLE001 - told in the test's own thread
            failed.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=run, name="slack at work")
    thread.start()
    assert started.wait(15), "the surface did not start"
    try:
        if failed:
            raise failed[0]
        yield ready[0]
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()
    if failed:
        raise failed[0]
