"""Chats, and the messages that the bot sends to them."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from core.sandbox.service import Card
from core.sandbox.telegram.rules import bad, entities, markup_of, text_of

if TYPE_CHECKING:
    from core.sandbox.service import Received

BOT_ID = 7_100_000_001
BOT_NAME = "levqor_sandbox_bot"
GROUP = -1_001_234_567_890
CHANNEL = -1_001_234_567_891
FORUM = -1_001_234_567_892  # a group with topics
PERSON = 1

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


class Messages:
    """Everything said in the chats the bot is in."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []  # messages as the API gives them
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
        reply_to: dict[str, Any] | None = None,
        thread: int | None = None,
    ) -> dict[str, Any]:
        """Put a message into a chat, or into a topic of it."""
        # Supergroups and channels count their messages on their own.
        counter = chat["id"] if chat["type"] in ("supergroup", "channel") else 0
        self._numbers[counter] += 1
        message: dict[str, Any] = {
            "message_id": self._numbers[counter],
            "chat": chat,
            "date": int(time.time()),
            "text": text,
        }
        if sender is not None:
            message["from"] = sender
        if marked := entities(text):
            message["entities"] = marked
        if reply_to is not None:
            message["reply_to_message"] = {**reply_to}
            message["reply_to_message"].pop("reply_to_message", None)
            thread = thread or reply_to.get("message_thread_id")
        if thread is not None:
            message |= {"message_thread_id": thread, "is_topic_message": True}
        self.sent.append(message)
        return message

    def find(self, chat: int, number: Any) -> dict[str, Any] | None:
        """A message of a chat."""
        for message in self.sent:
            if (message["chat"]["id"], str(message["message_id"])) == (chat, str(number)):
                return message
        return None

    def chat(self, given: dict[str, Any]) -> dict[str, Any]:
        """The chat a call names; raises Refusal."""
        name = str(given.get("chat_id", "")).strip()
        if not name:
            raise bad("chat_id is empty")
        for ident, chat in self.chats.items():
            if name in (str(ident), f"@{chat.get('username', '')}"):
                return chat
        raise bad("chat not found")

    async def get_me(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        """The bot."""
        flags = ("can_read_all_group_messages", "supports_inline_queries")
        more = ("can_connect_to_business", "has_main_web_app")
        return {**self.bot(), "can_join_groups": True, **dict.fromkeys(flags + more, False)}

    async def get_chat(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        """A chat, read rights only."""
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription")
        accepted = dict.fromkeys((*gifts, "gifts_from_channels"), True)
        looks = {"max_reaction_count": 11, "accent_color_id": 0}
        return {**self.chat(given), **looks, "accepted_gift_types": accepted}

    async def get_chat_member(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        """What the bot, or somebody who has spoken, is in a chat."""
        chat, user = self.chat(given), str(given.get("user_id", ""))
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

    async def send(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        """A message from the bot."""
        text, markup = text_of(given), markup_of(given)
        chat = self.chat(given)
        reply = given.get("reply_parameters") or {"message_id": given.get("reply_to_message_id")}
        if not isinstance(reply, dict):
            raise bad("object expected as reply parameters")
        answered = self.find(chat["id"], reply.get("message_id"))
        lenient = str(reply.get("allow_sending_without_reply", "")).lower() == "true"
        if reply.get("message_id") and answered is None and not lenient:
            raise bad("message to be replied not found")
        message = self.write(chat, text, self.bot(), answered, self._topic(chat, given))
        if markup and "inline_keyboard" in markup:
            message["reply_markup"] = markup
        received.card = Card("Levqor", chat.get("title") or chat["first_name"], text)
        return message

    def _topic(self, chat: dict[str, Any], given: dict[str, Any]) -> int | None:
        topic = str(given.get("message_thread_id") or "")
        known = {one.get("message_thread_id") for one in self.sent if one["chat"] == chat}
        if topic and not (topic.isdecimal() and int(topic) in known):
            raise bad("message thread not found")
        return int(topic) if topic else None
