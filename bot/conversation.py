"""One conversation, the same for every chat: a request in, a response out.

A surface parses what its platform sends into a Command, a Submission or a Decision, hands it to
`Conversation.handle`, and draws the OpenForm, Confirm, Started or Reply that comes back.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from bot.commands import QUESTIONS, Spelling
from bot.expiring import ExpiringMap
from bot.messages import (
    Command,
    Confirm,
    Decision,
    OpenForm,
    PassedOn,
    Reply,
    Request,
    Response,
    Started,
    Submission,
)
from bot.notifier import ReplyTo, encoded
from bot.presses import Press, Presses
from bot.runtime import Bot
from bot.runtime.bot import PATIENCE
from core import wording
from core.callers import Caller
from core.engine import Accepted, Settled
from core.errors import (
    Fault,
    IdempotencyMismatch,
    InvalidInput,
    LevqorError,
    NotFound,
    Repeated,
    Stopping,
)
from core.roles import Role
from core.story import ended

# What waits for a person stays in memory, so long and no longer.
PENDING_SECONDS = 600.0
# A flood of them forgets the oldest, as a restart would.
MOST_PENDING = 1000
# What was written longer ago waited for a bot that was off: nobody expects it now.
LATE_SECONDS = 900.0

GONE = (
    "Nothing was sent: this was asked more than ten minutes ago, or Levqor was started again. "
    "Please write the command again."
)
NOT_YOURS = "Somebody else was asked this. Nothing more was sent."
NOT_SENT = "Nothing was sent."
NOT_SENT_AGAIN = "Not sent again."
SEND_AGAIN, CANCEL = "Send again", "Cancel"

# Gives the answer to a press that reached another bot, where that was told to give it.
Deliver = Callable[[ReplyTo, Caller, Response], Awaitable[None]]


class Conversation:
    """One surface's conversation.

    `namespace` begins the keys of its requests. `patience` is how long a run waits for another
    program that holds the ledger. A script is not `interactive`: it is asked nothing. With
    `hold`, a run is sent once its answer is begun. With `deliver`, a yes or a no may reach another
    bot than the one that asked.
    """

    def __init__(
        self,
        bot: Bot,
        namespace: str,
        spelling: Spelling,
        *,
        patience: float = PATIENCE,
        interactive: bool = True,
        hold: bool = False,
        pending_seconds: float = PENDING_SECONDS,
        deliver: Deliver | None = None,
    ) -> None:
        self._bot = bot
        self._namespace = namespace
        self._spelling = spelling
        self._patience = patience
        self._interactive, self._hold = interactive, hold
        self._pending: ExpiringMap[str, Submission] = ExpiringMap(MOST_PENDING, pending_seconds)
        # By its ID, what each run that is out was asked to send.
        self._out: ExpiringMap[str, Submission] = ExpiringMap(MOST_PENDING, pending_seconds)
        self._presses = Presses(bot, self._pressed, deliver) if deliver else None

    def key(self, request_id: str | int) -> str:
        """A request's own key, unique in the ledger."""
        return f"{self._namespace}:{request_id}"

    async def handle(self, request: Request) -> Response:
        """Do what was asked for; what was delivered before is not done twice.

        Raises LedgerError where nobody can tell whether it was: it must come again.
        """
        if isinstance(request, Decision):
            return await self._decided(request)
        try:
            run = await self._read(request)
        except LevqorError as error:
            return Reply.refusing(error)
        if not isinstance(run, Submission):
            return run
        question, yes, no = _question_before(request, await self._late(request))
        if question and await self._earlier(request) is None:
            # What could only end in a refusal is not asked about.
            try:
                await self._may_send(run.action_id, run.caller)
            except LevqorError as error:
                return Reply.refusing(error)
            return self._confirm(run, question, yes, no)
        return await self._accept(run)

    def ended(self, settled: Settled) -> Reply | Confirm:
        """Say how a run ended; what was not sent may be sent again, by whoever asked for it."""
        text = ended(self._bot.settings, settled, self._bot.engine.connectors)
        run = self._out.pop(settled.run)
        if run is None or settled.outcome != "not_sent":
            return Reply(text, settled.error)
        return self._confirm(run, text, SEND_AGAIN)

    async def _read(self, request: Command | Submission) -> Submission | OpenForm | Reply:
        """Parse a request; what needs no run is answered at once."""
        if isinstance(request, Submission):
            return request
        commands = self._bot.commands
        name = await self._found(request)
        if name in (question.word for question in QUESTIONS):
            text = await commands.ask(
                name, request.text, request.caller, self._spelling, private=request.private
            )
            return Reply(text)
        if request.text.strip():
            return Submission(
                caller=request.caller,
                id=request.id,
                reply_to=request.reply_to,
                action_id=name,
                values=await self._values(name, request),
            )
        if not self._interactive:
            await self._may_send(name, request.caller)
            usage = f"{self._spelling.question('help')} {name}"
            raise InvalidInput([Fault("input", f"is missing; see: {usage}")])
        # A form that could only end in a refusal is not opened.
        ready = self._bot.engine.authorization.ready
        usable = await self._bot.read(ready, name, request.caller)
        _, action = self._bot.engine.action(name)
        targets = {target.name: tuple(target.fields) for target in usable}
        who = await self._bot.read(self._bot.engine.authorization.access, request.caller)
        columns = action.columns is not None and not who.conceals(name)
        return OpenForm(action.title, name, action.input, targets, columns)

    async def _found(self, request: Command) -> str:
        """The action or question a word spells; raises NotFound with the nearest they may use."""
        commands = self._bot.commands
        try:
            return commands.find(request.word, self._spelling)
        except NotFound:
            who = await self._bot.read(self._bot.engine.authorization.access, request.caller)
            who.require(Role.VIEWER)
            return commands.find(request.word, self._spelling, who)

    async def _values(self, action_id: str, request: Command) -> dict[str, Any]:
        try:
            return self._bot.commands.read(action_id, request.text)
        except InvalidInput:
            # Who may not send is told that and nothing else.
            await self._may_send(action_id, request.caller)
            raise

    async def _may_send(self, action_id: str, caller: Caller) -> None:
        await self._bot.read(self._bot.engine.authorization.may_send, action_id, caller)

    async def _decided(self, decision: Decision) -> Response:
        nonce = str(decision.id)
        run = self._pending.get(nonce)
        if run is None:
            # Pressed or delivered twice, perhaps before a restart: the first run answers.
            return await self._earlier(decision) or await self._asked_elsewhere(decision)
        if run.caller != decision.caller:
            return Reply(NOT_YOURS)
        if not decision.yes:
            self._pending.pop(nonce)
            return Reply(NOT_SENT if run.guard else NOT_SENT_AGAIN)
        reply_to = {**(run.reply_to or {}), **(decision.reply_to or {})}
        return await self._accept(replace(run, id=nonce, reply_to=reply_to or None))

    async def _asked_elsewhere(self, decision: Decision) -> Response:
        """Leave it to the bot that asked, where another one did and still lives."""
        if self._presses is not None:
            nonce, reply_to = str(decision.id), decision.reply_to or {}
            press = Press(nonce, decision.caller, reply_to, yes=decision.yes)
            if await self._presses.hand_over(self.key(nonce), press):
                return PassedOn()
        return await self._earlier(decision) or Reply(GONE)

    async def _pressed(self, press: Press) -> Response:
        """Do what was pressed at another bot."""
        return await self._decided(
            Decision(caller=press.caller, id=press.nonce, reply_to=press.reply_to, yes=press.yes)
        )

    async def _accept(self, run: Submission) -> Response:
        try:
            accepted = await self._begun(run)
        except Repeated as same:
            again = replace(run, guard=False)
            response: Response = self._confirm(again, wording.refusal(same), SEND_AGAIN, CANCEL)
        except IdempotencyMismatch as first:
            return Reply(f"This was sent before, as run {first.run}; nothing more was sent.")
        except LevqorError as error:
            return self._refused(run, error)
        else:
            if accepted.job is not None:
                self._out[accepted.run] = run
            response = self._started(accepted, run.reply_to)
        self._pending.pop(str(run.id))
        return response

    async def _begun(self, run: Submission) -> Accepted:
        """Journal a run and have it sent; a script, which is told the end alone, waits for it."""
        what = (run.action_id, run.values, run.caller)
        if not self._interactive:
            settled = await self._bot.run(*what, patience=self._patience)
            return Accepted(settled.run, run.action_id, first=True, settled=settled)
        key = None if run.id is None else self.key(run.id)
        reply_to = None if run.reply_to is None else encoded(run.reply_to)
        return await self._bot.accept(
            *what, key=key, reply_to=reply_to, guard=run.guard, patience=self._patience,
            hold=self._hold,
        )  # fmt: skip

    def _refused(self, run: Submission, error: LevqorError) -> Reply | Confirm:
        """Say why there is no run; where none was begun, the same may be sent again."""
        begun = error.outcome != "not_sent" or isinstance(error, Stopping)
        if begun or not self._interactive:
            return Reply.refusing(error)
        # The same yes again: of two at once the other one may have begun a run.
        nonce = str(run.id) if self._pending.get(str(run.id)) else None
        return self._confirm(run, wording.refusal(error), SEND_AGAIN, nonce=nonce)

    def _confirm(
        self,
        run: Submission,
        question: str,
        yes: str,
        no: str | None = None,
        *,
        nonce: str | None = None,
    ) -> Confirm:
        nonce = nonce or secrets.token_urlsafe(12)  # 16 characters, fit for a button
        self._pending[nonce] = run
        if self._presses is not None:
            self._presses.watch(run.caller.surface, self._pending)
        return Confirm(question, nonce, run.caller, yes, no)

    async def _late(self, request: Command | Submission) -> float:
        """Seconds since a request was written, by the database's clock: a bot's may be wrong."""
        if request.written_at is None:
            return 0.0
        return await self._bot.read(self._bot.engine.ledger.now) - request.written_at

    async def _earlier(self, request: Request) -> Started | None:
        """The run that a request has already; raises LedgerError."""
        if request.id is None:
            return None
        record = await self._bot.call(self._bot.engine.ledger.keyed, self.key(request.id))
        if record is None or record.caller != str(request.caller):
            return None
        settled = None if record.open else self._bot.engine.settled(record)
        accepted = Accepted(record.run, record.action, first=False, settled=settled)
        return self._started(accepted, request.reply_to)

    def _started(self, accepted: Accepted, reply_to: ReplyTo | None) -> Started:
        engine = self._bot.engine
        if accepted.settled is None:
            connector, _ = engine.action(accepted.action_id)
            text = f"{connector.title}: sending, run {accepted.run}"
        else:
            text = ended(engine.settings, accepted.settled, engine.connectors)
        return Started(text, accepted, reply_to)


def _question_before(request: Command | Submission, late: float) -> tuple[str | None, str, str]:
    """What to ask before anything is sent, if anything, and the two buttons."""
    if late > LATE_SECONDS:
        ago = wording.ago(late)
        question = f"You asked for this {ago}, while Levqor was off. Send it now?"
        return question, "Send now", CANCEL
    return request.confirm, "Send", CANCEL
