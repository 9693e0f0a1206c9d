"""Who writes, what they want, who does it: one update at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from telegram import ForceReply
from telegram.error import BadRequest, Forbidden, NetworkError

from bot.commands import QUESTIONS
from bot.telegram.forms import Form, Forms
from bot.telegram.menus import SPELLING
from bot.telegram.messenger import units
from bot.telegram.runs import PAIRED, WELCOME, Ask, Runs, Work
from bot.telegram.settings import NAME
from bot.telegram.unknown_users import UnknownUsers
from bot.telegram.updates import ButtonPress, TextMessage
from core import wording
from core.callers import Caller
from core.errors import LedgerError, LevqorError, NotFound

if TYPE_CHECKING:
    from bot.runtime import Bot
    from bot.telegram.menus import Menus
    from bot.telegram.messenger import Messenger
    from bot.telegram.updates import Command

# What was written longer ago waited for a bot that was off: nobody expects it now.
STALE_SECONDS = 900.0

# A code that cannot be redeemed comes again; nobody waits long behind it.
REDEEM_SECONDS = 2.0

# Telegram's apps cut what is longer than 4096 into several messages, at or before that.
NEARLY_TOO_LONG = 4000
MAYBE_CUT = (
    "This message is about as long as Telegram allows. If it was cut in two, the rest is not "
    "in it. Send this part as it is?"
)

KNOWN = "Levqor knows you as {caller}. /help lists what it can do."
NO_FORM = "There is no form open."
# Also for who replies to a question that somebody else in the group was asked.
CLOSED = (
    "You have no form open here, and nothing was sent: a form ends after ten minutes, or when "
    "Levqor starts again. Please write the command again."
)
HINT = "Levqor reads commands: see /help."
OTHERS = (
    "Levqor runs no commands that were forwarded or that another bot wrote. If you want it "
    "sent, please write it yourself."
)
STRANGER = (
    "Levqor does not know you. Your id is {caller}.\n"
    "Whoever runs it can let you in with: levqor pair telegram\n"
    "Then send here: /start CODE (a wrong or old code is not answered)."
)


class Postponed(LedgerError):
    """One person's message cannot be taken now and must come again; others' can be."""


class Handlers:
    """Takes what was heard; hands back what is left to do, or None."""

    def __init__(self, bot: Bot, messenger: Messenger, runs: Runs, menus: Menus) -> None:
        self._bot = bot
        self._messenger = messenger
        self._runs = runs
        self._menus = menus
        self._forms = Forms()
        self._unknown_users = UnknownUsers()

    async def take(self, heard: TextMessage | ButtonPress) -> Work | None:
        """Do with an update what must be done before it is confirmed.

        Raises LedgerError where nobody can tell who is paired, and Postponed.
        """
        caller = Caller(NAME, str(heard.user))
        paired = caller.id in await self._bot.call(self._bot.engine.ledger.paired, NAME)
        if isinstance(heard, ButtonPress):
            return await self._pressed(heard, caller, paired=paired)
        if not paired:
            return await self._stranger(heard, caller)
        if heard.command is None:
            return self._text(heard, caller)
        return await self._command(heard, heard.command, caller)

    async def _pressed(self, pressed: ButtonPress, caller: Caller, *, paired: bool) -> Work | None:
        theirs = f":{caller.id}:" in pressed.data
        text = None if theirs else "This button is for whoever asked."
        # Telegram forgets a press within seconds: first the toast, then the work.
        self._bot.spawn(self._messenger.answer_button(pressed.query, text), name="telegram button")
        return await self._runs.pressed(pressed, caller) if paired and theirs else None

    async def _stranger(self, said: TextMessage, caller: Caller) -> Work | None:
        command = said.command
        code = command.rest.strip() if command and command.name == "start" else ""
        if said.private and code and await self._redeemed(said, caller, code):
            return Work(lambda: self._welcome(said, caller), said.place, PAIRED)
        meant = said.private or (command and (command.addressed or self._ours(command)))
        if not meant or not self._unknown_users.may_be_answered(said.user):
            return None
        text = STRANGER.format(caller=caller)
        return Work(lambda: self._answer_once(said, text), said.place, later=True)

    async def _redeemed(self, said: TextMessage, caller: Caller, code: str) -> bool:
        """Try a code; raises Postponed where the ledger cannot be written, which is no try."""
        if not self._unknown_users.may_try(said.user):
            return False
        redeem = self._bot.engine.ledger.redeem
        try:
            return await self._bot.call(redeem, NAME, caller.id, code, patience=REDEEM_SECONDS)
        except LedgerError as error:
            self._unknown_users.was_no_try(said.user)
            raise Postponed(error.message, reason=error.reason) from None

    async def _answer_once(self, said: TextMessage, text: str) -> None:
        # In a flood of strangers nobody waits for anybody.
        try:
            await self._messenger.send(said.place, text, patience=0)
        except (BadRequest, Forbidden):
            raise
        except NetworkError:
            self._unknown_users.was_not_answered(said.user)

    async def _welcome(self, said: TextMessage, caller: Caller) -> None:
        await self._messenger.send(said.place, WELCOME.format(caller=caller))
        await self._menus.show(said.user)

    async def _command(self, said: TextMessage, command: Command, caller: Caller) -> Work | None:
        if command.name == "start" and (said.private or command.addressed):
            return self._say(said, KNOWN.format(caller=caller))
        if command.name == "cancel":
            closed = self._forms.close(said.place.chat, said.user)
            return self._say(said, "Nothing was sent." if closed else NO_FORM)
        if command.name == "skip":
            return self._skip(said, caller)
        try:
            what = self._bot.commands.find(f"/{command.name}", SPELLING)
        except NotFound as error:
            # In a group it may be another bot's.
            heard = said.private or command.addressed
            return self._say(said, wording.refusal(error)) if heard else None
        if what in {each.word for each in QUESTIONS}:
            return Work(lambda: self._ask(said, what, command.rest, caller), said.place)
        return await self._action(said, what, command.rest, caller)

    async def _action(
        self, said: TextMessage, action_id: str, rest: str, caller: Caller
    ) -> Work | None:
        try:
            if not rest.strip():
                return await self._open(said, action_id, caller)
            values = self._bot.commands.read(action_id, rest)
        except LevqorError as error:
            return self._say(said, wording.refusal(error))
        return await self._fire(said, Ask(action_id, values, guard=True), caller)

    async def _fire(self, said: TextMessage, ask: Ask, caller: Caller) -> Work | None:
        late = time.time() - said.at
        if late > STALE_SECONDS and not await self._runs.seen(said.update):
            text = f"You asked for this {wording.ago(late)}, while Levqor was off. Send it now?"
            return self._runs.confirm(ask, caller, said.place, text, "Send now")
        if units(said.text) > NEARLY_TOO_LONG and not await self._runs.seen(said.update):
            return self._runs.confirm(ask, caller, said.place, MAYBE_CUT, "Send")
        return await self._runs.fire(ask, caller, said.place, said.update)

    async def _ask(self, said: TextMessage, word: str, rest: str, caller: Caller) -> None:
        try:
            text = await self._bot.commands.ask(word, rest, caller, SPELLING)
            if word == "whoami":
                text += f"\nThis chat's id is {said.place.chat}."
        except LevqorError as error:
            text = wording.refusal(error)
        await self._messenger.send(said.place, text)

    async def _open(self, said: TextMessage, action_id: str, caller: Caller) -> Work:
        """Open a form; raises LevqorError where its end could only be a refusal."""
        await self._bot.commands.ready(action_id, caller)
        _, action = self._bot.engine.action(action_id)
        default = self._bot.settings.default
        form = Form(action_id, SPELLING.action(action_id), action.title, action.input, default)
        self._forms.put(said.place.chat, said.user, form)
        return self._next(said, form, caller)

    def _next(
        self, said: TextMessage, form: Form, caller: Caller, wrong: str | None = None
    ) -> Work:
        if not form.done:
            question = form.question() if wrong is None else f"{wrong}\n\n{form.question()}"
            mark = ForceReply(selective=True, input_field_placeholder=form.spec.title[:64])
            return self._say(said, question, mark)
        self._forms.close(said.place.chat, said.user)
        ask = Ask(form.action_id, form.values, guard=True)
        return self._runs.confirm(ask, caller, said.place, form.preview(), "Send")

    def _skip(self, said: TextMessage, caller: Caller) -> Work:
        form = self._forms.find(said.place.chat, said.user)
        if form is None:
            return self._say(said, NO_FORM)
        wrong = None if form.skip() else f"{form.spec.name}: is required"
        return self._next(said, form, caller, wrong)

    def _text(self, said: TextMessage, caller: Caller) -> Work | None:
        """Words without a command: an answer to a form's question, or small talk."""
        if not said.private and said.answers is None:
            return None
        form = self._forms.find(said.place.chat, said.user)
        if form is not None:
            wrong = form.answer(said.text)
            form.maybe_cut |= wrong is None and units(said.text) > NEARLY_TOO_LONG
            return self._next(said, form, caller, wrong)
        if said.answers is not None and self._asked(said.answers):
            return self._say(said, CLOSED)
        hint = OTHERS if said.others else HINT
        return self._say(said, hint) if said.private else None

    def _asked(self, text: str) -> bool:
        """Whether a message of the bot was a form's question."""
        names = tuple(f"{SPELLING.action(i)}, " for i in self._bot.engine.action_ids())
        return any(line.startswith(names) for line in text.splitlines())

    def _ours(self, command: Command) -> bool:
        try:
            self._bot.commands.find(f"/{command.name}", SPELLING)
        except NotFound:
            return False
        return True

    def _say(self, said: TextMessage, text: str, mark: ForceReply | None = None) -> Work:
        async def do() -> None:
            await self._messenger.send(said.place, text, mark)

        return Work(do, said.place)
