"""What people did, read from Telegram's updates: something typed, or a button pressed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telegram import Message
from telegram.constants import ChatType, MessageEntityType

if TYPE_CHECKING:
    from telegram import CallbackQuery, MaybeInaccessibleMessage, Update


@dataclass(frozen=True)
class Command:
    """A command at the start of a message; `rest` is what follows the blank after it.

    `addressed` tells whether it was written `/name@thisbot`.
    """

    name: str
    rest: str
    addressed: bool


@dataclass(frozen=True)
class TextMessage:
    """A text message. `answers` is the text of the bot's message it replies to, if any.

    What is of `others` has no command: forwarded, or written by an inline bot. `thread` is the
    topic, in a group that has topics.
    """

    update: int
    user: int
    chat: int
    message: int
    private: bool
    at: float
    text: str
    command: Command | None
    answers: str | None
    others: bool
    thread: int | None


@dataclass(frozen=True)
class ButtonPress:
    """A button under one of the bot's messages was pressed."""

    update: int
    user: int
    chat: int
    message: int
    query: str
    data: str
    thread: int | None


def read(update: Update, bot_id: int, bot_name: str) -> TextMessage | ButtonPress | None:
    """What an update says to this bot; None for everything that is not meant for it.

    Edited messages, captions, channel posts and other bots are none of ours: an edited
    command would be sent again.
    """
    if update.callback_query is not None:
        return _pressed(update.update_id, update.callback_query)
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
    return TextMessage(
        update=update.update_id,
        user=message.from_user.id,
        chat=message.chat.id,
        message=message.message_id,
        private=message.chat.type == ChatType.PRIVATE,
        at=message.date.timestamp(),
        text=message.text,
        command=command,
        answers=_answered(message, bot_id),
        others=others,
        thread=_topic(message),
    )


def _pressed(update: int, query: CallbackQuery) -> ButtonPress | None:
    if query.message is None or query.data is None:
        return None
    return ButtonPress(
        update, query.from_user.id, query.message.chat.id, query.message.message_id,
        query.id, query.data, _topic(query.message),
    )  # fmt: skip


def _topic(message: MaybeInaccessibleMessage) -> int | None:
    # In a group without topics a reply has a thread too, to which nobody can send.
    if not isinstance(message, Message) or not message.is_topic_message:
        return None
    return message.message_thread_id


def _command(message: Message, bot_name: str) -> Command | None:
    """The command a message begins with; its name is empty where another bot is meant."""
    text = message.text or ""
    mark = message.entities[0] if message.entities else None
    if mark is None or mark.type != MessageEntityType.BOT_COMMAND or mark.offset != 0:
        return None
    # Telegram counts UTF-16 units.
    units = text.encode("utf-16-le", "surrogatepass")
    said = units[: mark.length * 2].decode("utf-16-le", "replace")
    rest = units[mark.length * 2 :].decode("utf-16-le", "replace")
    name, at, whom = said.removeprefix("/").partition("@")
    if at and whom.lower() != bot_name.lower():
        return Command("", "", addressed=False)
    # One blank parts them; what comes after it may be a row that begins with an empty cell.
    rest = rest[1:] if rest[:1].isspace() else rest
    return Command(name.lower(), rest, addressed=bool(at))


def _forwarded(message: Message) -> bool:
    # Before Bot API 7.0 (and on older servers of one's own) it was forward_date, forward_from
    # and their like, which the library knows no more.
    old = any(name.startswith("forward_") for name in message.api_kwargs)
    return old or message.forward_origin is not None or bool(message.is_automatic_forward)


def _answered(message: Message, bot_id: int) -> str | None:
    first = message.reply_to_message
    if first is None or first.from_user is None or first.from_user.id != bot_id:
        return None
    return first.text or ""
