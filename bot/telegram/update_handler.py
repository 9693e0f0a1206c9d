"""Updates as they come, one by one: parsed, journaled, answered; then they may be confirmed."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from telegram import Update
from telegram.error import TelegramError

from bot.expiring import ExpiringMap
from bot.runtime import Bot
from bot.telegram.answers import Answer
from bot.telegram.api import Api
from bot.telegram.connection_status import ConnectionStatus
from bot.telegram.handlers import Handlers, Postponed
from bot.telegram.settings import NAME
from bot.telegram.updates import ButtonPress, TextMessage, number, parse
from core.errors import LevqorError

# What is not in the journal is answered before its update is confirmed, so that a crash
# brings it again. An answer that takes longer is written down: a chat in a flood must not
# hold up everybody else's messages.
ANSWER_SECONDS = 3.0
# Ten times what one poll may bring.
REMEMBERED = 1000

log = logging.getLogger("levqor.bot")


@dataclass(eq=False)
class Taken:
    """An update, and the answer it gets, if any."""

    number: int | None
    answer: Answer | None = None
    giving: asyncio.Task[None] | None = None
    safe: bool = True  # to confirm: it was answered, or its answer is kept
    kept: bool = False  # in the ledger

    @property
    def waits(self) -> bool:
        """Whether its answer waits until the update is confirmed."""
        return self.answer is not None and self.giving is None


class UpdateHandler:
    """What polling and the webhook hand their updates to."""

    def __init__(self, bot: Bot, api: Api, handlers: Handlers, status: ConnectionStatus) -> None:
        self._bot = bot
        self._api = api
        self._handlers = handlers
        self._notifier = handlers.answers.notifier
        self._status = status
        self._one_at_a_time = asyncio.Lock()
        # An update that could not be confirmed comes again, and must not be taken again.
        self._known: ExpiringMap[int, Taken] = ExpiringMap(REMEMBERED)

    async def take(self, batch: Iterable[Any]) -> tuple[list[Taken], LevqorError | None]:
        """Take updates in order, and wait until each is answered or its answer is kept.

        The error is why some are not safe, or not taken at all: they must come again.
        """
        taken: list[Taken] = []
        problem: LevqorError | None = None
        postponed = set()
        for raw in batch:
            update = self._parse(raw)
            each = Taken(number(raw), safe=update is None)
            # What somebody wrote is taken in the order it was written in.
            if update is not None and update.user not in postponed:
                try:
                    each = await self._take(update)
                except Postponed as error:
                    problem = error
                    postponed.add(update.user)
                except LevqorError as error:
                    problem = error
                    break
            taken.append(each)
        waiting = {each.giving: each for each in taken if each.giving and not each.safe}
        if waiting:
            await asyncio.wait(waiting, timeout=ANSWER_SECONDS)
        keeping = [self._keep(each) for each in waiting.values()]
        for result in await asyncio.gather(*keeping, return_exceptions=True):
            if isinstance(result, LevqorError):
                problem = result
            elif result is not None:
                raise result
        return taken, problem

    def begin(self, taken: Taken) -> None:
        """Give the answer, once, in the background."""
        if taken.waits:
            taken.giving = self._bot.spawn(self._give(taken), name="telegram answer", asked=True)

    def _parse(self, raw: Any) -> TextMessage | ButtonPress | None:
        try:
            return parse(Update.de_json(raw), self._api.id, self._api.username)
        except Exception:  # noqa: BLE001 - whatever the library trips over, the next one counts
            self._status.skipped()
            return None

    async def _take(self, update: TextMessage | ButtonPress) -> Taken:
        """Take one update and begin its answer; raises LedgerError where it must come again."""
        began = time.perf_counter()
        async with self._one_at_a_time:
            if (known := self._known.get(update.number)) is not None:
                return known
            try:
                answer = await self._handlers.take(update)
            except LevqorError:
                raise
            except Exception as error:  # noqa: BLE001 - one update must not stop all that follow
                # Its text may hold what was typed.
                log.error("An update could not be taken: %s", type(error).__name__)  # noqa: TRY400
                self._status.skipped()
                answer = None
            taken = self._known[update.number] = Taken(update.number, answer)
        if answer is not None and not answer.later:
            taken.safe = False
            self.begin(taken)
        self._bot.acknowledged(NAME, time.perf_counter() - began)
        return taken

    async def _give(self, taken: Taken) -> None:
        # Somebody who blocked the bot or deleted the chat cannot be answered.
        with contextlib.suppress(TelegramError):
            if taken.answer is not None:
                await taken.answer.give()
        if taken.kept:
            await self._notifier.answered(self._key(taken))

    async def _keep(self, taken: Taken) -> None:
        """Write an answer down that is not out yet; raises LedgerError."""
        if taken.answer and taken.giving and not taken.giving.done():
            place, kind = asdict(taken.answer.place), taken.answer.kind
            await self._notifier.keep_answer(self._key(taken), place, kind)
            taken.kept = True
            if taken.giving.done():
                await self._notifier.answered(self._key(taken))
        taken.safe = True

    def _key(self, taken: Taken) -> str:
        return self._handlers.conversation.key(taken.number or 0)
