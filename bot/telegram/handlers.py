"""What is done with each update: who wrote, what they want, and how it is answered."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from typing import TYPE_CHECKING

from telegram import ForceReply
from telegram.error import BadRequest, Forbidden, NetworkError

from bot.commands import QUESTIONS
from bot.conversation import Command, Conversation, Decision, OpenForm, Submission
from bot.telegram.answers import LEAVE, PAIRED, SEND, WELCOME, Answer, Answers
from bot.telegram.forms import Form, Forms
from bot.telegram.menus import SPELLING
from bot.telegram.messenger import units
from bot.telegram.settings import NAME
from bot.telegram.unknown_users import UnknownUsers
from bot.telegram.updates import ButtonPress, TextMessage
from core.callers import Caller
from core.errors import LedgerError, NotFound

if TYPE_CHECKING:
    from bot.conversation import Request
    from bot.runtime import Bot
    from bot.telegram.menus import Menus
    from bot.telegram.messenger import Messenger, Place
    from bot.telegram.updates import TypedCommand

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
UNKNOWN = (
    "Levqor does not know you. Your id is {caller}.\n"
    "Whoever runs it can get a code for you: levqor pair telegram\n"
    "Then send here: /start CODE (a wrong or old code is not answered)."
)


class Postponed(LedgerError):
    """One person's message cannot be taken now and must come again; others' can be."""


class Handlers:
    """Takes updates; hands back what is still to be answered, or None."""

    def __init__(
        self,
        bot: Bot,
        messenger: Messenger,
        conversation: Conversation,
        answers: Answers,
        menus: Menus,
    ) -> None:
        self._bot = bot
        self._messenger = messenger
        self._conversation = conversation
        self._answers = answers
        self._menus = menus
        self._forms = Forms()
        self._unknown_users = UnknownUsers()

    async def take(self, update: TextMessage | ButtonPress) -> Answer | None:
        """Do with an update what must be done before it is confirmed.

        Raises LedgerError where nobody can tell who is paired or what was done, and Postponed.
        """
        caller = Caller(NAME, str(update.user))
        paired = caller.id in await self._bot.call(self._bot.engine.ledger.paired, NAME)
        if isinstance(update, ButtonPress):
            return await self._button(update, caller, paired=paired)
        if not paired:
            return await self._unknown(update, caller)
        if update.command is None:
            return await self._text(update, caller)
        return await self._command(update, update.command, caller)

    async def _button(self, press: ButtonPress, caller: Caller, *, paired: bool) -> Answer | None:
        verb, _, rest = press.data.partition(":")
        ident, _, nonce = rest.partition(":")
        theirs = ident == caller.id
        # Telegram forgets a press within seconds: this comes first.
        toast = None if theirs else "This button is for whoever asked."
        self._bot.spawn(self._messenger.answer_button(press.query, toast), name="telegram button")
        if not (paired and theirs) or verb not in (SEND, LEAVE):
            return None
        decision = Decision(caller=caller, id=nonce, reply_to=asdict(press.place), yes=verb == SEND)
        return await self._handle(decision, press, caller)

    async def _unknown(self, message: TextMessage, caller: Caller) -> Answer | None:
        command = message.command
        code = command.rest.strip() if command and command.name == "start" else ""
        if message.private and code and await self._redeem(message, caller, code):
            return Answer(lambda: self._welcome(message, caller), message.place, PAIRED)
        if not self._meant(message) or not self._unknown_users.may_be_answered(message.user):
            return None
        text = UNKNOWN.format(caller=caller)
        return Answer(lambda: self._answer_once(message, text), message.place, later=True)

    async def _redeem(self, message: TextMessage, caller: Caller, code: str) -> bool:
        """Try a code; raises Postponed where the ledger cannot be written, which is no try."""
        if not self._unknown_users.may_try(message.user):
            return False
        redeem = self._bot.engine.ledger.redeem
        try:
            return await self._bot.call(redeem, NAME, caller.id, code, patience=REDEEM_SECONDS)
        except LedgerError as error:
            self._unknown_users.was_no_try(message.user)
            raise Postponed(error.message, reason=error.reason) from None

    async def _answer_once(self, message: TextMessage, text: str) -> None:
        # In a flood of unknown users nobody waits for anybody.
        try:
            await self._messenger.show(message.place, text, patience=0)
        except (BadRequest, Forbidden):
            raise
        except NetworkError:
            self._unknown_users.was_not_answered(message.user)

    async def _welcome(self, message: TextMessage, caller: Caller) -> None:
        await self._messenger.show(message.place, WELCOME.format(caller=caller))
        await self._menus.show(message.user)

    async def _command(
        self, message: TextMessage, command: TypedCommand, caller: Caller
    ) -> Answer | None:
        place = message.place
        if command.name == "start" and (message.private or command.addressed):
            return self._answers.text(place, KNOWN.format(caller=caller))
        if command.name == "cancel":
            form = self._forms.pop((place.chat, message.user))
            return self._answers.text(place, "Nothing was sent." if form else NO_FORM)
        if command.name == "skip":
            return await self._skip(message, caller)
        if not self._meant(message):
            return None
        request = Command(
            caller=caller,
            id=message.update,
            reply_to=asdict(place),
            word=f"/{command.name}",
            text=command.rest,
            written_at=message.at,
            confirm=MAYBE_CUT if units(message.text) > NEARLY_TOO_LONG else None,
        )
        if self._find(command) in {question.word for question in QUESTIONS}:
            return Answer(lambda: self._question(request, message), place)
        return await self._handle(request, message, caller)

    async def _question(self, request: Command, message: TextMessage) -> None:
        response = await self._conversation.handle(request)
        text = response.text
        if request.word == SPELLING.question("whoami"):
            text += f"\nThis chat's id is {message.place.chat}."
        await self._messenger.show(message.place, text)

    async def _handle(
        self, request: Request, update: TextMessage | ButtonPress, caller: Caller
    ) -> Answer | None:
        response = await self._conversation.handle(request)
        if not isinstance(response, OpenForm):
            return await self._answers.draw(response, update.place, caller)
        form = Form(response, self._bot.settings.default)
        self._forms[update.place.chat, update.user] = form
        return self._ask(update.place, form)

    async def _next(
        self, message: TextMessage, form: Form, caller: Caller, wrong: str | None
    ) -> Answer | None:
        if not form.done:
            return self._ask(message.place, form, wrong)
        self._forms.pop((message.place.chat, message.user))
        request = Submission(
            caller=caller,
            action_id=form.opened.action_id,
            values=form.values,
            confirm=form.preview(),
        )
        return await self._handle(request, message, caller)

    def _ask(self, place: Place, form: Form, wrong: str | None = None) -> Answer:
        question = form.question() if wrong is None else f"{wrong}\n\n{form.question()}"
        mark = ForceReply(selective=True, input_field_placeholder=form.spec.title[:64])
        return self._answers.text(place, question, mark)

    async def _skip(self, message: TextMessage, caller: Caller) -> Answer | None:
        form = self._forms.get((message.place.chat, message.user))
        if form is None:
            return self._answers.text(message.place, NO_FORM)
        return await self._next(message, form, caller, form.skip())

    async def _text(self, message: TextMessage, caller: Caller) -> Answer | None:
        """Words without a command: an answer to a form's question, or small talk."""
        if not message.private and message.question is None:
            return None
        form = self._forms.get((message.place.chat, message.user))
        if form is not None:
            wrong = form.answer(message.text)
            form.maybe_cut |= wrong is None and units(message.text) > NEARLY_TOO_LONG
            return await self._next(message, form, caller, wrong)
        if message.question is not None and self._is_forms(message.question):
            return self._answers.text(message.place, CLOSED)
        hint = OTHERS if message.others else HINT
        return self._answers.text(message.place, hint) if message.private else None

    def _is_forms(self, question: str) -> bool:
        """Whether a message of the bot was a form's question."""
        names = tuple(f"{SPELLING.action(i)}, " for i in self._bot.engine.action_ids())
        return any(line.startswith(names) for line in question.splitlines())

    def _meant(self, message: TextMessage) -> bool:
        """Whether this bot is meant; in a group a command may be another bot's."""
        command = message.command
        if message.private or command is None:
            return message.private
        return command.addressed or self._find(command) is not None

    def _find(self, command: TypedCommand) -> str | None:
        with contextlib.suppress(NotFound):
            return self._bot.commands.find(f"/{command.name}", SPELLING)
        return None
