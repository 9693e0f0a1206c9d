"""Answers that are no run's: a bot that ends before they are out leaves them to the next."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

from bot.telling import CATCH_UP_SECONDS, reply_to
from core.errors import LevqorError
from core.ledger import Owed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.runtime import Bot
    from bot.telling import Where

# Whoever asked waits for a confirmation meanwhile, and so do others.
PATIENCE = 2.0


class Owing:
    """One surface's debts. `answer` is handed where to answer and the kind of the answer."""

    def __init__(
        self, bot: Bot, surface: str, answer: Callable[[Where, str], Awaitable[None]]
    ) -> None:
        self._bot = bot
        self._surface = surface
        self._answer = answer
        self._paid: set[str] = set()

    def start(self) -> None:
        """Give the answers a dead bot owed, now and from time to time."""
        self._bot.spawn(self._catch_up(), name=f"{self._surface} owing")

    async def owe(self, key: str, where: Where, kind: str) -> None:
        """Write an answer down; raises LedgerError."""
        owe = self._bot.engine.ledger.owe
        await self._bot.call(
            owe, Owed(key, kind, reply_to(where)), self._surface, patience=PATIENCE
        )

    async def paid(self, key: str) -> None:
        """The answer is out, or nobody can be told any more."""
        self._paid.add(key)
        for one in tuple(self._paid):
            with contextlib.suppress(LevqorError):
                await self._bot.call(self._bot.engine.ledger.answered, one)
                self._paid.discard(one)

    async def _catch_up(self) -> None:
        while True:
            with contextlib.suppress(LevqorError):
                for one in await self._bot.call(self._bot.engine.ledger.owed, self._surface):
                    self._bot.spawn(self._pay(one), name=f"{self._surface} owing", asked=True)
            await asyncio.sleep(CATCH_UP_SECONDS)

    async def _pay(self, one: Owed) -> None:
        # Whether or not it got through, saying it again would not help.
        with contextlib.suppress(Exception):
            await self._answer(json.loads(one.reply_to), one.kind)
        await self.paid(one.key)
