"""Telegram's Bot API on loopback: both what a bot may call and people who write to it."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import web

from core.sandbox.credentials import letters
from core.sandbox.driven import Driven
from core.sandbox.standin import Received, StandIn, loads
from core.sandbox.telegram import people
from core.sandbox.telegram.menus import Menus
from core.sandbox.telegram.messages import (
    BOT_ID,
    BOT_NAME,
    CHANNEL,
    FORUM,
    GROUP,
    PERSON,
    Messages,
    Said,
)
from core.sandbox.telegram.people import Person
from core.sandbox.telegram.rules import Refusal, bad, entities
from core.sandbox.telegram.updates import Updates

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from core.sandbox.standin import Handler

    Method = Callable[[dict[str, Any], Received], Awaitable[Any]]

__all__ = [
    "BOT_ID",
    "BOT_NAME",
    "CHANNEL",
    "FORUM",
    "GROUP",
    "PERSON",
    "Person",
    "Said",
    "Telegram",
]


class Telegram(StandIn):
    """The Bot API of one bot."""

    name: ClassVar[str] = "telegram"
    connector: ClassVar[str] = "telegram"

    token: ClassVar[str] = f"{BOT_ID}:{letters('telegram', 35)}"

    def settings(self) -> dict[str, str]:
        """A bot's token and a group it is a member of."""
        return {
            "TELEGRAM_BOT_TOKEN": self.token,
            "TELEGRAM_CHAT_ID_DEFAULT": str(GROUP),
            "TELEGRAM_API_URL": self.url,
        }

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        """One address for all methods, by GET or POST."""
        path = "/telegram/bot{token}/{call}"
        return [("GET", path, "", self._call), ("POST", path, "", self._call)]

    def reset(self) -> None:
        """Forget messages, updates, menus and whom the bot has met."""
        self.revoked = False
        self.messages = Messages()
        self.menus = Menus(self.messages.chats)
        old = getattr(self, "updates", None)
        self.updates = Updates()
        self._queries = itertools.count(1)
        if old is not None:
            self.later(old.stop)

    async def stop(self) -> None:
        """End what waits."""
        await self.updates.stop()

    def not_found(self) -> web.Response:
        """What the Bot API says to an address it does not have."""
        return _error(404, "Not Found")

    def methods(self) -> dict[str, Method]:
        """The methods by their names in lower case: the Bot API does not mind the case."""
        messages, updates, menus = self.messages, self.updates, self.menus
        return {
            "getme": messages.get_me,
            "getchat": messages.get_chat,
            "getchatmember": messages.get_chat_member,
            "sendmessage": messages.send,
            "editmessagetext": messages.edit,
            "editmessagereplymarkup": messages.edit,
            "deletemessage": messages.delete,
            "setmessagereaction": messages.react,
            "sendchataction": messages.chat_action,
            "answercallbackquery": messages.answer_query,
            "getupdates": updates.get_updates,
            "setwebhook": updates.set_webhook,
            "deletewebhook": updates.delete_webhook,
            "getwebhookinfo": updates.webhook_info,
            "setmycommands": menus.set,
            "getmycommands": menus.get,
            "deletemycommands": menus.delete,
        }

    async def _call(self, request: web.Request, received: Received) -> web.Response:
        token, _, secret = request.match_info["token"].partition(":")
        if not token.isdecimal() or not secret:
            return _error(404, "Not Found")
        if request.match_info["token"] != self.token or self.revoked:
            return _error(401, "Unauthorized")
        method = self.methods().get(request.match_info["call"].lower())
        if method is None:
            return _error(404, "Not Found: method not found")
        try:
            result = await method(_parameters(request, received), received)
        except Refusal as refusal:
            return _error(refusal.code, refusal.description, refusal.parameters)
        return web.json_response({"ok": True, "result": result})

    # What people do. Each of these may be called from any thread, and over HTTP.

    def user(
        self,
        ident: int = PERSON,
        *,
        chat: int | None = None,
        name: str = "Ada",
        thread: int | None = None,
    ) -> Person:
        """Somebody who writes to the bot, in private, in a group or in a topic of one."""
        return Person(self, ident, chat, name, thread)

    @Driven
    async def says(
        self,
        user: int,
        text: str,
        *,
        chat: int | None = None,
        reply_to: int | None = None,
        name: str = "Ada",
        thread: int | None = None,
    ) -> Said:
        """A person writes to the bot or into a group it is in."""
        where = self._met(user, chat, name)
        answered = self.messages.find(where["id"], reply_to) if reply_to else None
        said = self.messages.write(where, text, people.user(user, name), answered, thread)
        self.updates.add({"message": said.json})
        return said

    @Driven
    async def edits(
        self, user: int, message_id: int, text: str, *, chat: int | None = None
    ) -> Said:
        """A person edits what he wrote."""
        said = self.messages.find(chat if chat is not None else user, message_id)
        if said is None or said.from_bot:
            raise ValueError("people edit their own messages only")
        said.before.append(said.text)
        said.text = text
        said.json = {**said.json, "text": text, "edit_date": int(time.time())}
        said.json.pop("entities", None)
        if found := entities(text):
            said.json["entities"] = found
        self.updates.add({"edited_message": said.json})
        return said

    @Driven
    async def presses(
        self, user: int, message_id: int, button: str, *, chat: int | None = None
    ) -> str:
        """A person presses a button, found by its label or its data."""
        said = self.messages.find(chat if chat is not None else user, message_id)
        buttons = said.buttons if said is not None else {}
        data = buttons.get(button, button if button in buttons.values() else None)
        if said is None or data is None:
            raise ValueError(f"no such button; there are {', '.join(buttons)}")
        query = str(10_000 + next(self._queries))
        self.messages.queries[query] = None
        pressed = {
            "id": query,
            "from": people.user(user, self.messages.chats.get(user, {}).get("first_name", "Ada")),
            "message": said.json,
            "chat_instance": str(said.chat),
            "data": data,
        }
        self.updates.add({"callback_query": pressed})
        return query

    @Driven
    async def sends_photo(self, user: int, caption: str, *, chat: int | None = None) -> None:
        """A person sends a photo with a caption."""
        said = self.messages.write(self._met(user, chat, "Ada"), caption, people.user(user, "Ada"))
        photo = [{"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}]
        json = {key: value for key, value in said.json.items() if key not in ("text", "entities")}
        marks = {"caption": caption, "caption_entities": entities(caption)}
        self.updates.add({"message": {**json, "photo": photo, **marks}})

    @Driven
    async def heard(self, chat: int) -> list[Said]:
        """What the bot has said in a chat, as it stands now."""
        return self.user(chat).conversation

    @Driven
    async def posts(self, text: str) -> None:
        """Somebody posts in the channel."""
        said = self.messages.write(self.messages.chats[CHANNEL], text, None)
        self.updates.add(people.channel_post(said.message_id, text))

    @Driven
    async def inject(self, update: dict[str, Any]) -> dict[str, Any] | None:
        """Queue an update as it stands, however odd; a missing number is added."""
        return self.updates.add(update)

    @Driven
    async def revoke(self) -> None:
        """Refuse the token from now on, to a poll that waits as well."""
        self.revoked = True
        self.updates.abort(Refusal(401, "Unauthorized"))

    @Driven
    async def restore(self) -> None:
        """Take the token again."""
        self.revoked = False

    def _met(self, user: int, chat: int | None, name: str) -> dict[str, Any]:
        if user not in self.messages.chats:
            self.messages.chats[user] = {"id": user, "type": "private", "first_name": name}
        self.messages.silent.discard(user)
        return self.messages.chats[chat if chat is not None else user]


def _parameters(request: web.Request, received: Received) -> dict[str, Any]:
    if request.content_type == "application/json":
        if not received.body:
            return dict(received.query)
        said = received.json
        if not isinstance(said, dict):
            raise bad("can't parse request JSON object")
        return {**received.query, **said}
    given = {**received.query, **received.form}
    return {name: _loads(text) if name in _OBJECTS else text for name, text in given.items()}


# What a form carries as JSON; everything else stays text.
_OBJECTS = ("allowed_updates", "commands", "reaction", "reply_markup", "reply_parameters", "scope")


def _loads(text: str) -> Any:
    said = loads(text)
    if said is None:
        raise bad("can't parse JSON object")
    return said


def _error(code: int, description: str, parameters: Any = None) -> web.Response:
    body = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = parameters
    return web.json_response(body, status=code)
