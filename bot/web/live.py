"""Live checks of the services, shared by all who ask for them."""

import asyncio
import time

from bot.runtime import Bot
from core.health import HealthChecker
from core.reports import Health

# Whoever asks, and however often: a probe is a call the upstream counts.
LIVE_SECONDS = 15.0


class LiveChecks:
    """One look at the services every fifteen seconds, whoever asks."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._health = HealthChecker(bot.engine)
        self._latest: asyncio.Task[Health] | None = None
        self._until = 0.0

    async def report(self) -> Health:
        """How the services are doing now, or were a moment ago."""
        if self._latest is None or (
            self._latest.done() and (self._latest.exception() or time.monotonic() >= self._until)
        ):
            self._latest = asyncio.get_running_loop().create_task(self._look())
        # A caller who hangs up must not take the report from the others.
        return await asyncio.shield(self._latest)

    async def _look(self) -> Health:
        report = await self._bot.call(self._health.report, live=True)
        self._until = time.monotonic() + LIVE_SECONDS
        return report
