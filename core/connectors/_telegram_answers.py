"""What Telegram may say, in plain words, and which of it an answer says.

Telegram has no codes beside the HTTP status: the description decides, and its wording
drifts, so a telling part of it is looked for.
Descriptions: https://github.com/tdlib/telegram-bot-api and https://core.telegram.org/bots/api
"""

from __future__ import annotations

import re

from pydantic import Field

from core.contract import Answer, AnswerModel, AnswerTable, not_sent, refused, unknown

DELETED = unknown(
    "deleted_at_once",
    "The message was sent, and something in the chat deleted it at once.",
    "Look in the chat for a bot or a rule that deletes messages before you send it again.",
)
MIGRATED = refused(
    "chat_migrated",
    "The group became a supergroup and has a new id.",
    "Send the bot a message in the group and use the chat's new id, which begins with -100.",
    "Use {chat}, the group's new id, from now on (in TELEGRAM_CHAT_ID_DEFAULT too).",
)
NOT_ALLOWED = refused(
    "not_allowed_to_post",
    "The bot may not post in that chat.",
    "Make the bot an admin of the chat with the right to post messages.",
)

ANSWERS = AnswerTable(
    service="Telegram",
    what="the message",
    look="Look in the chat",
    by_text={
        "chat not found | user not found | peer_id_invalid": refused(
            "chat_not_found",
            "Telegram knows no such chat, or the bot has never met it.",
            "Open the bot and press Start, or add it to the group, and check the id: a group's "
            "is negative, a supergroup's begins with -100.",
        ),
        "chat_id is empty | chat identifier must | chat_id must | invalid chat_id": refused(
            "chat_id_invalid",
            "That is not the id of a chat.",
            "Give a chat_id such as -1001234567890 or @name, or set TELEGRAM_CHAT_ID_DEFAULT.",
        ),
        "upgraded to a supergroup | migrated to a supergroup": MIGRATED,
        "bot was blocked by the user": refused(
            "blocked_by_user",
            "That person has blocked the bot.",
            "Ask them to open the bot, unblock it and press Start.",
        ),
        "can't initiate conversation": refused(
            "never_started",
            "That person has never started the bot, and a bot may not write first.",
            "Send them the bot's t.me link and ask them to press Start.",
        ),
        "user is deactivated": refused(
            "account_deleted",
            "That person's account no longer exists.",
            "Choose another chat_id.",
        ),
        "bot was kicked": refused(
            "bot_removed",
            "The bot was removed from that chat.",
            "Add the bot to the chat again.",
        ),
        "bot is not a member": refused(
            "bot_not_member",
            "The bot is not in that chat.",
            "Add the bot to the chat; in a channel make it an admin who may post.",
        ),
        "group chat was deleted | group is deactivated": refused(
            "chat_deleted",
            "That group was deleted.",
            "Choose another chat_id.",
        ),
        "can't send messages to the bot | can't send messages to bots": refused(
            "chat_is_bot",
            "That is the id of a bot, and bots cannot write to bots.",
            "Use the id of a person, a group or a channel.",
        ),
        "not enough rights | need administrator rights | have no rights | have no write access"
        " | chat_restricted | chat_write_forbidden | chat_admin_required": NOT_ALLOWED,
        "message thread not found | topic_closed | topic_deleted": refused(
            "topic_gone",
            "The chat's topic is closed or was deleted.",
            "Open the topic again in the group's settings, or choose another chat_id.",
        ),
        "message is too long | text is too long | message_too_long": refused(
            "message_too_long",
            "The message is too long for Telegram.",
            "Shorten the message to 4096 characters and send it again.",
        ),
        "message text is empty | text must be non-empty": refused(
            "no_text",
            "Telegram found no text in the message.",
            "Write some text and send it again.",
        ),
        "can't parse entities | entities too long": refused(
            "bad_markup",
            "Telegram took the text for formatted text; that is Levqor's mistake, not yours.",
            "Report it to whoever looks after Levqor, with the run's id.",
        ),
    },
    by_status={
        401: refused(
            "token_refused",
            "Telegram does not accept the bot's token: it is wrong, or it was revoked.",
            "Ask @BotFather for the token with /token and put it in TELEGRAM_BOT_TOKEN.",
        ),
        404: refused(
            "token_malformed",
            "Telegram knows no such bot: the token was not copied whole.",
            "Copy the token from @BotFather again, digits, colon and letters, into "
            "TELEGRAM_BOT_TOKEN.",
        ),
        409: refused(
            "poller_conflict",
            "Telegram says that another program is using this bot.",
            "Stop the other program that uses this bot's token, then send it again.",
        ),
        429: not_sent(
            "too_fast",
            "Telegram is getting messages faster than it takes them.",
            "Wait a little and send it again.",
        ),
    },
    also=(DELETED,),
)


class Parameters(AnswerModel):
    """What may help out of a refusal; an answer has one of them or neither."""

    retry_after: float | None = None
    migrate_to_chat_id: int | None = None


class Result(AnswerModel):
    """What is read of a message, a chat, a member, a webhook or the bot's own account."""

    id: int = 0
    type: str = ""
    username: str | None = None
    title: str | None = None
    first_name: str = ""
    status: str = ""
    can_send_messages: bool = True
    can_post_messages: bool = True
    permissions: Result | None = None
    message_id: int = 0
    chat: Result | None = None
    url: str = ""
    pending_update_count: int = 0


class Reply(AnswerModel):
    """What is read of any answer."""

    ok: bool
    error_code: int | None = None
    description: str = ""
    parameters: Parameters = Field(default_factory=Parameters)
    result: Result = Field(default_factory=Result)


def may_post(chat: Result, member: Result) -> bool:
    """Tell whether a member may write in a chat, as far as Telegram says."""
    if member.status in ("left", "kicked"):
        return False
    if chat.type == "channel":
        return member.status == "administrator" and member.can_post_messages
    if member.status == "administrator":
        return True
    everybody = chat.permissions is None or chat.permissions.can_send_messages
    return everybody and member.can_send_messages


def result_of(answer: Answer) -> Result:
    """What a call that succeeded gave; raises what another answer means."""
    reply = answer.parse(Reply)
    if answer.status == 200 and reply and reply.ok:
        return reply.result
    if reply is None or reply.ok:
        raise ANSWERS.error(answer)
    status, text = reply.error_code or answer.status, reply.description.lower()
    if chat := reply.parameters.migrate_to_chat_id:
        raise MIGRATED.error(values={"chat": str(chat)})
    if ANSWERS.row(status) is ANSWERS.failed and "immediately deleted" in text:
        raise DELETED.error()
    # A status that has a row means the same whatever is said with it.
    text = "" if status in ANSWERS.by_status else text
    wait = reply.parameters.retry_after
    raise ANSWERS.error(answer, status=status, text=text, wait=wait)


class Update(AnswerModel):
    """An update, of which only the chat is read."""

    message: Result | None = None
    channel_post: Result | None = None
    my_chat_member: Result | None = None


class Updates(AnswerModel):
    """The updates of the last day that no bot has confirmed yet."""

    result: list[Update]


def seen_chats(answer: Answer) -> list[tuple[str, str]]:
    """The ids and names of the chats in some updates; raises what another answer means."""
    updates = answer.success(Updates)
    if updates is None:
        raise ANSWERS.error(answer)
    events = [each.message or each.channel_post or each.my_chat_member for each in updates.result]
    seen = {event.chat.id: event.chat for event in events if event and event.chat}
    return [(str(c.id), c.title or c.username or c.first_name) for c in seen.values()]


def link_to(message: Result) -> str | None:
    """The address of a message, where it has one that its readers can open."""
    chat = message.chat
    if chat is None or chat.type not in ("supergroup", "channel"):
        return None
    named = chat.username if re.fullmatch(r"\w{4,32}", chat.username or "", re.ASCII) else None
    place = named or "c/" + str(chat.id).removeprefix("-100")
    return f"https://t.me/{place}/{message.message_id}"
