"""Long polling by a loop of our own: get, journal, confirm, run.

The library's loop confirms what nobody has handled yet, and can end or hang unseen.
"""

import asyncio
import contextlib
import logging
import time
from itertools import takewhile
from typing import Any

from telegram.error import Conflict, TelegramError

from bot.runtime import Bot, Verdict
from bot.telegram import connection_status as verdicts
from bot.telegram.api import Api, Flood
from bot.telegram.connection_status import ConnectionStatus
from bot.telegram.settings import Timing
from bot.telegram.turn import Turn
from bot.telegram.update_handler import Taken, UpdateHandler
from bot.telegram.updates import number
from bot.telegram.webhook import WebhookSecret
from core.backoff import backoff
from core.errors import LevqorError

# After so many failures another bot may try: it may be this machine's network.
GIVES_WAY = 3

log = logging.getLogger("levqor.bot")


class Polling:
    """Asks Telegram for updates until it is stopped."""

    def __init__(
        self,
        bot: Bot,
        api: Api,
        handler: UpdateHandler,
        status: ConnectionStatus,
        secret: WebhookSecret,
        timing: Timing,
    ) -> None:
        self._bot = bot
        self._api = api
        self._turn = Turn(bot, api.token, timing.lease)
        self._handler = handler
        self._status = status
        self._secret = secret
        self._timing = timing
        self._offset: int | None = None
        self._unconfirmed: list[Taken] = []
        self._failures = 0
        self._calm = self._no_webhook = self._pushed_out = False
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Poll; returns once stopped."""
        while not self._stopped.is_set():
            try:
                if (term := await self._turn.take()) is None:
                    await self._stand_by()
                elif await self._check_webhook():
                    await self._poll(term)
            except LevqorError:
                self._begin()
                await self._failed(verdicts.LEDGER)
            except TelegramError as error:
                await self._refused(error)
            except Exception as error:  # noqa: BLE001 - this loop must outlive any mistake
                # Its text may hold the token.
                log.error("Polling stumbled: %s", type(error).__name__)  # noqa: TRY400
                await self._failed(verdicts.STUMBLED)
        if self._offset is not None and self._turn.term is not None:
            # What was taken and is not confirmed would be answered again by the next bot.
            with contextlib.suppress(TelegramError):
                await self._api.updates(self._offset, 0, self._timing.confirm)
        self._begin()
        await self._turn.leave()

    def stop(self) -> None:
        """Take nothing more. What is taken is confirmed and begun; what is not comes again."""
        self._stopped.set()

    async def _stand_by(self) -> None:
        """Another bot polls; what this one has taken is in the ledger."""
        self._begin()
        self._offset, self._failures = None, 0
        self._calm = self._no_webhook = self._pushed_out = False
        await self._status.standing_by()
        await self._pause(self._turn.look_seconds)

    async def _poll(self, term: int) -> None:
        if self._turn.term != term:  # this process stood still meanwhile
            return
        # What is taken waits for its confirmation, and health for the first good answer:
        # do not wait for new updates then.
        seconds = self._timing.poll if self._calm and not self._unconfirmed else 0
        began, confirmed = time.monotonic(), self._offset
        poll = asyncio.ensure_future(
            self._api.updates(self._offset, seconds, seconds + self._timing.grace)
        )
        if self._unconfirmed:
            await asyncio.wait({poll}, timeout=self._timing.confirm)
            self._begin()
        others = [asyncio.ensure_future(each) for each in (self._stopped.wait(), self._turn.lost())]
        await asyncio.wait({poll, *others}, return_when=asyncio.FIRST_COMPLETED)
        for other in others:
            other.cancel()
        if not poll.done() or self._turn.term != term:
            # What came late is the next bot's: it was not confirmed.
            poll.cancel()
            await asyncio.gather(poll, return_exceptions=True)
            return
        batch = poll.result()
        self._calm = True
        if not self._failures:
            await self._status.good(f"as @{self._api.username}")
        # A good poll alone is no sign that what it brought can be taken.
        await self._take(batch)
        self._failures = 0
        await self._status.good(f"as @{self._api.username}")
        # Telegram holds a poll until there is something new; what answers in its place may not,
        # and would be asked without end.
        early = time.monotonic() - began < seconds / 2
        if (not batch and early) or (batch and _is_old(batch, confirmed)):
            await self._pause(self._timing.hasty)

    async def _take(self, batch: list[Any]) -> None:
        """Take a batch; what cannot be confirmed comes again. Raises LedgerError."""
        going = takewhile(lambda _: not (self._stopped.is_set() or self._bot.ending), batch)
        taken, problem = await self._handler.take(going)
        self._unconfirmed += [each for each in taken if each.waits]
        for each in takewhile(lambda each: each.safe, taken):
            if each.number is not None:
                self._offset = each.number + 1
        if problem is not None:
            raise problem
        if batch and not any(number(raw) is not None for raw in batch):
            # Without a number it cannot be confirmed, and comes again at once.
            await self._pause(self._timing.longest)

    def _begin(self) -> None:
        for each in self._unconfirmed:
            self._handler.begin(each)
        self._unconfirmed = []

    async def _check_webhook(self) -> bool:
        """Whether nobody else's webhook takes the messages; one of ours is removed."""
        if self._no_webhook:
            return True
        url = (await self._api.get_webhook_info()).url
        if url and not self._secret.ours(url):
            self._pushed_out = False
            await self._status.bad(verdicts.foreign_webhook(url))
            await self._pause(self._timing.refused)
            return False
        if url:
            await self._api.delete_webhook(drop_pending_updates=False)
        elif self._pushed_out:
            await self._failed(verdicts.OTHER_POLLER, first=self._timing.conflict)
        self._no_webhook, self._pushed_out = True, False
        return True

    async def _refused(self, error: TelegramError) -> None:
        verdict = verdicts.of_error(error)
        if isinstance(error, Conflict):
            # Either a webhook or another poll: the next round looks.
            self._no_webhook, self._pushed_out = False, True
        elif isinstance(error, Flood):
            self._calm = False
            await self._status.flooded(error.seconds)
            await self._pause(error.seconds)
        elif verdict is verdicts.REVOKED:
            await self._status.bad(verdict)
            await self._pause(self._timing.refused)
        else:
            if self._failures >= GIVES_WAY:
                await self._turn.leave()
            # One poll that goes wrong is no news, unless what came is no Telegram.
            news = self._failures or verdict is verdicts.INVALID_ANSWERS
            await self._failed(verdict if news else None)

    async def _failed(self, verdict: Verdict | None, first: float | None = None) -> None:
        """Say what is wrong, and wait longer each time."""
        self._failures += 1
        self._calm = False
        if verdict is not None:
            await self._status.bad(verdict)
        first, longest = first or self._timing.pause, self._timing.longest
        await self._pause(backoff(self._failures, first=first, longest=longest, jitter=0.5))

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)


def _is_old(batch: list[Any], confirmed: int | None) -> bool:
    """Whether every update of a batch was confirmed before it came."""
    numbers = [number(raw) for raw in batch]
    return confirmed is not None and all(each is not None and each < confirmed for each in numbers)
