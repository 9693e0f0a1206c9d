"""Whoever asked is told how it ended, also where the bot died in between."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

from core import wording
from core.errors import LevqorError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.runtime import Bot
    from core.engine import Accepted, Settled

# Another process on this home may settle what a dead bot left; this often we look.
CATCH_UP_SECONDS = 30.0

Where = dict[str, Any]


class Teller:
    """Tells a surface's askers, each at least once.

    `answer` is handed where to answer, as the surface wrote it down, and how it ended; it
    raises what it likes where the asker cannot be reached any more.
    """

    def __init__(
        self, bot: Bot, surface: str, answer: Callable[[Where, Settled], Awaitable[None]]
    ) -> None:
        self._bot = bot
        self._surface = surface
        self._answer = answer

    def start(self) -> None:
        """Tell what a dead bot left untold, now and from time to time."""
        self._bot.spawn(self._catch_up(), name=f"{self._surface} telling")

    def follow(self, accepted: Accepted, where: Where) -> asyncio.Task[None]:
        """Send an accepted run and tell how it ended, in the background."""
        return self._bot.spawn(
            self._follow(accepted, where), name=f"{self._surface} run", asked=True
        )

    async def tell(self, where: Where, settled: Settled) -> None:
        """Tell one asker, then forget where to answer."""
        # Whether or not the message got through, saying it again would not help: the
        # run's id still finds the story.
        with contextlib.suppress(Exception):
            await self._answer(where, settled)
        with contextlib.suppress(LevqorError):
            await self._bot.call(self._bot.engine.ledger.mark_notified, settled.run)

    async def _follow(self, accepted: Accepted, where: Where) -> None:
        await self.tell(where, await self._bot.settle(accepted))

    async def _catch_up(self) -> None:
        engine = self._bot.engine
        while True:
            with contextlib.suppress(LevqorError):
                for entry in await self._bot.call(engine.ledger.claim_unnotified, self._surface):
                    where = json.loads(entry.reply_to or "{}")
                    # Side by side: one chat in a flood must not keep the others waiting.
                    telling = self.tell(where, engine.settled(entry))
                    self._bot.spawn(telling, name=f"{self._surface} telling", asked=True)
            await asyncio.sleep(CATCH_UP_SECONDS)


def reply_to(where: Where) -> str:
    """Where to answer, as the ledger keeps it until the asker was told."""
    return json.dumps(where, separators=(",", ":"))


def sending(bot: Bot, accepted: Accepted) -> str:
    """Say that a run is on its way, or how it ended where it has."""
    if accepted.settled is not None:
        return wording.settled(accepted.settled, bot.engine.connectors)
    connector, _ = bot.engine.action(accepted.action_id)
    return f"{connector.title}: sending, run {accepted.run}"
