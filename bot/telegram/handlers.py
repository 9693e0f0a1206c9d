"""What is done with each update: who wrote, what they want, and how it is answered."""

import contextlib
from dataclasses import asdict

from telegram import ForceReply
from telegram.error import BadRequest, Forbidden, NetworkError

from bot.commands import QUESTIONS
from bot.conversation import NOT_SENT, Conversation
from bot.messages import Command, Decision, OpenForm, Request, Response, Submission
from bot.notifier import ReplyTo
from bot.runtime import Bot
from bot.telegram.answers import LEAVE, PAIRED, SEND, WELCOME, Answer, Answers
from bot.telegram.api import Api
from bot.telegram.forms import Form, Forms
from bot.telegram.menus import SPELLING, Menus
from bot.telegram.messenger import Messenger, Place
from bot.telegram.settings import NAME
from bot.telegram.unknown_users import UnknownUsers
from bot.telegram.updates import ButtonPress, TextMessage
from core import wording
from core.callers import Caller
from core.engine import Access
from core.errors import Forbidden as NotAllowed
from core.errors import LedgerError, NotFound
from core.plain import utf16_length
from core.roles import Role

WHOAMI = SPELLING.question("whoami")

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

    def __init__(self, bot: Bot, api: Api, menus: Menus) -> None:
        self._bot = bot
        self._menus = menus
        self._messenger = Messenger(api)
        # Nothing is sent before Telegram knows that its message was taken.
        self.conversation = Conversation(
            bot, f"{NAME}:{api.id}", SPELLING, hold=True, deliver=self._deliver
        )
        self.answers = Answers(bot, self._messenger, self.conversation.ended)
        self._forms = Forms()
        self._unknown_users = UnknownUsers()

    async def take(self, update: TextMessage | ButtonPress) -> Answer | None:
        """Do with an update what must be done before it is confirmed.

        Raises LedgerError where nobody can tell who is paired or what was done, and Postponed.
        """
        paired = update.caller.id in await self._bot.call(self._bot.engine.ledger.paired, NAME)
        if isinstance(update, ButtonPress):
            return await self._button(update, paired=paired)
        if not paired:
            return await self._unknown(update)
        who = await self._bot.read(self._bot.engine.authorization.access, update.caller)
        if who.role is Role.NONE and f"/{update.command}" != WHOAMI:
            return self._shut_out(update, who)
        if update.command:
            return await self._command(update)
        return await self._text(update)

    def _shut_out(self, message: TextMessage, who: Access) -> Answer | None:
        """Answer who may do nothing: with their ID, whatever they wrote."""
        self._forms.pop(message.asker)
        if not self._is_meant(message):
            return None
        try:
            who.require(Role.VIEWER)
        except NotAllowed as error:
            return self.answers.text(message.place, wording.refusal(error))
        return None

    async def _button(self, press: ButtonPress, *, paired: bool) -> Answer | None:
        verb, _, rest = press.data.partition(":")
        ident, _, nonce = rest.partition(":")
        theirs = ident == press.caller.id
        # Telegram forgets a press within seconds: this comes first.
        toast = None if theirs else "This button is for whoever asked."
        self._bot.spawn(self._messenger.answer_button(press.query, toast), name="telegram button")
        if not paired or not theirs or verb not in (SEND, LEAVE):
            return None
        place, yes = asdict(press.place), verb == SEND
        decision = Decision(caller=press.caller, id=nonce, reply_to=place, yes=yes)
        return await self._handle(decision, press)

    async def _unknown(self, message: TextMessage) -> Answer | None:
        code = message.rest.strip() if message.command == "start" else ""
        if message.private and code and await self._redeem(message, code):
            return Answer(lambda: self._welcome(message), message.place, PAIRED)
        if not self._is_meant(message) or not self._unknown_users.allow(message.user, "answer"):
            return None
        return Answer(lambda: self._refuse(message), message.place, later=True)

    async def _redeem(self, message: TextMessage, code: str) -> bool:
        """Try a code; raises Postponed where the ledger cannot be written, which is no try."""
        if not self._unknown_users.allow(message.user, "try"):
            return False
        redeem, ident = self._bot.engine.ledger.redeem, message.caller.id
        try:
            return await self._bot.call(redeem, NAME, ident, code, patience=REDEEM_SECONDS)
        except LedgerError as error:
            self._unknown_users.give_back(message.user, "try")
            raise Postponed(error.message, reason=error.reason) from None

    async def _welcome(self, message: TextMessage) -> None:
        await self._messenger.show(message.place, WELCOME.format(caller=message.caller))
        await self._menus.show(message.user)

    async def _refuse(self, message: TextMessage) -> None:
        text = UNKNOWN.format(caller=message.caller)
        # In a flood of unknown users nobody waits for anybody.
        try:
            await self._messenger.show(message.place, text, patience=0)
        except (BadRequest, Forbidden):
            raise
        except NetworkError:
            self._unknown_users.give_back(message.user, "answer")

    async def _command(self, message: TextMessage) -> Answer | None:
        place = message.place
        if message.command == "start" and (message.private or message.addressed):
            return self.answers.text(place, KNOWN.format(caller=message.caller))
        if message.command in ("cancel", "skip", "done"):
            return await self._leave_or_skip(message)
        if not self._is_meant(message):
            return None
        request = Command(
            caller=message.caller,
            id=message.number,
            reply_to=asdict(place),
            word=f"/{message.command}",
            text=message.rest,
            private=message.private,
            written_at=message.at,
            confirm=MAYBE_CUT if utf16_length(message.text) > NEARLY_TOO_LONG else None,
        )
        if self._find(message) in {question.word for question in QUESTIONS}:
            return Answer(lambda: self._question(request, place), place)
        return await self._handle(request, message)

    async def _leave_or_skip(self, message: TextMessage) -> Answer | None:
        form = self._forms.get(message.asker)
        if form is None:
            return self.answers.text(message.place, NO_FORM)
        if message.command != "cancel":
            leave = form.skip if message.command == "skip" else form.finish
            return await self._next(message, form, leave())
        self._forms.pop(message.asker)
        return self.answers.text(message.place, NOT_SENT)

    async def _question(self, request: Command, place: Place) -> None:
        text = (await self.conversation.handle(request)).text
        if request.word == WHOAMI:
            text += f"\nThis chat's id is {place.chat}."
        await self._messenger.show(place, text)

    async def _text(self, message: TextMessage) -> Answer | None:
        """Words without a command: an answer to a form's question, or small talk."""
        if not message.private and message.question is None:
            return None
        form = self._forms.get(message.asker)
        if form is not None:
            wrong = form.answer(message.text)
            form.maybe_cut |= wrong is None and utf16_length(message.text) > NEARLY_TOO_LONG
            return await self._next(message, form, wrong)
        # A form's question has a line that begins with how its action is spelled.
        names = tuple(f"{SPELLING.action(i)}, " for i in self._bot.engine.action_ids())
        if any(line.startswith(names) for line in (message.question or "").splitlines()):
            return self.answers.text(message.place, CLOSED)
        hint = OTHERS if message.others else HINT
        return self.answers.text(message.place, hint) if message.private else None

    async def _next(self, message: TextMessage, form: Form, wrong: str | None) -> Answer | None:
        """Ask a form's next question, the same again where the answer was wrong; else preview."""
        try:
            may_send = self._bot.engine.authorization.may_send
            await self._bot.read(may_send, form.opened.action_id, message.caller)
        except NotAllowed as error:
            self._forms.pop(message.asker)
            return self.answers.text(message.place, wording.refusal(error))
        if not form.done:
            return await self._ask(message, form, wrong)
        self._forms.pop(message.asker)
        request = Submission(
            caller=message.caller,
            action_id=form.opened.action_id,
            values=form.values,
            confirm=form.preview(),
        )
        return await self._handle(request, message)

    async def _ask(
        self, update: TextMessage | ButtonPress, form: Form, wrong: str | None = None
    ) -> Answer:
        await form.look(self._bot, update.caller)
        question = form.question() if wrong is None else f"{wrong}\n\n{form.question()}"
        mark = ForceReply(selective=True, input_field_placeholder=form.spec.title[:64])
        return self.answers.text(update.place, question, mark)

    async def _handle(self, request: Request, update: TextMessage | ButtonPress) -> Answer | None:
        response = await self.conversation.handle(request)
        if not isinstance(response, OpenForm):
            return await self.answers.draw(response, update.place)
        form = Form(response, self._bot.settings.default)
        self._forms[update.asker] = form
        return await self._ask(update, form)

    async def _deliver(self, reply_to: ReplyTo, _: Caller, response: Response) -> None:
        """Give the answer to a button of ours that was pressed at another bot."""
        if not isinstance(response, OpenForm):
            answer = await self.answers.draw(response, Place(**reply_to))
            if answer is not None:
                await answer.give()

    def _is_meant(self, message: TextMessage) -> bool:
        """Whether this bot is meant; in a group a command may be another bot's."""
        return message.private or message.addressed or self._find(message) is not None

    def _find(self, message: TextMessage) -> str | None:
        """The action or question that a message's command spells."""
        with contextlib.suppress(NotFound):
            return self._bot.commands.find(f"/{message.command}", SPELLING)
        return None
