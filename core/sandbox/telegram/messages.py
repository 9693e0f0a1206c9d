"""Chats and the messages in them: what the bot sends, edits, reacts to and answers."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.sandbox.service import Card
from core.sandbox.telegram.rules import (
    ACTIONS,
    Refusal,
    bad,
    entities,
    markup_of,
    reactions_of,
    text_of,
    units,
)

if TYPE_CHECKING:
    from core.sandbox.service import Received

BOT_ID = 7_100_000_001
BOT_NAME = "levqor_sandbox_bot"
GROUP = -1_001_234_567_890
CHANNEL = -1_001_234_567_891
FORUM = -1_001_234_567_892  # a group with topics
PERSON = 1

_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the "
    "same as a current content and reply markup of the message"
)
_QUERY_GONE = "query is too old and response timeout expired or query ID is invalid"
_ADMIN_RIGHTS = (
    "is_anonymous",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)


@dataclass
class Said:
    """A message as it stands now; `before` are its earlier texts, oldest first."""

    chat: int
    message_id: int
    text: str
    from_bot: bool
    json: dict[str, Any]
    markup: dict[str, Any] | None = None
    reply_to: int | None = None
    thread: int | None = None
    before: list[str] = field(default_factory=list)
    reactions: list[str] = field(default_factory=list)
    deleted: bool = False

    @property
    def buttons(self) -> dict[str, str]:
        """The inline buttons under it: label to callback data."""
        rows = (self.markup or {}).get("inline_keyboard", [])
        return {key["text"]: key.get("callback_data", "") for row in rows for key in row}

    @property
    def asks(self) -> bool:
        """Whether it forces a reply."""
        return bool((self.markup or {}).get("force_reply"))

    def wire(self) -> dict[str, Any]:
        """The same as JSON."""
        return {**vars(self), "buttons": self.buttons, "asks": self.asks}


class Messages:
    """Everything said in the chats the bot is in."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.actions: list[tuple[int, str]] = []
        self.blocked: set[int] = set()
        self.silent: set[int] = set()  # people who never started the bot
        self.queries: dict[str, str | None] = {}  # callback queries: what was answered
        self.moved: dict[int, int] = {}  # groups that became supergroups, with new numbers
        self._numbers: Counter[int] = Counter()
        self.chats: dict[int, dict[str, Any]] = {
            GROUP: {"id": GROUP, "type": "supergroup", "title": "Levqor sandbox"},
            FORUM: {"id": FORUM, "type": "supergroup", "title": "Topics", "is_forum": True},
            CHANNEL: {
                "id": CHANNEL,
                "type": "channel",
                "title": "Levqor news",
                "username": "levqor_sandbox",
            },
            PERSON: {"id": PERSON, "type": "private", "first_name": "Ada"},
        }

    def bot(self) -> dict[str, Any]:
        """The bot as a user."""
        return {"id": BOT_ID, "is_bot": True, "first_name": "Levqor", "username": BOT_NAME}

    def write(
        self,
        chat: dict[str, Any],
        text: str,
        sender: dict[str, Any] | None,
        reply_to: Said | None = None,
        thread: int | None = None,
    ) -> Said:
        """Put a message into a chat, or into a topic of it."""
        # Supergroups and channels count their messages on their own.
        counter = chat["id"] if chat["type"] in ("supergroup", "channel") else 0
        self._numbers[counter] += 1
        number = self._numbers[counter]
        json: dict[str, Any] = {
            "message_id": number,
            "chat": chat,
            "date": int(time.time()),
            "text": text,
        }
        if sender is not None:
            json["from"] = sender
        if found := entities(text):
            json["entities"] = found
        if reply_to is not None:
            inner = {
                key: value for key, value in reply_to.json.items() if key != "reply_to_message"
            }
            json["reply_to_message"] = inner
            thread = thread or reply_to.thread
        if thread is not None:
            json |= {"message_thread_id": thread, "is_topic_message": True}
        said = Said(
            chat["id"],
            number,
            text,
            from_bot=bool(sender and sender["is_bot"]),
            json=json,
            reply_to=reply_to.message_id if reply_to else None,
            thread=thread,
        )
        self.said.append(said)
        return said

    def find(self, chat: int, number: Any) -> Said | None:
        """A message that has not been deleted."""
        for one in self.said:
            if one.chat == chat and str(one.message_id) == str(number) and not one.deleted:
                return one
        return None

    def chat(self, said: dict[str, Any]) -> dict[str, Any]:
        """The chat a call names; raises Refusal."""
        given = str(said.get("chat_id", "")).strip()
        if not given:
            raise bad("chat_id is empty")
        if given.lstrip("-").isdecimal() and (new := self.moved.get(int(given))) is not None:
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refusal(400, text, {"migrate_to_chat_id": new})
        for ident, chat in self.chats.items():
            if given in (str(ident), f"@{chat.get('username', '')}"):
                return chat
        raise bad("chat not found")

    def open_chat(self, said: dict[str, Any]) -> dict[str, Any]:
        """The same, where the bot may write."""
        chat = self.chat(said)
        if chat["id"] in self.blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        if chat["id"] in self.silent:
            raise Refusal(403, "Forbidden: bot can't initiate conversation with a user")
        return chat

    async def get_me(self, said: dict[str, Any], received: Received) -> dict[str, Any]:
        """The bot."""
        flags = ("can_read_all_group_messages", "supports_inline_queries")
        more = ("can_connect_to_business", "has_main_web_app")
        return {**self.bot(), "can_join_groups": True, **dict.fromkeys(flags + more, False)}

    async def get_chat(self, said: dict[str, Any], received: Received) -> dict[str, Any]:
        """A chat, read rights only."""
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription")
        accepted = dict.fromkeys((*gifts, "gifts_from_channels"), True)
        looks = {"max_reaction_count": 11, "accent_color_id": 0}
        return {**self.chat(said), **looks, "accepted_gift_types": accepted}

    async def get_chat_member(self, said: dict[str, Any], received: Received) -> dict[str, Any]:
        """What the bot, or somebody who has spoken, is in a chat."""
        chat, user = self.chat(said), str(said.get("user_id", ""))
        if not user.isdecimal():
            raise bad("invalid user_id specified")
        if int(user) != BOT_ID:
            person = self.chats.get(int(user))
            if person is None or person["type"] != "private":
                raise bad("user not found")
            who = {"id": int(user), "is_bot": False, "first_name": person["first_name"]}
            return {"status": "member", "user": who}
        if chat["type"] != "channel":
            return {"status": "member", "user": self.bot()}
        rights = dict.fromkeys(_ADMIN_RIGHTS, False)
        can = {"can_post_messages": True, "can_manage_chat": True, "can_be_edited": False}
        return {"status": "administrator", "user": self.bot(), **rights, **can}

    async def send(self, said: dict[str, Any], received: Received) -> dict[str, Any]:
        """A message from the bot."""
        text, markup = text_of(said), markup_of(said)
        chat = self.open_chat(said)
        reply = said.get("reply_parameters") or {"message_id": said.get("reply_to_message_id")}
        if not isinstance(reply, dict):
            raise bad("object expected as reply parameters")
        answered = self.find(chat["id"], reply.get("message_id"))
        lenient = str(reply.get("allow_sending_without_reply", "")).lower() == "true"
        if reply.get("message_id") and answered is None and not lenient:
            raise bad("message to be replied not found")
        message = self.write(chat, text, self.bot(), answered, self._topic(chat, said))
        received.card = Card("Levqor", chat.get("title") or chat["first_name"], text)
        message.markup = markup
        if markup and "inline_keyboard" in markup:
            message.json["reply_markup"] = markup
        received.done, received.result, received.shown = True, message.message_id, text
        return message.json

    async def edit(self, said: dict[str, Any], received: Received) -> dict[str, Any]:
        """Another text, or another keyboard, for a message of the bot."""
        message = self._own(said, "edit")
        text = text_of(said) if "text" in said else message.text
        markup = markup_of(said)
        if (text, markup) == (message.text, message.markup):
            raise bad(_NOT_MODIFIED)
        if text != message.text:
            message.before.append(message.text)
        message.text, message.markup = text, markup
        message.json = {**message.json, "text": text, "edit_date": int(time.time())}
        message.json.pop("reply_markup", None)
        message.json.pop("entities", None)
        if markup:
            message.json["reply_markup"] = markup
        if found := entities(text):
            message.json["entities"] = found
        received.done, received.result, received.shown = True, message.message_id, text
        return message.json

    async def delete(self, said: dict[str, Any], received: Received) -> bool:
        """Take a message of the bot away."""
        message = self._own(said, "delete")
        message.deleted = received.done = True
        received.shown = f"deleted: {message.text}"
        return True

    async def react(self, said: dict[str, Any], received: Received) -> bool:
        """React to anybody's message."""
        chat = self.open_chat(said)
        message = self.find(chat["id"], said.get("message_id"))
        if message is None:
            raise bad("message to react not found")
        message.reactions = reactions_of(said)
        received.done, received.shown = True, " ".join(message.reactions)
        return True

    async def chat_action(self, said: dict[str, Any], received: Received) -> bool:
        """`typing …` for a moment."""
        action = str(said.get("action", ""))
        if action not in ACTIONS:
            raise bad("wrong parameter action in request")
        self.actions.append((self.open_chat(said)["id"], action))
        return True

    async def answer_query(self, said: dict[str, Any], received: Received) -> bool:
        """Answer a pressed button, once."""
        query, text = str(said.get("callback_query_id", "")), str(said.get("text") or "")
        if self.queries.get(query, "gone") is not None:
            raise bad(_QUERY_GONE)
        if units(text) > 200:
            raise bad("MESSAGE_TOO_LONG")
        self.queries[query] = text
        received.done, received.shown = bool(text), text
        return True

    def _topic(self, chat: dict[str, Any], said: dict[str, Any]) -> int | None:
        given = str(said.get("message_thread_id") or "")
        known = {one.thread for one in self.said if one.chat == chat["id"]}
        if given and not (given.isdecimal() and int(given) in known):
            raise bad("message thread not found")
        return int(given) if given else None

    def _own(self, said: dict[str, Any], verb: str) -> Said:
        chat = self.open_chat(said)
        message = self.find(chat["id"], said.get("message_id"))
        if message is None:
            raise bad(f"message to {verb} not found")
        if not message.from_bot:
            raise bad(f"message can't be {'edited' if verb == 'edit' else 'deleted'}")
        return message
