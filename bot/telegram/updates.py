"""Telegram's updates, parsed: a text message, or a button pressed."""

from dataclasses import dataclass
from typing import Any

from telegram import MaybeInaccessibleMessage, Message, Update
from telegram.constants import ChatType, MessageEntityType

from bot.telegram.messenger import Place
from bot.telegram.settings import NAME
from core.callers import Caller


@dataclass(frozen=True, kw_only=True)
class _Received:
    number: int
    user: int
    place: Place

    @property
    def caller(self) -> Caller:
        """Who it is of."""
        return Caller(NAME, str(self.user))

    @property
    def asker(self) -> tuple[int, int]:
        """The chat and the person: whose form it is about."""
        return self.place.chat, self.user


@dataclass(frozen=True, kw_only=True)
class TextMessage(_Received):
    """Somebody wrote a text."""

    private: bool
    at: float
    text: str
    command: str
    rest: str  # after the command and a blank
    addressed: bool  # written /name@thisbot
    question: str | None  # the bot's message that it replies to, if any
    others: bool  # forwarded, or written by an inline bot: it has no command


@dataclass(frozen=True, kw_only=True)
class ButtonPress(_Received):
    """A button under one of the bot's messages was pressed."""

    query: str
    data: str


def number(raw: Any) -> int | None:
    """An update's number as it came over the wire."""
    ident = raw.get("update_id") if isinstance(raw, dict) else None
    return ident if isinstance(ident, int) and not isinstance(ident, bool) else None


def parse(update: Update, bot_id: int, bot_name: str) -> TextMessage | ButtonPress | None:
    """What an update says to this bot; None for everything that is not meant for it.

    Edited messages, captions, channel posts and other bots are none of ours: an edited
    command would be sent again.
    """
    if (query := update.callback_query) is not None:
        if query.message is None or query.data is None:
            return None
        return ButtonPress(
            number=update.update_id,
            user=query.from_user.id,
            place=Place(
                query.message.chat.id,
                message=query.message.message_id,
                thread=_topic(query.message),
            ),
            query=query.id,
            data=query.data,
        )
    message = update.message
    if message is None or message.edit_date or not message.text or message.from_user is None:
        return None
    if message.from_user.is_bot or message.sender_chat is not None:
        # A channel's posts in its group, and administrators who hide who they are.
        return None
    robots = (message.via_bot, message.sender_business_bot)
    others = _forwarded(message) or any(robot is not None for robot in robots)
    command, whom, rest = ("", "", "") if others else _command(message)
    if whom and whom.lower() != bot_name.lower():
        return None
    first = message.reply_to_message
    ours = first and first.from_user and first.from_user.id == bot_id
    return TextMessage(
        number=update.update_id,
        user=message.from_user.id,
        place=Place(message.chat.id, to=message.message_id, thread=_topic(message)),
        private=message.chat.type == ChatType.PRIVATE,
        at=message.date.timestamp(),
        text=message.text,
        command=command,
        rest=rest,
        addressed=bool(whom),
        question=first.text or "" if first and ours else None,
        others=others,
    )


def _topic(message: MaybeInaccessibleMessage) -> int | None:
    # In a group without topics a reply has a thread too, to which nobody can send.
    if not isinstance(message, Message) or not message.is_topic_message:
        return None
    return message.message_thread_id


def _command(message: Message) -> tuple[str, str, str]:
    """The command a message begins with, the bot it names, what follows; empty where none."""
    text, mark = message.text or "", next(iter(message.entities), None)
    if mark is None or mark.type != MessageEntityType.BOT_COMMAND or mark.offset != 0:
        return "", "", ""
    # Telegram counts UTF-16 units; a command has none but ASCII letters.
    command, rest = text[: mark.length], text[mark.length :]
    name, _, whom = command.removeprefix("/").partition("@")
    # One blank parts them; what comes after it may be a row that begins with an empty cell.
    return name.lower(), whom, rest[1:] if rest[:1].isspace() else rest


def _forwarded(message: Message) -> bool:
    # Before Bot API 7.0 (and on older servers of one's own) it was forward_date, forward_from
    # and their like, which the library knows no more.
    old = any(name.startswith("forward_") for name in message.api_kwargs)
    return old or message.forward_origin is not None or bool(message.is_automatic_forward)
