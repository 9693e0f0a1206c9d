"""What is done with each thing Slack hands over; each method returns its acknowledgement.

Accept first, acknowledge then: whatever says "sending" is in the ledger.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from bot import form_fields
from bot.columns import check_entries
from bot.conversation import GONE, Conversation
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
from bot.notifier import Notifier, ReplyTo
from bot.runtime import Bot
from bot.slack import views
from bot.slack.api import Api, SlackApiError, Unreachable
from bot.slack.connection_status import ConnectionStatus
from bot.slack.escaping import unescape
from bot.slack.form_columns import FormColumns
from bot.slack.manifest import command_names, main_command, spelling
from bot.slack.messenger import reply_to_of, say
from bot.slack.people import People
from bot.slack.settings import SlackSettings
from core import wording
from core.callers import Caller
from core.engine import Settled
from core.errors import Forbidden, InvalidInput, LevqorError
from core.ledger.owed import WITHDRAWN
from core.roles import Role

AckBody = dict[str, Any] | None
Handle = Callable[[Mapping[str, Any]], Awaitable[AckBody]]

# Of Slack's three seconds: how long a run waits for another program that holds the ledger. Who
# somebody is may have been asked first, and the network wants some too.
PATIENCE = 1.0
# A question that takes longer is answered after the acknowledgement.
QUESTION_SECONDS = 1.0
# What was typed into columns is looked at within them too.
CHECK_SECONDS = 0.5
# On the home tab.
LAST_RUNS = 5
COMES = "The answer comes as a message."
RESTARTED = "Levqor was started again, perhaps before it answered your question. Please ask again."


class Handlers:
    """One workspace's requests."""

    def __init__(self, bot: Bot, api: Api, people: People, status: ConnectionStatus) -> None:
        self._bot = bot
        self._api = api
        self._say = partial(say, api)
        self._people = people
        self._status = status
        prefix = bot.settings.of(SlackSettings).prefix
        self._spelling = spelling(prefix)
        self._main = main_command(prefix)
        self._commands = command_names(prefix, bot.engine.connectors)
        self._conversation = Conversation(
            bot, "slack", self._spelling, patience=PATIENCE, deliver=self._deliver
        )
        self._columns = FormColumns(bot, api, self._form)
        self.notifier = Notifier(
            bot, "slack", outcome=self._tell, lost=self._ask_again, direct=self._direct
        )

    async def command(self, body: Mapping[str, Any]) -> AckBody:
        """An action's slash command, or one that Slack still has and Levqor does not know."""
        caller = await self._people.admit(body)
        word, trigger = str(body.get("command", "")), str(body["trigger_id"])
        if word not in self._commands:
            self._status.unknown(word)
        reply_to, text = reply_to_of(body, _user(caller)), unescape(str(body.get("text", "")))
        request = Command(caller=caller, id=trigger, reply_to=reply_to, word=word, text=text)
        response = await self._handle(request)
        if isinstance(response, OpenForm):
            self._open(response, caller, trigger, reply_to)
            return None
        return views.answer(response)

    async def question(self, body: Mapping[str, Any]) -> AckBody:
        """One of the questions, or help."""
        caller = await self._people.admit(body)
        text = unescape(str(body.get("text", ""))).strip()
        word, *rest = (text or "help").split(maxsplit=1)
        request = Command(caller=caller, word=f"{self._main} {word.lower()}", text="".join(rest))
        answering = self._go(self._respond(request), "question")
        done, _ = await asyncio.wait({answering}, timeout=QUESTION_SECONDS)
        if done:
            return views.answer(answering.result())
        reply_to, key = reply_to_of(body, _user(caller)), self._conversation.key(body["trigger_id"])
        self._go(self._tell_later(answering, reply_to, key), "late answer")
        return views.note("Looking. The answer follows.")

    async def again(self, body: Mapping[str, Any]) -> AckBody:
        """The button of a question whether to send, or of an answer that it was not sent."""
        caller = await self._people.admit(body)
        nonce, reply_to = str(body["actions"][0].get("value", "")), reply_to_of(body, _user(caller))
        response = await self._respond(Decision(caller=caller, id=nonce, reply_to=reply_to))
        # This takes the question's place. How it ends comes beside it: which of the two
        # posts is quicker, nobody knows.
        if response.text:
            self._go(self._say(reply_to, response, replace=True), "answer")
        return None

    async def open_form(self, body: Mapping[str, Any]) -> AckBody:
        """A button of the home tab."""
        caller = await self._people.admit(body)
        word = self._spelling.action(str(body["actions"][0].get("value", "")))
        trigger = str(body["trigger_id"])
        response = await self._handle(Command(caller=caller, word=word))
        if isinstance(response, OpenForm):
            self._open(response, caller, trigger, {"user": _user(caller)})
        else:
            notice = views.notice("Levqor", response.text)
            self._go(self._api.open_view(trigger, notice), "notice")
        return None

    async def columns(self, body: Mapping[str, Any]) -> AckBody:
        """A target was chosen in a form, or its button for the columns was pressed."""
        caller = await self._people.admit(body)
        self._go(self._columns.asked(caller, body["view"]), "columns")
        return None

    async def submitted(self, body: Mapping[str, Any]) -> AckBody:
        """A form that was filled in; what is wrong is shown beside the fields."""
        view = body["view"]
        action_id = str(view["callback_id"]).removeprefix(views.FORM)
        _, action = self._bot.engine.action(action_id)
        filled = view["state"]["values"]
        try:
            request = Submission(
                caller=await self._people.admit(body),
                id=view["id"],
                reply_to=json.loads(view["private_metadata"]),
                action_id=action_id,
                values=views.values(action.input, filled),
            )
            if any(map(form_fields.is_column, filled)):
                check = partial(check_entries, self._bot, action_id, seconds=CHECK_SECONDS)
                await check(request.values, request.caller)
            response = await self._handle(request)
        except LevqorError as error:
            response = Reply.refusing(error)
        if not isinstance(response, Reply) or response.error is None:
            return _update(action.title, response)
        beside = {action.input.fields()[0].name: response.text}
        if isinstance(response.error, InvalidInput) and response.error.faults:
            faults = response.error.faults
            beside = form_fields.beside(action.input, faults, filled)
        return {"response_action": "errors", "errors": beside}

    async def submitted_again(self, body: Mapping[str, Any]) -> AckBody:
        """The same form, sent once more with a yes."""
        caller, nonce = await self._people.admit(body), str(body["view"]["private_metadata"])
        reply_to = {"user": _user(caller)}
        response = await self._handle(Decision(caller=caller, id=nonce, reply_to=reply_to))
        title = "Levqor"
        if isinstance(response, Started):
            title = self._bot.engine.action(response.accepted.action_id)[1].title
        return _update(title, response)

    async def opened_home(self, body: Mapping[str, Any]) -> AckBody:
        """Somebody looks at the home tab."""
        if body["event"].get("tab", "home") == "home":
            caller = await self._people.admit(body)
            self._go(self._publish(caller), "home tab")
        return None

    async def _handle(self, request: Request) -> Response:
        response = await self._conversation.handle(request)
        if isinstance(response, Started) and response.accepted.first:
            self.notifier.follow(response.accepted, response.reply_to or {})
        return response

    async def _respond(self, request: Request) -> Response:
        """Handle a request that opens no form."""
        try:
            return await self._handle(request)
        except LevqorError as error:
            return Reply.refusing(error)

    async def _form(self, action_id: str, caller: Caller) -> OpenForm | None:
        word = self._spelling.action(action_id)
        response = await self._respond(Command(caller=caller, word=word))
        return response if isinstance(response, OpenForm) else None

    def _open(self, form: OpenForm, caller: Caller, trigger: str, reply_to: ReplyTo) -> None:
        self._go(self._show(form, caller, trigger, reply_to), "form")

    async def _show(self, form: OpenForm, caller: Caller, trigger: str, reply_to: ReplyTo) -> None:
        view = self._columns.view(form, reply_to)
        try:
            opened = await self._api.open_view(trigger, view)
            await self._columns.opened(form, caller, opened, reply_to)
        except SlackApiError as refused:
            # A replayed command has no trigger any more: its form is open already.
            if refused.code != "exchanged_trigger_id":
                await self._say(reply_to, f"Slack did not open the form ({refused.code}).")
        except Unreachable:
            await self._say(reply_to, "Slack did not open the form in time. Try again.")

    async def _publish(self, caller: Caller) -> None:
        bot, may = self._bot, self._bot.engine.authorization
        who = await bot.read(may.access, caller)
        try:
            who.require(Role.VIEWER)
        except Forbidden as error:
            parts = [("Levqor", wording.refusal(error))]
            await self._api.publish_home(_user(caller), views.home([], parts))
            return
        offered = may.offered(who)
        actions = [(i, action.title) for i, _, action in bot.commands.actions() if i in offered]
        parts = [
            ("Your last runs", await bot.commands.runs(caller, LAST_RUNS)),
            ("Today", await bot.commands.usage(who)),
            ("Health", await bot.commands.health(self._spelling)),
        ]
        await self._api.publish_home(_user(caller), views.home(actions, parts))

    async def _tell_later(
        self, answering: asyncio.Task[Response], reply_to: ReplyTo, key: str
    ) -> None:
        with contextlib.suppress(LevqorError):
            await self.notifier.keep_answer(key, reply_to, "question")
        await self._say(reply_to, await answering)
        await self.notifier.answered(key)

    async def _deliver(self, reply_to: ReplyTo, _: Caller, response: Response) -> None:
        """Answer a button that was pressed at another bot, or a form that was sent once more."""
        if isinstance(response, Started) and response.accepted.first:
            self.notifier.follow(response.accepted, response.reply_to or reply_to)
            if "url" not in reply_to:  # the form says already that the answer comes
                return
        await self._say(reply_to, response, replace=True)

    async def _ask_again(self, reply_to: ReplyTo, kind: str) -> None:
        await self._say(reply_to, GONE if kind == WITHDRAWN else RESTARTED)

    async def _tell(self, reply_to: ReplyTo, settled: Settled) -> None:
        await self._say(reply_to, self._conversation.ended(settled))

    async def _direct(self, caller: Caller, text: str) -> None:
        await self._say({"user": _user(caller)}, text)

    def _go(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        return self._bot.spawn(work, name=f"slack {name}", asked=True)


def _user(caller: Caller) -> str:
    return caller.id.rpartition(":")[2]


def _update(title: str, response: Response) -> AckBody:
    """Show a response in the form's place."""
    if isinstance(response, Confirm):
        view = views.confirm(title, response)
    else:
        text = response.text
        if isinstance(response, PassedOn):
            text = COMES
        elif isinstance(response, Started) and response.accepted.settled is None:
            text += f"\n{COMES}"
        view = views.notice(title, text)
    return {"response_action": "update", "view": view}
