"""Telegram's updates, parsed: a text message, or a button pressed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telegram import Message
from telegram.constants import ChatType, MessageEntityType

from bot.telegram.messenger import Place

if TYPE_CHECKING:
    from telegram import MaybeInaccessibleMessage, Update


@dataclass(frozen=True)
class TypedCommand:
    """A command at the start of a message; `rest` is what follows the blank after it.

    `addressed` tells whether it was written `/name@thisbot`.
    """

    name: str
    rest: str
    addressed: bool


@dataclass(frozen=True)
class TextMessage:
    """Somebody wrote a text. `question` is the bot's message that it replies to, if any.

    What is of `others` has no command: forwarded, or written by an inline bot.
    """

    update: int
    user: int
    place: Place
    private: bool
    at: float
    text: str
    command: TypedCommand | None
    question: str | None
    others: bool


@dataclass(frozen=True)
class ButtonPress:
    """A button under one of the bot's messages was pressed."""

    update: int
    user: int
    place: Place
    query: str
    data: str


def parse(update: Update, bot_id: int, bot_name: str) -> TextMessage | ButtonPress | None:
    """What an update says to this bot; None for everything that is not meant for it.

    Edited messages, captions, channel posts and other bots are none of ours: an edited
    command would be sent again.
    """
    if (query := update.callback_query) is not None:
        if query.message is None or query.data is None:
            return None
        chat, thread = query.message.chat.id, _topic(query.message)
        place = Place(chat, message=query.message.message_id, thread=thread)
        return ButtonPress(update.update_id, query.from_user.id, place, query.id, query.data)
    message = update.message
    if message is None or message.edit_date or not message.text or message.from_user is None:
        return None
    if message.from_user.is_bot or message.sender_chat is not None:
        # A channel's posts in its group, and administrators who hide who they are.
        return None
    others = _forwarded(message) or message.via_bot is not None
    command = None if others else _command(message, bot_name)
    if command is not None and command.name == "":
        return None
    first = message.reply_to_message
    ours = first and first.from_user and first.from_user.id == bot_id
    return TextMessage(
        update=update.update_id,
        user=message.from_user.id,
        place=Place(message.chat.id, to=message.message_id, thread=_topic(message)),
        private=message.chat.type == ChatType.PRIVATE,
        at=message.date.timestamp(),
        text=message.text,
        command=command,
        question=first.text or "" if first and ours else None,
        others=others,
    )


def _topic(message: MaybeInaccessibleMessage) -> int | None:
    # In a group without topics a reply has a thread too, to which nobody can send.
    if not isinstance(message, Message) or not message.is_topic_message:
        return None
    return message.message_thread_id


def _command(message: Message, bot_name: str) -> TypedCommand | None:
    """The command a message begins with; its name is empty where another bot is meant."""
    text, mark = message.text or "", next(iter(message.entities), None)
    if mark is None or mark.type != MessageEntityType.BOT_COMMAND or mark.offset != 0:
        return None
    # Telegram counts UTF-16 units; a command has none but ASCII letters.
    command, rest = text[: mark.length], text[mark.length :]
    name, at, whom = command.removeprefix("/").partition("@")
    if at and whom.lower() != bot_name.lower():
        return TypedCommand("", "", addressed=False)
    # One blank parts them; what comes after it may be a row that begins with an empty cell.
    rest = rest[1:] if rest[:1].isspace() else rest
    return TypedCommand(name.lower(), rest, addressed=bool(at))


def _forwarded(message: Message) -> bool:
    # Before Bot API 7.0 (and on older servers of one's own) it was forward_date, forward_from
    # and their like, which the library knows no more.
    old = any(name.startswith("forward_") for name in message.api_kwargs)
    return old or message.forward_origin is not None or bool(message.is_automatic_forward)
