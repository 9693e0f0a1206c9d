"""Updates as they come, one by one: read, journaled, answered; then they may be confirmed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from telegram import Update
from telegram.error import TelegramError

from bot.expiring import ExpiringMap
from bot.telegram.updates import parse
from core.errors import LevqorError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.runtime import Bot
    from bot.telegram.api import Api
    from bot.telegram.connection_status import ConnectionStatus
    from bot.telegram.handlers import Handlers
    from bot.telegram.runs import Runs, Work
    from bot.telegram.updates import ButtonPress, TextMessage

# What is not in the journal is answered before its update is confirmed, so that a crash
# brings it again. One that takes longer is written down as owed: a chat in a flood must not
# hold up everybody else's messages.
ANSWER_SECONDS = 3.0
# Ten times what one poll may bring.
REMEMBERED = 1000

log = logging.getLogger("levqor.bot")


@dataclass(eq=False)
class Taken:
    """An update that was taken, and what became of it so far.

    `later` is what may begin once it is confirmed; `safe` tells that it may be: it was
    answered, or its answer is written down.
    """

    update: int = 0
    work: Work | None = None
    later: Work | None = None
    answer: asyncio.Task[None] | None = None
    safe: bool = True
    owed: bool = False


class UpdateHandler:
    """What polling and the webhook hand their updates to."""

    def __init__(
        self, bot: Bot, handlers: Handlers, runs: Runs, status: ConnectionStatus, api: Api
    ) -> None:
        self._bot = bot
        self._handlers = handlers
        self._runs = runs
        self._status = status
        self._api = api
        self._one_at_a_time = asyncio.Lock()
        # An update that could not be confirmed comes again, and must not be taken again.
        self._known: ExpiringMap[int, Taken] = ExpiringMap(REMEMBERED)

    def parse(self, raw: Any) -> TextMessage | ButtonPress | None:
        """What an update says; None where it is nothing for this bot."""
        try:
            return parse(Update.de_json(raw), self._api.id, self._api.username)
        except Exception:  # noqa: BLE001 - whatever the library trips over, the next one counts
            self._status.skipped()
            return None

    async def take(self, heard: TextMessage | ButtonPress) -> Taken:
        """Take one update and begin its answer.

        Raises LedgerError where it cannot be taken now and must come again.
        """
        began = time.perf_counter()
        async with self._one_at_a_time:
            if (known := self._known.get(heard.update)) is not None:
                return known
            taken = self._known[heard.update] = await self._take(heard)
        self._bot.acknowledged("telegram", time.perf_counter() - began)
        return taken

    async def _take(self, heard: TextMessage | ButtonPress) -> Taken:
        try:
            work = await self._handlers.take(heard)
        except LevqorError:
            raise
        except Exception as error:  # noqa: BLE001 - one update must not stop all that follow
            # Its text may hold what was typed.
            log.error("An update could not be taken: %s", type(error).__name__)  # noqa: TRY400
            self._status.skipped()
            work = None
        if work is None or work.later:
            return Taken(heard.update, work, later=work)
        taken = Taken(heard.update, work, safe=False)
        taken.answer = self._spawn(self._answer(work, taken))
        return taken

    async def secure(self, updates: Iterable[Taken]) -> None:
        """Wait until answers are out, or long enough; write down those that are not.

        Raises LedgerError where one of them cannot be written down.
        """
        left = [one for one in updates if not one.safe and one.answer is not None]
        if left:
            await asyncio.wait([one.answer for one in left if one.answer], timeout=ANSWER_SECONDS)
        results = await asyncio.gather(*map(self._secure, left), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def begin(self, taken: Taken) -> None:
        """Do what was left until the update is confirmed, once, in the background."""
        work, taken.later = taken.later, None
        if work is not None:
            self._spawn(_do(work))

    async def _secure(self, taken: Taken) -> None:
        answer, work = taken.answer, taken.work
        if answer is None or work is None or answer.done():
            taken.safe = True
            return
        key = self._runs.key(taken.update)
        await self._runs.notifier.keep_answer(key, asdict(work.place), work.kind)
        taken.safe = taken.owed = True
        if answer.done():
            await self._runs.notifier.answered(key)

    async def _answer(self, work: Work, taken: Taken) -> None:
        await _do(work)
        if taken.owed:
            await self._runs.notifier.answered(self._runs.key(taken.update))

    def _spawn(self, job: Any) -> asyncio.Task[None]:
        return self._bot.spawn(job, name="telegram answer", asked=True)


async def _do(work: Work) -> None:
    # Somebody who blocked the bot or deleted the chat cannot be answered.
    with contextlib.suppress(TelegramError):
        await work.do()
