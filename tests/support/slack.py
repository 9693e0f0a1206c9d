"""The Slack surface at work: in a thread with a loop of its own, against the sandbox."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.app.process import LAST_ANSWERS
from bot.slack.socket_mode import Timing
from bot.slack.surface import Slack
from bot.web.surface import Web
from core.engine import Engine
from core.sandbox.slack import TEAM
from core.settings import Address, Settings
from tests.support.running import Quiet, running
from tests.support.sandbox.slack_identity import PERSON
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from bot.runtime import Bot
    from tests.support.sandbox import Sandbox

QUICK = Timing(connect=1.0, ping=0.5, look=0.05, crowd=0.2, linger=0.1, steady=0.2)
ME = f"slack:{TEAM}:{PERSON}"


@dataclass(frozen=True)
class AtWork:
    """A running surface, and the person's side of it."""

    sandbox: Sandbox
    engine: Engine
    bot: Bot
    loop: asyncio.AbstractEventLoop
    said: list[str]

    @property
    def people(self) -> Any:
        """What people in the workspace do."""
        return self.sandbox.slack

    @property
    def health(self) -> tuple[bool, str, str | None]:
        """What health says of this way in, once all is written: ok, verdict, fix."""

        found: list[Any] = []

        def written() -> list[Any]:
            if not any(task.get_name() == "slack report" for task in asyncio.all_tasks(self.loop)):
                found[:] = [w for w in self.engine.ledger.inbounds() if w.surface == "slack"]
            return found

        wait_for(written)
        [way] = found
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


def sent(sandbox: Sandbox) -> list[str]:
    """The texts that were posted."""
    return [request.json["text"] for request in sandbox.slack.calls("webhook")]


def settings_for(home: Path, sandbox: Sandbox, *, http: bool = False, **more: str) -> Settings:
    """Settings that lead to the sandbox, over HTTP or else a socket."""
    chosen = sandbox.slack.http_settings() if http else sandbox.slack.socket_settings()
    return Settings(home, sandbox_urls={**sandbox.settings(), **chosen, **more})


@contextmanager
def at_work(
    home: Path, sandbox: Sandbox, *, http: bool = False, timing: Timing = QUICK, **more: str
) -> Iterator[AtWork]:
    """Run the surface until the block ends, the HTTP surface beside it where it is needed."""
    settings = settings_for(home, sandbox, http=http, **more)

    async def life(serve: Callable[[AtWork], Awaitable[None]]) -> None:
        engine = Engine.open(settings)
        engine.announce()
        bot = Quiet(engine)
        surface = Slack(settings, timing)
        web = Web(Address("127.0.0.1", 0), surface.hooks()) if http else None
        if web:
            await web.start(bot)
            address = f"http://{web.address}/slack/events"
            await asyncio.to_thread(sandbox.slack.listens_at, address)
        try:
            await surface.start(bot)
            await serve(AtWork(sandbox, engine, bot, asyncio.get_running_loop(), bot.said))
        finally:
            bot.end()
            await surface.pause()
            await bot.call(engine.drain, 5.0)
            await bot.wait_replied(LAST_ANSWERS)
            await surface.stop()
            if web:
                await web.pause()
                await web.stop()
            await bot.call(engine.close, 0.0)
            await bot.finish()

    with running(life) as working:
        yield working
