"""Updates as they come, one by one: read, journaled, answered; then they may be confirmed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any

from telegram import Update
from telegram.error import TelegramError

from bot.telegram.heard import read
from core.errors import LevqorError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telegram import User

    from bot.app.frame import Bot
    from bot.telegram.desk import Desk
    from bot.telegram.pulse import Pulse
    from bot.telegram.runs import Work

# What is not in the journal is answered before its update is confirmed, so that a crash
# brings it again; but a chat in a flood must not hold up everybody else's messages.
ANSWER_SECONDS = 3.0

log = logging.getLogger("levqor.bot")


class Intake:
    """The same way in for polling and for the webhook."""

    def __init__(self, bot: Bot, desk: Desk, pulse: Pulse, me: User) -> None:
        self._bot = bot
        self._desk = desk
        self._pulse = pulse
        self._me = me
        self._one_at_a_time = asyncio.Lock()
        self.working: set[asyncio.Task[None]] = set()

    async def take(self, raw: Any) -> Work | None:
        """Take one update; what is left to do with it, if anything.

        Raises LedgerError where it cannot be taken now and must come again.
        """
        began = time.perf_counter()
        try:
            heard = read(Update.de_json(raw), self._me.id, self._me.username or "")
        except Exception:  # noqa: BLE001 - whatever the library trips over, the next one counts
            self._pulse.skipped()
            return None
        if heard is None:
            return None
        try:
            async with self._one_at_a_time:
                work = await self._desk.take(heard)
        except LevqorError:
            raise
        except Exception as error:  # noqa: BLE001 - one update must not stop all that follow
            # Its text may hold what was typed.
            log.error("An update could not be taken: %s", type(error).__name__)  # noqa: TRY400
            self._pulse.skipped()
            return None
        self._bot.acknowledged("telegram", time.perf_counter() - began)
        return work

    async def answered(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        """Wait until answers are out, or long enough."""
        if waiting := tuple(tasks):
            await asyncio.wait(waiting, timeout=ANSWER_SECONDS)

    def begin(self, work: Work) -> asyncio.Task[None]:
        """Do what is left to do, in the background."""
        task = self._bot.spawn(_do(work), name="telegram answer")
        self.working.add(task)
        task.add_done_callback(self.working.discard)
        return task


async def _do(work: Work) -> None:
    # Somebody who blocked the bot or deleted the chat cannot be answered.
    with contextlib.suppress(TelegramError):
        await work.do()
