"""Telegram with people who write to the bot: `sandbox.telegram.user(42).says("/help")`."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Any

from core.sandbox.telegram import CHANNEL, PERSON, Menus, Telegram, refusal, scope_key
from tests.support.sandbox.telegram_messages import ChatMessages
from tests.support.sandbox.telegram_rules import entities
from tests.support.sandbox.telegram_updates import Updates
from tests.support.sandbox.threadsafe import threadsafe_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.sandbox.telegram import Method
    from tests.support.sandbox.telegram_messages import ChatMessage

_POLL = 0.01


class Person:
    """One person; `chat` is where he writes: his own chat with the bot, or a group."""

    def __init__(
        self,
        telegram: TelegramChats,
        ident: int,
        chat: int | None,
        name: str,
        thread: int | None = None,
    ) -> None:
        self._telegram = telegram
        self.id = ident
        self.chat = chat if chat is not None else ident
        self.name = name
        self._thread = thread

    def says(self, text: str, reply_to: ChatMessage | None = None) -> ChatMessage:
        """Write a message."""
        number = reply_to.message_id if reply_to else None
        return self._telegram.says(
            self.id, text, chat=self.chat, reply_to=number, name=self.name, thread=self._thread
        )

    def edits(self, message: ChatMessage, text: str) -> ChatMessage:
        """Edit a message of his own."""
        return self._telegram.edits(self.id, message.message_id, text, chat=self.chat)

    def presses(self, message: ChatMessage, button: str) -> str:
        """Press a button by its label or its data; returns the callback query's id."""
        return self._telegram.presses(self.id, message.message_id, button, chat=self.chat)

    def sends_photo(self, caption: str) -> None:
        """Send a photo; a command in its caption is no command."""
        self._telegram.sends_photo(self.id, caption, chat=self.chat)

    def meets(self) -> None:
        """Start the bot, and write nothing."""
        self._telegram.met(self.id, self.name)

    def blocks(self) -> None:
        """Block the bot."""
        self._telegram.messages.blocked.add(self.id)

    @property
    def conversation(self) -> list[ChatMessage]:
        """What the bot has said in this chat, as it stands now, oldest first."""
        return [
            message
            for message in list(self._telegram.messages.history)
            if message.chat == self.chat and message.from_bot and not message.deleted
        ]

    def waits(
        self,
        count: int = 1,
        seconds: float = 60.0,
        until: Callable[[ChatMessage], bool] | None = None,
    ) -> list[ChatMessage]:
        """Wait for `count` messages (of which the last one fits); raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            heard = self.conversation
            if len(heard) >= count and (until is None or until(heard[-1])):
                return heard
            time.sleep(_POLL)
        raise TimeoutError(f"the bot message {[message.text for message in self.conversation]}")


class TelegramChats(Telegram):
    """The Bot API of one bot, and what people do in its chats; from any thread."""

    def reset(self) -> None:
        """Forget messages, updates and menus, and whom the bot has met."""
        super().reset()
        self.revoked = False
        self.messages = ChatMessages()
        self.menus = Menus(self.messages.chats)
        self._queries = itertools.count(1)
        old = getattr(self, "updates", None)
        self.updates = Updates()
        if old is not None:
            asyncio.run_coroutine_threadsafe(old.stop(), self.loop)

    async def stop(self) -> None:
        """End what waits."""
        await self.updates.stop()

    def accepts(self, token: str) -> bool:
        """Whether the token has not been revoked."""
        return not self.revoked and super().accepts(token)

    def methods(self) -> dict[str, Method]:
        """The methods that a bot needs where people write to it, too."""
        messages, updates = self.messages, self.updates
        return super().methods() | {
            "editmessagetext": messages.edit,
            "editmessagereplymarkup": messages.edit,
            "answercallbackquery": messages.answer_query,
            "getupdates": updates.get_updates,
            "setwebhook": updates.set_webhook,
            "deletewebhook": updates.delete_webhook,
            "getwebhookinfo": updates.webhook_info,
        }

    def menu(self, scope: dict[str, Any] | None = None) -> list[str]:
        """The commands a scope shows, by name."""
        key = scope_key(scope or {"type": "default"}, "")
        return [command["command"] for command in self.menus.menus.get(key, [])]

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

    @threadsafe_call
    async def says(
        self,
        user: int,
        text: str,
        *,
        chat: int | None = None,
        reply_to: int | None = None,
        name: str = "Ada",
        thread: int | None = None,
    ) -> ChatMessage:
        """A person writes to the bot or into a group it is in."""
        where = self._met(user, chat, name)
        answered = self.messages.find(where["id"], reply_to) if reply_to else None
        message = self.messages.write(where, text, _user(user, name), answered, thread)
        self.updates.add({"message": message})
        return self.messages.history[-1]

    @threadsafe_call
    async def edits(
        self, user: int, message_id: int, text: str, *, chat: int | None = None
    ) -> ChatMessage:
        """A person edits what he wrote."""
        message = self.messages.message(chat if chat is not None else user, message_id)
        if message is None or message.from_bot:
            raise ValueError("people edit their own messages only")
        message.edit(text)
        self.updates.add({"edited_message": message.json})
        return message

    @threadsafe_call
    async def presses(
        self, user: int, message_id: int, button: str, *, chat: int | None = None
    ) -> str:
        """A person presses a button, found by its label or its data."""
        message = self.messages.message(chat if chat is not None else user, message_id)
        buttons = message.buttons if message is not None else {}
        data = buttons.get(button, button if button in buttons.values() else None)
        if message is None or data is None:
            raise ValueError(f"no such button; there are {', '.join(buttons)}")
        query = str(10_000 + next(self._queries))
        self.messages.queries[query] = None
        pressed = {
            "id": query,
            "from": _user(user, self.messages.chats.get(user, {}).get("first_name", "Ada")),
            "message": message.json,
            "chat_instance": str(message.chat),
            "data": data,
        }
        self.updates.add({"callback_query": pressed})
        return query

    @threadsafe_call
    async def sends_photo(self, user: int, caption: str, *, chat: int | None = None) -> None:
        """A person sends a photo with a caption."""
        message = self.messages.write(self._met(user, chat, "Ada"), caption, _user(user, "Ada"))
        photo = [{"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}]
        json = {key: value for key, value in message.items() if key not in ("text", "entities")}
        marks = {"caption": caption, "caption_entities": entities(caption)}
        self.updates.add({"message": {**json, "photo": photo, **marks}})

    @threadsafe_call
    async def posts(self, text: str) -> None:
        """Somebody posts in the channel."""
        message = self.messages.write(self.messages.chats[CHANNEL], text, None)
        self.updates.add(_channel_post(message["message_id"], text))

    @threadsafe_call
    async def inject(self, update: dict[str, Any]) -> dict[str, Any] | None:
        """Queue an update as it stands, however odd; a missing number is added."""
        return self.updates.add(update)

    @threadsafe_call
    async def met(self, user: int, name: str) -> None:
        """Somebody has started the bot."""
        self._met(user, None, name)

    @threadsafe_call
    async def brings(self, updates: list[dict[str, Any]]) -> list[int]:
        """Queue updates, of kinds that the bot does not want as well; their numbers."""
        return [self.updates.add(update, wanted=True)["update_id"] for update in updates]

    @threadsafe_call
    async def revoke(self) -> None:
        """Refuse the token from now on, to a poll that waits as well."""
        self.revoked = True
        self.updates.abort(refusal(401, "Unauthorized"))

    @threadsafe_call
    async def restore(self) -> None:
        """Take the token again."""
        self.revoked = False

    def _met(self, user: int, chat: int | None, name: str) -> dict[str, Any]:
        if user not in self.messages.chats:
            self.messages.chats[user] = {"id": user, "type": "private", "first_name": name}
        self.messages.silent.discard(user)
        return self.messages.chats[chat if chat is not None else user]


def _user(ident: int, name: str) -> dict[str, Any]:
    """A person as Telegram describes one."""
    return {"id": ident, "is_bot": False, "first_name": name, "language_code": "en"}


def _channel_post(number: int, text: str) -> dict[str, Any]:
    """A post in the channel the bot is in."""
    chat = {"id": CHANNEL, "type": "channel", "title": "Levqor news"}
    post = {"message_id": number, "date": int(time.time()), "chat": chat, "text": text}
    return {"channel_post": {**post, "sender_chat": chat}}
