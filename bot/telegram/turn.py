"""Which of several bots with one token polls: the one that has the lease; the others stand by."""

import asyncio
import contextlib
import hashlib

from bot.runtime import Bot
from bot.telegram.settings import NAME
from core.errors import LevqorError
from core.timers import uptime


class Turn:
    """A bot's turn to poll, as far as it may be trusted here and now.

    It spares Telegram's 409, no more: what makes an update count once is its key. It is counted
    from before the lease was asked for, by a clock that goes on while the machine sleeps, so that
    a process that stood still does not poll under it.
    """

    def __init__(self, bot: Bot, token: str, seconds: float) -> None:
        self._bot = bot
        self._lease = f"{NAME} {hashlib.sha256(token.encode()).hexdigest()[:12]}"
        self._seconds = seconds
        self._until = 0.0
        self._term: int | None = None

    @property
    def term(self) -> int | None:
        """The lease's term, which each new holder counts up; None where it is not ours."""
        return self._term if uptime() < self._until else None

    @property
    def look_seconds(self) -> float:
        """How often a bot that stands by looks whether the other one has gone."""
        return self._seconds / 15

    async def take(self) -> int | None:
        """Take or keep the lease; its term where it is ours. Raises LedgerError."""
        asked = uptime()
        if self.term is None or self._until - asked < self._seconds * 2 / 3:
            lease = self._bot.engine.ledger.lease
            self._term = await self._bot.call(lease, self._lease, self._seconds)
            self._until = asked + self._seconds
        return self.term

    async def lost(self) -> None:
        """Keep the lease up; returns once it is ours no more."""
        term = self.term
        while term is not None and self.term == term:
            await asyncio.sleep(min(self._seconds / 3, self._until - uptime()))
            with contextlib.suppress(LevqorError, TimeoutError):
                async with asyncio.timeout(max(0.0, self._until - uptime())):
                    await self.take()

    async def leave(self) -> None:
        """Let another bot have it at once."""
        if self.term is not None:
            self._term = None
            with contextlib.suppress(LevqorError):
                await self._bot.call(self._bot.engine.ledger.release, self._lease)
