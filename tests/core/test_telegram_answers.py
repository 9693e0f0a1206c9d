"""Telegram's answers: what each means, and what to do."""

import json

import pytest

from core.connectors import telegram
from tests.support.sandbox import Answer
from tests.support.sending import check_told, refusal

TELEGRAM = telegram.CONNECTOR
HELLO = {"text": "Hello"}
NOW = {"Retry-After": "0"}

ROWS = [
    (401, "Unauthorized", "refused", "token_refused", "@BotFather"),
    (401, "Unauthorized: invalid token specified", "refused", "token_refused", "@BotFather"),
    (404, "Not Found", "refused", "token_malformed", "Copy the token"),
    (400, "Bad Request: chat not found", "refused", "chat_not_found", "press Start"),
    (400, "Bad Request: PEER_ID_INVALID", "refused", "chat_not_found", "press Start"),
    (400, "[Error]: Bad Request: user not found", "refused", "chat_not_found", "press Start"),
    (
        400,
        "Bad Request: chat_id is empty",
        "refused",
        "chat_id_invalid",
        "TELEGRAM_CHAT_ID_DEFAULT",
    ),
    (
        400,
        "Bad Request: chat identifier must be specified",
        "refused",
        "chat_id_invalid",
        "TELEGRAM_CHAT_ID_DEFAULT",
    ),
    (
        400,
        "Bad Request: group chat was upgraded to a supergroup chat",
        "refused",
        "chat_migrated",
        "the chat's new id",
    ),
    (403, "Forbidden: bot was blocked by the user", "refused", "blocked_by_user", "unblock it"),
    (
        403,
        "Forbidden: bot can't initiate conversation with a user",
        "refused",
        "never_started",
        "t.me link",
    ),
    (403, "Forbidden: user is deactivated", "refused", "account_deleted", "another chat_id"),
    (403, "Forbidden: bot was kicked from the group chat", "refused", "bot_removed", "Add the bot"),
    (
        403,
        "Forbidden: bot was kicked from the supergroup chat",
        "refused",
        "bot_removed",
        "Add the bot",
    ),
    (403, "Forbidden: bot was kicked from the channel chat", "refused", "bot_removed", "Add the"),
    (
        403,
        "Forbidden: bot is not a member of the supergroup chat",
        "refused",
        "bot_not_member",
        "Add the bot",
    ),
    (
        403,
        "Forbidden: bot is not a member of the channel chat",
        "refused",
        "bot_not_member",
        "in a channel make it an admin",
    ),
    (403, "Forbidden: the group chat was deleted", "refused", "chat_deleted", "another chat_id"),
    (400, "Bad Request: group is deactivated", "refused", "chat_deleted", "another chat_id"),
    (403, "Forbidden: bot can't send messages to the bot", "refused", "chat_is_bot", "of a person"),
    (403, "Forbidden: bot can't send messages to bots", "refused", "chat_is_bot", "of a person"),
    (
        400,
        "Bad Request: not enough rights to send text messages to the chat",
        "refused",
        "not_allowed_to_post",
        "right to post messages",
    ),
    (
        400,
        "Bad Request: need administrator rights in the channel chat",
        "refused",
        "not_allowed_to_post",
        "right to post messages",
    ),
    (400, "Bad Request: message thread not found", "refused", "topic_gone", "Open the topic"),
    (400, "Bad Request: message is too long", "refused", "message_too_long", "4096 characters"),
    (400, "Bad Request: text is too long", "refused", "message_too_long", "4096 characters"),
    (400, "Bad Request: message text is empty", "refused", "no_text", "Write some text"),
    (400, "MESSAGE TEXT IS EMPTY", "refused", "no_text", "Write some text"),
    (
        400,
        "Bad Request: can't parse entities: Unsupported start tag at byte offset 5",
        "refused",
        "bad_markup",
        "Report it",
    ),
    (
        409,
        "Conflict: terminated by other getUpdates",
        "refused",
        "poller_conflict",
        "Stop the other",
    ),
    (429, "Too Many Requests: retry after 0", "not_sent", "too_fast", "Wait a little"),
    (500, "Internal Server Error: restart", "unknown", "failed", "Look in the chat"),
    (
        500,
        "Internal Server Error: sent message was immediately deleted and can't be returned",
        "unknown",
        "deleted_at_once",
        "a rule that deletes messages",
    ),
    (502, "Bad Gateway", "unknown", "failed", "Look in the chat"),
    (
        400,
        "Bad Request: chat_id must be an integer",
        "refused",
        "chat_id_invalid",
        "TELEGRAM_CHAT_ID_DEFAULT",
    ),
    (
        400,
        "Bad Request: invalid chat_id specified",
        "refused",
        "chat_id_invalid",
        "TELEGRAM_CHAT_ID_DEFAULT",
    ),
    (
        400,
        "Bad Request: group migrated to a supergroup",
        "refused",
        "chat_migrated",
        "the chat's new id",
    ),
    (
        400,
        "Bad Request: have no rights to send a message",
        "refused",
        "not_allowed_to_post",
        "right to post messages",
    ),
    (
        400,
        "Bad Request: have no write access to the chat",
        "refused",
        "not_allowed_to_post",
        "right to post messages",
    ),
    (
        400,
        "Bad Request: CHAT_RESTRICTED",
        "refused",
        "not_allowed_to_post",
        "right to post messages",
    ),
    (
        400,
        "Bad Request: CHAT_WRITE_FORBIDDEN",
        "refused",
        "not_allowed_to_post",
        "right to post messages",
    ),
    (
        400,
        "Bad Request: CHAT_ADMIN_REQUIRED",
        "refused",
        "not_allowed_to_post",
        "right to post messages",
    ),
    (400, "Bad Request: TOPIC_CLOSED", "refused", "topic_gone", "Open the topic"),
    (400, "Bad Request: TOPIC_DELETED", "refused", "topic_gone", "Open the topic"),
    (400, "Bad Request: text must be non-empty", "refused", "no_text", "Write some text"),
    (400, "Bad Request: entities too long", "refused", "bad_markup", "Report it"),
    (400, "Bad Request: something of tomorrow", "refused", "unrecognised", "levqor doctor"),
]


@pytest.mark.parametrize(("code", "description", "outcome", "reason", "fix"), ROWS)
def test_each_answer_is_explained(sandbox, code, description, outcome, reason, fix):
    body = {"ok": False, "error_code": code, "description": description}
    answer = Answer(code, json=body, headers=NOW)
    check_told(TELEGRAM, sandbox, HELLO, answer, (outcome, reason, fix))


@pytest.mark.parametrize(
    ("answer", "outcome", "reason", "fix"),
    [
        (Answer(502, "<html>Bad gateway</html>"), "unknown", "failed", "Look in the chat"),
        (Answer(200, "<html>Log in</html>"), "unknown", "unexpected_answer", "no proxy is"),
        (Answer(200, json=["ok"]), "unknown", "unexpected_answer", "no proxy is"),
        (Answer(302, ""), "unknown", "unexpected_answer", "no proxy is"),
        (Answer(401, ""), "refused", "token_refused", "@BotFather"),
        (Answer(403, "<html>"), "refused", "unrecognised", "levqor doctor"),
    ],
)
def test_an_answer_that_is_not_telegrams_json_goes_by_its_status(
    sandbox, answer, outcome, reason, fix
):
    check_told(TELEGRAM, sandbox, HELLO, answer, (outcome, reason, fix))


def test_every_real_error_body_about_sending_is_recognised(sandbox, specs):
    # Bodies of other calls (edit, delete, upload, poll) and of features that are not used.
    other = ("button", "file", "member-not-found", "message-to", "cant-be", "not-modified",
             "photos", "reply-message", "wrong-parameter", "too-many")  # fmt: skip
    for file in sorted((specs / "telegram-errors").iterdir()):
        if any(part in file.name for part in other):
            continue
        body = json.loads(file.read_text())
        sandbox.telegram.next(Answer(body["error_code"], json=body), on="sendMessage")
        if "migrated" in file.name:
            sandbox.telegram.next(Answer(body["error_code"], json=body), on="sendMessage")

        error = refusal(TELEGRAM, sandbox, HELLO)

        assert (error.outcome, error.reason != "unrecognised") == ("refused", True), file.name
