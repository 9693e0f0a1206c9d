"""Live checks of the services, shared by all who ask for them."""

import asyncio
import time
from collections.abc import Collection
from dataclasses import replace

from bot.runtime import Bot
from core.health import HealthChecker, accounts
from core.reports import ConnectorHealth, Health

# Whoever asks, and however often: a probe is a call the upstream counts.
LIVE_SECONDS = 15.0


class LiveChecks:
    """One look at each service every fifteen seconds, whoever asks."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._health = HealthChecker(bot.engine)
        # By service or account: the look, and until when it is what everybody is told.
        self._looks: dict[str, asyncio.Task[dict[str, ConnectorHealth]]] = {}
        self._until: dict[str, float] = {}
        self._latest: asyncio.Task[Health] | None = None

    async def report(self) -> Health:
        """How the services are doing now, or were a moment ago."""
        latest = self._latest
        if latest is None or (latest.done() and (latest.exception() or self._any_due())):
            latest = self._latest = asyncio.get_running_loop().create_task(self._report())
        # A caller who hangs up must not take the report from the others.
        return await asyncio.shield(latest)

    async def _report(self) -> Health:
        found = await self.check(self._names())
        report = await self._bot.call(self._health.report)
        return replace(report, detail={**report.detail, **found})

    async def check(self, names: Collection[str]) -> dict[str, ConnectorHealth]:
        """How some services or accounts are doing now, of those that are set up."""
        if due := [name for name in names if self._due(name)]:
            look = asyncio.get_running_loop().create_task(self._look(due))
            self._looks |= dict.fromkeys(due, look)
        looks = {id(look): look for look in map(self._looks.__getitem__, names)}
        found: dict[str, ConnectorHealth] = {}
        for look in looks.values():
            found |= await asyncio.shield(look)
        return {name: found[name] for name in names if name in found}

    def seen(self) -> dict[str, ConnectorHealth]:
        """What was found last of each service, with the notes that nobody keeps."""
        done = [look for look in self._looks.values() if look.done() and not look.exception()]
        return {
            name: health
            for look in done
            for name, health in look.result().items()
            if self._looks[name] is look
        }

    async def _look(self, names: Collection[str]) -> dict[str, ConnectorHealth]:
        found = await self._bot.call(self._health.check, names)
        self._until |= dict.fromkeys(names, time.monotonic() + LIVE_SECONDS)
        return found

    def _due(self, name: str) -> bool:
        look = self._looks.get(name)
        if look is None or not look.done():
            return look is None
        return bool(look.exception()) or time.monotonic() >= self._until[name]

    def _any_due(self) -> bool:
        return any(map(self._due, self._names()))

    def _names(self) -> list[str]:
        return [c.account_id(account) for c, account in accounts(self._bot.engine)]
