"""From an asked-for action to its told outcome, in one message that changes as it goes."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import TelegramError

from bot.confirmations import Confirmations
from bot.expiring import ExpiringMap
from bot.notifier import Notifier, encoded, sending
from bot.telegram.messenger import Place
from bot.telegram.settings import NAME
from core import wording
from core.callers import Caller
from core.errors import LevqorError, Repeated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.notifier import ReplyTo
    from bot.runtime import Bot
    from bot.telegram.messenger import Messenger
    from bot.telegram.updates import ButtonPress
    from core.engine import Accepted, Settled

SEND, LEAVE = "send", "leave"

GONE = (
    "Nothing was sent: this was asked more than ten minutes ago, or Levqor was started again. "
    "Please write the command again."
)
# What is owed where an answer tells of a run: its id stands behind this.
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
class Work:
    """What is left to do with an update, and where it is answered.

    `later` tells that it may wait until the update is confirmed: a crash would not lose it
    any more, or nobody would miss it. All else is done before, or written down as owed;
    `kind` is what the next bot answers then.
    """

    do: Callable[[], Awaitable[object]]
    place: Place
    kind: str = ""
    later: bool = False


@dataclass(frozen=True)
class Ask:
    """An action with its values, put aside until its person says yes."""

    action_id: str
    values: dict[str, Any]
    guard: bool


class Runs:
    """Accepts, sends, tells. `bot_id` is the Telegram bot's own id."""

    def __init__(self, bot: Bot, messenger: Messenger, bot_id: int) -> None:
        self._bot = bot
        self._messenger = messenger
        self._bot_id = bot_id
        self._pending: Confirmations[Ask] = Confirmations()
        self._told: ExpiringMap[str, bool] = ExpiringMap(REMEMBERED)
        self.notifier = Notifier(bot, NAME, outcome=self._tell, lost=self._answer_again)

    def key(self, request: int | str) -> str:
        """A request's own key: an update's number, or a button's nonce."""
        return f"telegram:{self._bot_id}:{request}"

    async def fire(self, ask: Ask, caller: Caller, place: Place, request: int | str) -> Work | None:
        """Journal a run; what is left is to send it and to tell how it ended."""
        try:
            accepted = await self._bot.accept(
                ask.action_id,
                ask.values,
                caller,
                key=self.key(request),
                reply_to=encoded(asdict(place)),
                guard=ask.guard,
            )
        except Repeated as same:
            again = replace(ask, guard=False)
            return self.confirm(again, caller, place, wording.refusal(same), "Send again")
        except LevqorError as error:
            text = wording.refusal(error)
            return Work(lambda: self._messenger.edit(place, text), place)
        if not accepted.first:
            return await self._redelivered(accepted, place)
        return Work(lambda: self._run(accepted, place), place, later=True)

    def confirm(self, ask: Ask, caller: Caller, place: Place, text: str, yes: str) -> Work:
        """Ask whether to send; the buttons work once, for ten minutes, for this person."""
        nonce = self._pending.put(str(caller), ask)
        no = "Cancel" if yes == "Send" else "Leave it"
        buttons = [
            InlineKeyboardButton(yes, callback_data=f"{SEND}:{caller.id}:{nonce}"),
            InlineKeyboardButton(no, callback_data=f"{LEAVE}:{caller.id}:{nonce}"),
        ]
        markup = InlineKeyboardMarkup([buttons])
        return Work(lambda: self._messenger.edit(place, text, markup), place)

    async def _answer_again(self, where: ReplyTo, kind: str) -> None:
        """Answer what a dead bot owed somebody."""
        place = Place(**where)
        if kind == PAIRED:
            # In a private chat the chat is the person.
            text = WELCOME.format(caller=Caller(NAME, str(place.chat)))
        elif kind.startswith(RUN):
            entry = await self._bot.call(self._bot.engine.ledger.run, kind.removeprefix(RUN))
            if entry is None:
                return
            settled = self._bot.engine.settled(entry)
            text = wording.settled(settled, self._bot.engine.connectors)
        else:
            text = RESTARTED
        await self._messenger.edit(place, text)

    async def pressed(self, pressed: ButtonPress, caller: Caller) -> Work | None:
        """Do what a button says, once, however often it is pressed."""
        verb, _, rest = pressed.data.partition(":")
        ident, _, nonce = rest.partition(":")
        if verb not in (SEND, LEAVE) or ident != caller.id:
            return None
        place = pressed.place
        known = await self._bot.call(self._bot.engine.ledger.keyed, self.key(nonce))
        if known is not None:
            ended = None if known.open else self._bot.engine.settled(known)
            run = _Known(known.run, ended)
            return await self._redelivered(run, place)
        ask = self._pending.take(str(caller), nonce)
        if ask is None:
            return Work(lambda: self._messenger.edit(place, GONE), place)
        if verb == LEAVE:
            kept = "Nothing was sent." if ask.guard else "Not sent again."
            return Work(lambda: self._messenger.edit(place, kept), place)
        return await self.fire(ask, caller, place, nonce)

    async def seen(self, request: int | str) -> bool:
        """Whether a request has its run already."""
        return await self._bot.call(self._bot.engine.ledger.keyed, self.key(request)) is not None

    async def _run(self, accepted: Accepted, place: Place) -> None:
        settling = asyncio.ensure_future(self._bot.settle(accepted))
        place = await self._announce(accepted, place)
        await self.notifier.notify(asdict(place), await settling)

    async def _announce(self, accepted: Accepted, place: Place) -> Place:
        """Say that it is on its way, and note which message to change when it is done."""
        text = sending(self._bot, accepted)
        with contextlib.suppress(TelegramError, LevqorError):
            if place.message is not None:
                return await self._messenger.edit(place, text)
            # In a flood the outcome alone is worth waiting for.
            place = await self._messenger.send(place, text, patience=0)
            await self._bot.call(
                self._bot.engine.ledger.set_reply_address, accepted.run, encoded(asdict(place))
            )
        return place

    async def _tell(self, where: ReplyTo, settled: Settled) -> None:
        self._told[settled.run] = True
        await self._messenger.edit(
            Place(**where), wording.settled(settled, self._bot.engine.connectors)
        )

    async def _redelivered(self, accepted: Accepted | _Known, place: Place) -> Work | None:
        """Answer with the first run, unless its asker was told just now or is about to be."""
        entry = await self._bot.call(self._bot.engine.ledger.run, accepted.run)
        settled = accepted.settled
        waiting = entry is not None and entry.reply_to is not None
        if self._told.get(accepted.run) or waiting or settled is None:
            return None
        return Work(lambda: self._tell(asdict(place), settled), place, RUN + settled.run)


@dataclass(frozen=True)
class _Known:
    run: str
    settled: Settled | None
