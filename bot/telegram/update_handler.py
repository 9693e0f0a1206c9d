"""Updates as they come, one by one: parsed, journaled, answered; then they may be confirmed."""

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
from bot.telegram.settings import NAME
from bot.telegram.updates import parse
from core.errors import LevqorError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.conversation import Conversation
    from bot.notifier import Notifier
    from bot.runtime import Bot
    from bot.telegram.answers import Answer
    from bot.telegram.api import Api
    from bot.telegram.connection_status import ConnectionStatus
    from bot.telegram.handlers import Handlers
    from bot.telegram.updates import ButtonPress, TextMessage

# What is not in the journal is answered before its update is confirmed, so that a crash
# brings it again. An answer that takes longer is written down: a chat in a flood must not
# hold up everybody else's messages.
ANSWER_SECONDS = 3.0
# Ten times what one poll may bring.
REMEMBERED = 1000

log = logging.getLogger("levqor.bot")


@dataclass(eq=False)
class Taken:
    """An update that was taken, and the answer it gets, if any.

    `safe` tells that it may be confirmed: it was answered, or its answer is `kept` in the ledger.
    """

    key: str = ""
    answer: Answer | None = None
    giving: asyncio.Task[None] | None = None
    safe: bool = True
    kept: bool = False

    @property
    def waits(self) -> bool:
        """Whether its answer waits until the update is confirmed."""
        return self.answer is not None and self.giving is None


class UpdateHandler:
    """What polling and the webhook hand their updates to."""

    def __init__(
        self,
        bot: Bot,
        api: Api,
        status: ConnectionStatus,
        conversation: Conversation,
        handlers: Handlers,
        notifier: Notifier,
    ) -> None:
        self._bot = bot
        self._api = api
        self._status = status
        self._conversation = conversation
        self._handlers = handlers
        self._notifier = notifier
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

    async def take(self, update: TextMessage | ButtonPress) -> Taken:
        """Take one update and begin its answer.

        Raises LedgerError where it cannot be taken now and must come again.
        """
        began = time.perf_counter()
        async with self._one_at_a_time:
            if (known := self._known.get(update.update)) is not None:
                return known
            taken = self._known[update.update] = await self._take(update)
        self._bot.acknowledged(NAME, time.perf_counter() - began)
        return taken

    async def _take(self, update: TextMessage | ButtonPress) -> Taken:
        try:
            answer = await self._handlers.take(update)
        except LevqorError:
            raise
        except Exception as error:  # noqa: BLE001 - one update must not stop all that follow
            # Its text may hold what was typed.
            log.error("An update could not be taken: %s", type(error).__name__)  # noqa: TRY400
            self._status.skipped()
            answer = None
        taken = Taken(self._conversation.key(update.update), answer)
        if answer is not None and not answer.later:
            taken.safe = False
            self.begin(taken)
        return taken

    def begin(self, taken: Taken) -> None:
        """Give the answer, once, in the background."""
        if taken.waits:
            taken.giving = self._bot.spawn(self._give(taken), name="telegram answer", asked=True)

    async def _give(self, taken: Taken) -> None:
        # Somebody who blocked the bot or deleted the chat cannot be answered.
        with contextlib.suppress(TelegramError):
            if taken.answer is not None:
                await taken.answer.give()
        if taken.kept:
            await self._notifier.answered(taken.key)

    async def secure(self, updates: Iterable[Taken]) -> None:
        """Wait until answers are out, or long enough; write down those that are not.

        Raises LedgerError where one of them cannot be written down.
        """
        waiting = {each.giving: each for each in updates if each.giving and not each.safe}
        if waiting:
            await asyncio.wait(waiting, timeout=ANSWER_SECONDS)
        keeping = [self._keep(giving, taken) for giving, taken in waiting.items()]
        for result in await asyncio.gather(*keeping, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _keep(self, giving: asyncio.Task[None], taken: Taken) -> None:
        if taken.answer is not None and not giving.done():
            place, kind = asdict(taken.answer.place), taken.answer.kind
            await self._notifier.keep_answer(taken.key, place, kind)
            taken.kept = True
            if giving.done():
                await self._notifier.answered(taken.key)
        taken.safe = True
