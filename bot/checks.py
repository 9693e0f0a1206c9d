"""The bot's own checks: each service that is set up is probed every few minutes, by one bot."""

import asyncio
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from bot.runtime import Bot, step
from core.health import HealthChecker, accounts
from core.ledger import ProbeStreak
from core.reports import BROKEN, ConnectorHealth

T = TypeVar("T")

MINUTE = 60.0
# A bot that has just started has better things to do.
FIRST_MINUTES = 1.0
LOOK_SECONDS = 15.0
LEASE, LEASE_SECONDS = "checks", 60.0
# A new verdict is looked at again this soon: what passes by itself is nobody's trouble.
AGAIN_MINUTES = 1.0
LONGEST_MINUTES = 30.0
# Where nothing can be written, nobody knows that this bot has just looked.
_AT_LEAST_SECONDS = 15.0


def next_check(streak: ProbeStreak | None, minutes: float, minute: float = MINUTE) -> float:
    """When an account is to be probed again: what fails is probed less the longer it does.

    Whoever wrote the streak counts, and whichever bot asks comes to the same moment.
    """
    if streak is None:
        return 0.0
    wait = minutes * minute
    if streak.at - streak.since < 1.0:
        wait = min(wait, AGAIN_MINUTES * minute)
    elif streak.verdict in BROKEN:
        wait = max(wait, min(streak.at - streak.since, LONGEST_MINUTES * minute))
    spread = random.Random(f"{streak.connector} {streak.at}")  # noqa: S311 - spreads load
    return streak.at + wait * spread.uniform(0.9, 1.1)


class ServiceChecks:
    """The checks of one bot, as far as it is the one that makes them. `minute` is for tests."""

    def __init__(self, bot: Bot, *, minute: float = MINUTE) -> None:
        self._bot, self._minute = bot, minute
        self._health = HealthChecker(bot.engine)
        self._not_before: dict[str, float] = {}

    async def run(self) -> None:
        """Check until cancelled."""
        spread = random.uniform(1.0, 1.2)  # noqa: S311 - spreads load
        await asyncio.sleep(FIRST_MINUTES * self._minute * spread)
        while True:
            with step():
                await self.look()
            await asyncio.sleep(LOOK_SECONDS * self._minute / MINUTE)

    async def look(self) -> dict[str, ConnectorHealth]:
        """Probe what is due, unless another bot does; how each of these is now."""
        minutes = self._bot.settings.app.check_minutes
        if not minutes or not await self._bot.call(
            self._bot.engine.ledger.lease, LEASE, LEASE_SECONDS
        ):
            return {}
        due = await self._bot.call(self._due, minutes)
        if not due:
            return {}
        loop = asyncio.get_running_loop()
        self._not_before |= dict.fromkeys(
            due, loop.time() + _AT_LEAST_SECONDS * self._minute / MINUTE
        )
        # A look-up that hangs must not hold up the exit, as a thread of a pool would.
        return await asyncio.wrap_future(_in_daemon(lambda: self._health.check(due)))

    def _due(self, minutes: int) -> set[str]:
        engine = self._bot.engine
        now, clock = engine.ledger.now(), self._bot.ended.get_loop().time()
        names = {
            connector.account_id(account)
            for connector, account in accounts(engine)
            if engine.settings.configured(connector, account)
        }
        return {
            name
            for name in names
            if clock >= self._not_before.get(name, 0.0)
            and now >= next_check(self._latest(name), minutes, self._minute)
        }

    def _latest(self, name: str) -> ProbeStreak | None:
        return next(iter(self._bot.engine.ledger.probes(name)), None)


def _in_daemon(work: Callable[[], T]) -> Future[T]:
    """Run something in a daemon thread."""
    future: Future[T] = Future()

    def run() -> None:
        future.set_running_or_notify_cancel()
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - whoever waits is told
            future.set_exception(error)

    threading.Thread(target=run, name="levqor-checks", daemon=True).start()
    return future
