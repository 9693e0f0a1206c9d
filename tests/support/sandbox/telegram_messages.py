"""Chats that people write in: what stands in them now, and what the bot edits and answers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.plain import utf16_length
from core.sandbox.service import Card
from core.sandbox.telegram import BOT, Messages, bad, refusal, text_of
from tests.support.sandbox.telegram_rules import entities, markup_of

if TYPE_CHECKING:
    from core.sandbox.service import Received

FORUM = -1_001_234_567_892  # a group with topics
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the "
    "same as a current content and reply markup of the message"
)
_QUERY_GONE = "query is too old and response timeout expired or query ID is invalid"


@dataclass
class ChatMessage:
    """A message as it stands now; `before` are its earlier texts, oldest first."""

    json: dict[str, Any]
    markup: dict[str, Any] | None = None
    before: list[str] = field(default_factory=list)
    deleted: bool = False

    @property
    def chat(self) -> int:
        """The chat it is in."""
        return self.json["chat"]["id"]

    @property
    def message_id(self) -> int:
        """Its number."""
        return self.json["message_id"]

    @property
    def text(self) -> str:
        """Its text."""
        return self.json["text"]

    @property
    def from_bot(self) -> bool:
        """Whether the bot sent it."""
        return bool(self.json.get("from", {}).get("is_bot"))

    @property
    def reply_to(self) -> int | None:
        """The number of the message it answers."""
        return self.json.get("reply_to_message", {}).get("message_id")

    @property
    def thread(self) -> int | None:
        """The topic it is in."""
        return self.json.get("message_thread_id")

    @property
    def buttons(self) -> dict[str, str]:
        """The inline buttons under it: label to callback data."""
        rows = (self.markup or {}).get("inline_keyboard", [])
        return {key["text"]: key.get("callback_data", "") for row in rows for key in row}

    @property
    def asks(self) -> bool:
        """Whether it forces a reply."""
        return bool((self.markup or {}).get("force_reply"))

    def edit(self, text: str) -> None:
        """Give it another text."""
        if text != self.text:
            self.before.append(self.text)
        # Who has read the old one keeps what he read.
        self.json = {**self.json, "text": text, "edit_date": int(time.time())}
        self.json.pop("entities", None)
        if marked := entities(text):
            self.json["entities"] = marked


class ChatMessages(Messages):
    """Everything said in the chats the bot is in, by people too."""

    def __init__(self) -> None:
        super().__init__()
        self.chats[FORUM] = {"id": FORUM, "type": "supergroup", "title": "Topics", "is_forum": True}
        self.history: list[ChatMessage] = []
        self.blocked: set[int] = set()
        self.silent: set[int] = set()  # people who never started the bot
        self.queries: dict[str, str | None] = {}  # callback queries: what was answered
        self.moved: dict[int, int] = {}  # groups that became supergroups, with new numbers

    def write(
        self,
        chat: dict[str, Any],
        text: str,
        sender: dict[str, Any] | None = BOT,
        reply_to: dict[str, Any] | None = None,
        thread: int | None = None,
    ) -> dict[str, Any]:
        """Put a message into a chat, or into a topic of it."""
        message = super().write(chat, text) | {"from": sender}
        if sender is None:
            del message["from"]
        if marked := entities(text):
            message["entities"] = marked
        _place(message, reply_to, thread)
        self.history.append(ChatMessage(message))
        return message

    def find(self, chat: int, number: Any) -> dict[str, Any] | None:
        """A message as it stands now, where it has not been deleted."""
        message = self.message(chat, number)
        return message.json if message else None

    def message(self, chat: int, number: Any) -> ChatMessage | None:
        """The same with what became of it."""
        for message in self.history:
            if (message.chat, str(message.message_id)) == (chat, str(number)):
                return None if message.deleted else message
        return None

    def chat(self, given: dict[str, Any]) -> dict[str, Any]:
        """The chat a call names; raises Refusal where it has moved."""
        ident = str(given.get("chat_id", "")).strip()
        if ident.lstrip("-").isdecimal() and (new := self.moved.get(int(ident))) is not None:
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            raise refusal(400, text, {"migrate_to_chat_id": new})
        return super().chat(given)

    async def send(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        """A message from the bot, where it may write."""
        text_of(given)
        markup = markup_of(given)
        chat = self._open_chat(given)
        reply = given.get("reply_parameters") or {"message_id": given.get("reply_to_message_id")}
        if not isinstance(reply, dict):
            raise bad("object expected as reply parameters")
        answered = self.find(chat["id"], reply.get("message_id"))
        lenient = str(reply.get("allow_sending_without_reply", "")).lower() == "true"
        if reply.get("message_id") and answered is None and not lenient:
            raise bad("message to be replied not found")
        topic = self._topic(chat, given)
        message = await super().send(given, received)
        _place(message, answered, topic)
        if markup and "inline_keyboard" in markup:
            message["reply_markup"] = markup
        self.history[-1].markup = markup
        return message

    async def edit(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        """Another text, or another keyboard, for a message of the bot."""
        chat = self._open_chat(given)
        message = self.message(chat["id"], given.get("message_id"))
        if message is None:
            raise bad("message to edit not found")
        if not message.from_bot:
            raise bad("message can't be edited")
        text = text_of(given) if "text" in given else message.text
        markup = markup_of(given)
        if (text, markup) == (message.text, message.markup):
            raise bad(_NOT_MODIFIED)
        message.edit(text)
        message.markup = markup
        message.json.pop("reply_markup", None)
        if markup:
            message.json["reply_markup"] = markup
        where = chat.get("title") or chat["first_name"]
        received.card = Card("Levqor", f"{where}, edited", text)
        return message.json

    async def answer_query(self, given: dict[str, Any], received: Received) -> bool:
        """Answer a pressed button, once."""
        query, text = str(given.get("callback_query_id", "")), str(given.get("text") or "")
        if self.queries.get(query, "gone") is not None:
            raise bad(_QUERY_GONE)
        if utf16_length(text) > 200:
            raise bad("MESSAGE_TOO_LONG")
        self.queries[query] = text
        if text:
            received.card = Card("Levqor", "over the chat, for a moment", text)
        return True

    def _topic(self, chat: dict[str, Any], given: dict[str, Any]) -> int | None:
        topic = str(given.get("message_thread_id") or "")
        known = {message.thread for message in self.history if message.chat == chat["id"]}
        if topic and not (topic.isdecimal() and int(topic) in known):
            raise bad("message thread not found")
        return int(topic) if topic else None

    def _open_chat(self, given: dict[str, Any]) -> dict[str, Any]:
        chat = self.chat(given)
        if chat["id"] in self.blocked:
            raise refusal(403, "Forbidden: bot was blocked by the user")
        if chat["id"] in self.silent:
            raise refusal(403, "Forbidden: bot can't initiate conversation with a user")
        return chat


def _place(message: dict[str, Any], reply_to: dict[str, Any] | None, thread: int | None) -> None:
    """Make a message an answer to another, and put it into a topic."""
    if reply_to is not None:
        message["reply_to_message"] = {**reply_to}
        message["reply_to_message"].pop("reply_to_message", None)
        thread = thread or reply_to.get("message_thread_id")
    if thread is not None:
        message |= {"message_thread_id": thread, "is_topic_message": True}
