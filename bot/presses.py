"""A yes or a no that reached another bot than the one that asked.

What was asked about stays in the memory of the bot that asked, and that bot alone acts. Only the
nonce goes through the database, with who pressed and where to answer: as an answer that is owed,
so that somebody gives one where a bot dies over it.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from bot.expiring import ExpiringMap
from bot.notifier import ReplyTo, encoded
from bot.runtime import Bot, step
from core.callers import Caller
from core.errors import LevqorError
from core.ledger import Owed
from core.ledger.owed import PRESS

# How soon the bot that asked sees a press, and when the other one gives up: Slack wants an answer
# within three seconds.
LOOK_SECONDS = 0.3
GIVE_UP_SECONDS = 1.2

R = TypeVar("R")


@dataclass(frozen=True)
class Press:
    """A yes or a no to the question with this nonce; `reply_to` is where it was pressed."""

    nonce: str
    caller: Caller
    reply_to: ReplyTo
    yes: bool = field(kw_only=True)


class Presses(Generic[R]):
    """Hands presses to the bot that asked, and takes those of what this one asked.

    `act` does what was pressed, and `deliver` gives the answer where it was.
    """

    def __init__(
        self,
        bot: Bot,
        act: Callable[[Press], Awaitable[R]],
        deliver: Callable[[ReplyTo, Caller, R], Awaitable[None]],
    ) -> None:
        self._bot = bot
        self._ledger = bot.engine.ledger
        self._act = act
        self._deliver = deliver
        self._watching: asyncio.Task[None] | None = None
        self._taken: set[str] = set()

    async def hand_over(self, key: str, press: Press) -> bool:
        """Whether another bot took it; what none took within a moment, none will."""
        call, ledger = self._bot.call, self._ledger
        if not await self._bot.read(ledger.others):
            return False
        kind = f"{PRESS}{'yes' if press.yes else 'no'}:{press.caller}"
        owed = Owed(key, kind, encoded(press.reply_to))
        await call(ledger.owe, owed, press.caller.surface)
        until = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS / 3)
            if not await self._bot.read(ledger.owes, key):
                return True
        if not await call(ledger.withdraw, key):
            return True
        await call(ledger.answered, key)
        return False

    def watch(self, surface: str, pending: ExpiringMap[str, Any]) -> None:
        """Look for presses as long as anything is pending."""
        if self._watching is None or self._watching.done():
            self._watching = self._bot.spawn(self._look(surface, pending), name="presses")

    async def _look(self, surface: str, pending: ExpiringMap[str, Any]) -> None:
        while len(pending):
            await asyncio.sleep(LOOK_SECONDS)
            with step():
                for owed in await self._bot.read(self._ledger.pressed, surface):
                    nonce = owed.key.rpartition(":")[2]
                    if owed.key not in self._taken and pending.get(nonce) is not None:
                        await self._take(owed, nonce)

    async def _take(self, owed: Owed, nonce: str) -> None:
        if await self._bot.call(self._ledger.take_press, owed.key):
            word, _, caller = owed.kind.removeprefix(PRESS).partition(":")
            where = json.loads(owed.reply_to)
            press = Press(nonce, Caller.parse(caller), where, yes=word == "yes")
            answer = self._deliver(where, press.caller, await self._act(press))
            self._taken.add(owed.key)
            self._bot.spawn(self._give(owed.key, answer), name="press", asked=True)

    async def _give(self, key: str, answer: Awaitable[None]) -> None:
        # Whether or not it got through, saying it again would not help.
        with contextlib.suppress(Exception):
            await answer
        with contextlib.suppress(LevqorError):
            await self._bot.call(self._ledger.answered, key)
            self._taken.discard(key)
