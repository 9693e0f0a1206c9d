"""What is done with each thing Slack hands over; each method returns its acknowledgement.

Accept first, acknowledge then: whatever says "sending" is in the ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.confirmations import Confirmations
from bot.notifier import Notifier, encoded, sending
from bot.slack import forms, views
from bot.slack.answers import where_of
from bot.slack.api import Said, Unreachable
from bot.slack.escaping import unescape
from bot.slack.home import home
from bot.slack.manifest import main_command, spelling
from bot.slack.settings import SlackSettings
from core import wording
from core.errors import Fault, IdempotencyMismatch, InvalidInput, LevqorError, NotFound, Repeated

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from bot.notifier import ReplyTo
    from bot.runtime import Bot
    from bot.slack.answers import Answers
    from bot.slack.api import Api
    from bot.slack.people import People
    from bot.slack.report import Report
    from core.callers import Caller
    from core.engine import Accepted, Settled

Reply = dict[str, Any] | None

# Of Slack's three seconds: how long a run waits for another program that holds the ledger. Who
# somebody is may have been asked first, and the network wants some too.
PATIENCE = 1.0
# A question that takes longer is answered after the acknowledgement.
QUESTION_SECONDS = 1.0
RESTARTED = "Levqor was started again, perhaps before it answered your question. Please ask again."


@dataclass(frozen=True)
class Again:
    """Something that waits for a yes: what it was, and where to answer."""

    action_id: str
    values: dict[str, Any]
    where: ReplyTo


class Desk:
    """One workspace's requests. `going` holds the answers that are still on their way."""

    def __init__(
        self, bot: Bot, api: Api, people: People, answers: Answers, report: Report
    ) -> None:
        self._bot = bot
        self._api = api
        self._people = people
        self._answers = answers
        self._report = report
        prefix = bot.settings.of(SlackSettings).prefix
        self._spelling = spelling(prefix)
        self._main = main_command(prefix)
        self._pending: Confirmations[Again] = Confirmations()
        self._notifier = Notifier(bot, "slack", outcome=self._tell, lost=self._ask_again)
        self.going: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Tell whoever a dead bot left without an answer."""
        self._notifier.start()

    async def command(self, action_id: str, body: Mapping[str, Any]) -> Reply:
        """An action's slash command: fired, or its form opened where nothing was typed."""
        caller = await self._people.admit(body)
        where = where_of(body, _user(caller))
        text = unescape(str(body.get("text", "")))
        if not text.strip():
            await self._bot.commands.ready(action_id, caller)
            self._open(action_id, str(body["trigger_id"]), where)
            return None
        values = self._bot.commands.read(action_id, text)
        again = Again(action_id, values, where)
        try:
            accepted = await self._accept(again, caller, f"slack:{body['trigger_id']}", guard=True)
        except Repeated as same:
            nonce = self._pending.put(str(caller), again)
            return views.ask_again(wording.refusal(same), nonce)
        return views.note(sending(self._bot, accepted))

    async def question(self, body: Mapping[str, Any]) -> Reply:
        """Help, health, usage, why, whoami."""
        caller = await self._people.admit(body)
        text = unescape(str(body.get("text", ""))).strip()
        word, *rest = (text or "help").split(maxsplit=1)
        word = self._bot.commands.find(f"{self._main} {word.lower()}", self._spelling)
        asked = self._go(self._ask(word, "".join(rest), caller), "question")
        done, _ = await asyncio.wait({asked}, timeout=QUESTION_SECONDS)
        if done:
            return views.note(asked.result())
        where, key = where_of(body, _user(caller)), f"slack:{body['trigger_id']}"
        self._go(self._tell_later(asked, where, key), "late answer")
        return views.note("Looking. The answer follows.")

    async def unknown(self, body: Mapping[str, Any]) -> Reply:
        """A command Slack still has and Levqor does not know."""
        await self._people.admit(body)
        typed = str(body.get("command", ""))
        self._report.unknown(typed)
        self._bot.commands.find(typed, self._spelling)
        raise NotFound("There is no such command.", fix=f"See {self._spelling.question('help')}.")

    async def again(self, body: Mapping[str, Any]) -> Reply:
        """The button of the question whether to send the same once more."""
        caller = await self._people.admit(body)
        nonce = str(body["actions"][0].get("value", ""))
        where = where_of(body, _user(caller))
        try:
            accepted = await self._accept_again(nonce, caller, where)
            said = sending(self._bot, accepted)
        except LevqorError as error:
            said = wording.refusal(error)
        # This takes the question's place. How it ends comes beside it: which of the two
        # posts is quicker, nobody knows.
        self._go(self._answers.say(where, said, replace=True), "answer")
        return None

    async def open_form(self, body: Mapping[str, Any]) -> Reply:
        """A button of the home tab."""
        caller = await self._people.admit(body)
        action_id = str(body["actions"][0].get("value", ""))
        trigger = str(body["trigger_id"])
        try:
            await self._bot.commands.ready(action_id, caller)
        except LevqorError as error:
            view = views.notice("Levqor", wording.refusal(error))
            self._go(self._api.open_view(trigger, view), "notice")
            return None
        self._open(action_id, trigger, {"user": _user(caller)})
        return None

    async def submitted(self, body: Mapping[str, Any]) -> Reply:
        """A form that was filled in; what is wrong stands beside the fields."""
        view = body["view"]
        action_id = str(view["callback_id"]).removeprefix(views.FORM)
        contract = self._bot.commands.contract(action_id)
        try:
            caller = await self._people.admit(body)
            values = forms.read(contract, view["state"]["values"])
            again = Again(action_id, values, json.loads(view["private_metadata"]))
            accepted = await self._accept(again, caller, f"slack:{view['id']}", guard=True)
        except Repeated as same:
            nonce = self._pending.put(str(caller), again)
            title = self._title(action_id)
            return _update(views.confirm(title, wording.refusal(same), nonce))
        except IdempotencyMismatch as first:
            said = f"This form was sent before, as run {first.run}; nothing more was sent."
            return _update(views.notice(self._title(action_id), said))
        except InvalidInput as error:
            faults = error.faults or [Fault("input", error.message)]
            return _errors(forms.errors(contract, faults))
        except LevqorError as error:
            first_field = contract.fields()[0].name
            return _errors({first_field: wording.refusal(error)})
        return self._notice(accepted)

    async def submitted_again(self, body: Mapping[str, Any]) -> Reply:
        """The same form, sent once more with a yes."""
        view = body["view"]
        nonce = str(view["private_metadata"])
        try:
            caller = await self._people.admit(body)
            accepted = await self._accept_again(nonce, caller)
        except LevqorError as error:
            return _update(views.notice("Levqor", wording.refusal(error)))
        return self._notice(accepted)

    async def opened_home(self, body: Mapping[str, Any]) -> Reply:
        """Somebody looks at the home tab."""
        if body["event"].get("tab", "home") == "home":
            caller = await self._people.admit(body)
            self._go(self._publish(caller), "home tab")
        return None

    async def _accept(self, again: Again, caller: Caller, key: str, *, guard: bool) -> Accepted:
        accepted = await self._bot.accept(
            again.action_id,
            again.values,
            caller,
            key=key,
            reply_to=encoded(again.where),
            guard=guard,
            patience=PATIENCE,
        )
        if accepted.first:
            self._keep(self._notifier.follow(accepted, again.where))
        return accepted

    async def _accept_again(
        self, nonce: str, caller: Caller, where: ReplyTo | None = None
    ) -> Accepted:
        found = self._pending.find(str(caller), nonce)
        if found is None:
            raise NotFound(
                "That question was for somebody else, or is too old. Nothing more was sent.",
                fix="Type the command again if you still want it sent.",
            )
        again = Again(found.action_id, found.values, where or found.where)
        # Pressed twice, or delivered twice: the same yes, and the first run answers.
        return await self._accept(again, caller, f"slack:{nonce}", guard=False)

    def _open(self, action_id: str, trigger: str, where: ReplyTo) -> None:
        contract = self._bot.commands.contract(action_id)
        blocks = forms.blocks(contract, self._bot.settings.default)
        view = views.form(action_id, self._title(action_id), blocks, where)
        self._go(self._show(trigger, view, where), "form")

    async def _show(self, trigger: str, view: views.Json, where: ReplyTo) -> None:
        try:
            await self._api.open_view(trigger, view)
        except Said as said:
            # A replayed command has no trigger any more: its form is open already.
            if said.code != "exchanged_trigger_id":
                await self._answers.say(where, f"Slack did not open the form ({said.code}).")
        except Unreachable:
            await self._answers.say(where, "Slack did not open the form in time. Try again.")

    async def _publish(self, caller: Caller) -> None:
        await self._api.publish_home(_user(caller), await home(self._bot, caller))

    async def _ask(self, word: str, rest: str, caller: Caller) -> str:
        try:
            return await self._bot.commands.ask(word, rest, caller, self._spelling)
        except LevqorError as error:
            return wording.refusal(error)

    async def _tell_later(self, asked: asyncio.Task[str], where: ReplyTo, key: str) -> None:
        with contextlib.suppress(LevqorError):
            await self._notifier.keep_answer(key, where, "question")
        await self._answers.say(where, await asked)
        await self._notifier.answered(key)

    async def _ask_again(self, where: ReplyTo, _kind: str) -> None:
        await self._answers.say(where, RESTARTED)

    async def _tell(self, where: ReplyTo, settled: Settled) -> None:
        await self._answers.say(where, wording.settled(settled, self._bot.engine.connectors))

    def _notice(self, accepted: Accepted) -> Reply:
        said = sending(self._bot, accepted)
        if accepted.settled is None:
            said += "\nThe answer comes as a message."
        return _update(views.notice(self._title(accepted.action_id), said))

    def _title(self, action_id: str) -> str:
        return self._bot.engine.action(action_id)[1].title

    def _go(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        return self._keep(self._bot.spawn(work, name=f"slack {name}", asked=True))

    def _keep(self, task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        self.going.add(task)
        task.add_done_callback(self.going.discard)
        return task


def _user(caller: Caller) -> str:
    return caller.id.rpartition(":")[2]


def _update(view: views.Json) -> Reply:
    return {"response_action": "update", "view": view}


def _errors(beside: Mapping[str, str]) -> Reply:
    return {"response_action": "errors", "errors": dict(beside)}
