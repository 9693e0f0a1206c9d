"""Answers in a chat: the conversation's responses drawn, runs followed in one message."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import TelegramError

from bot.conversation import GONE
from bot.expiring import ExpiringMap
from bot.messages import Confirm, PassedOn, Reply, Started
from bot.notifier import Notifier, ReplyTo, encoded
from bot.runtime import Bot
from bot.telegram.messenger import Markup, Messenger, Place
from bot.telegram.settings import NAME
from core.callers import Caller
from core.engine import Accepted, Settled
from core.errors import LevqorError
from core.ledger.owed import WITHDRAWN

# What a button's data begins with; its person's id and the nonce follow.
SEND, LEAVE = "send", "leave"

# The kinds of answers that the next bot gives in other words than RESTARTED; a run's id follows.
RUN = "run:"
PAIRED = "paired"

WELCOME = "You are paired: Levqor knows you as {caller}. /help lists what it can do."
RESTARTED = (
    "Levqor was started again, and cannot tell whether you got its answer to this. It sent "
    "nothing for this message. Please write it again."
)
# A run told by this process is not told again when its update comes a second time.
REMEMBERED = 1000


@dataclass(frozen=True)
class Answer:
    """What is still to be given for an update, and where."""

    give: Callable[[], Awaitable[object]]
    place: Place
    kind: str = ""  # what the next bot answers where this one is gone
    # It may wait until the update is confirmed: a crash would not lose it, or nobody miss it.
    later: bool = False


class Answers:
    """Makes answers of texts and responses, and gives those that a dead bot left."""

    def __init__(
        self, bot: Bot, messenger: Messenger, ended: Callable[[Settled], Reply | Confirm]
    ) -> None:
        """`ended` says how a run ended."""
        self._bot = bot
        self._messenger = messenger
        self._ended = ended
        self._notified: ExpiringMap[str, bool] = ExpiringMap(REMEMBERED)
        self.notifier = Notifier(
            bot, NAME, outcome=self._notify, lost=self._give_again, direct=self._direct
        )

    def text(self, place: Place, text: str, markup: Markup | None = None) -> Answer:
        """Answer with a text."""
        return Answer(lambda: self._messenger.show(place, text, markup), place)

    async def draw(
        self, response: Confirm | Started | Reply | PassedOn, place: Place
    ) -> Answer | None:
        """Answer with a response; None where a run's asker was or will be told anyway."""
        if isinstance(response, Started):
            if response.accepted.first:
                return Answer(lambda: self._follow(response, place), place, later=True)
            return await self._redelivered(response.accepted, place)
        if isinstance(response, PassedOn):
            return None
        return self.text(place, response.text, _buttons(response))

    async def _follow(self, started: Started, place: Place) -> None:
        settling = asyncio.ensure_future(self._bot.settle(started.accepted))
        place = await self._announce(started, place)
        await self.notifier.notify(asdict(place), await settling)

    async def _announce(self, started: Started, place: Place) -> Place:
        """Say that it is on its way, and note which message to change when it is done."""
        with contextlib.suppress(TelegramError, LevqorError):
            if place.message is not None:
                return await self._messenger.show(place, started.text)
            # In a flood the outcome alone is worth waiting for.
            place = await self._messenger.show(place, started.text, patience=0)
            note = self._bot.engine.ledger.set_reply_address
            await self._bot.call(note, started.accepted.run, encoded(asdict(place)))
        return place

    async def _notify(self, reply_to: ReplyTo, settled: Settled) -> None:
        self._notified[settled.run] = True
        response = self._ended(settled)
        await self._messenger.show(Place(**reply_to), response.text, _buttons(response))

    async def _redelivered(self, accepted: Accepted, place: Place) -> Answer | None:
        """Answer with the first run, unless its asker was told just now or is about to be."""
        record = await self._bot.call(self._bot.engine.ledger.run, accepted.run)
        settled = accepted.settled
        waiting = record is not None and record.reply_to is not None
        if self._notified.get(accepted.run) or waiting or settled is None:
            return None
        return Answer(lambda: self._notify(asdict(place), settled), place, RUN + settled.run)

    async def _give_again(self, reply_to: ReplyTo, kind: str) -> None:
        """Give an answer that a dead bot left."""
        if kind.startswith(RUN):
            record = await self._bot.call(self._bot.engine.ledger.run, kind.removeprefix(RUN))
            if record is not None:
                await self._notify(reply_to, self._bot.engine.settled(record))
            return
        place = Place(**reply_to)
        # In a private chat the chat is the person.
        welcome = WELCOME.format(caller=Caller(NAME, str(place.chat)))
        texts = {PAIRED: welcome, WITHDRAWN: GONE}
        await self._messenger.show(place, texts.get(kind, RESTARTED))

    async def _direct(self, caller: Caller, text: str) -> None:
        # In a private chat the chat is the person.
        await self._messenger.show(Place(int(caller.id)), text)


def _buttons(response: Confirm | Reply) -> InlineKeyboardMarkup | None:
    if not isinstance(response, Confirm):
        return None
    buttons = [
        InlineKeyboardButton(label, callback_data=f"{verb}:{response.caller.id}:{response.nonce}")
        for verb, label in ((SEND, response.yes), (LEAVE, response.no))
        if label
    ]
    return InlineKeyboardMarkup([buttons])
