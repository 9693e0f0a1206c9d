"""What a bot may do in Telegram's chats, and the people in them."""

import pytest
from telegram import Update

from core.sandbox.telegram import CHANNEL, GROUP
from tests.support.sandbox.telegram_messages import FORUM

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are "
    "exactly the same as a current content and reply markup of the message"
)


def test_a_persons_message_marks_commands_in_utf16_units(sandbox, bot_api):
    sandbox.telegram.user(42).says("🚀 /help@levqor_sandbox_bot a@b.io")
    (update,) = bot_api("getUpdates")["result"]
    assert update["message"]["entities"] == [
        {"type": "bot_command", "offset": 3, "length": 24},
        {"type": "email", "offset": 28, "length": 6},
    ]


def test_every_kind_of_update_is_readable_by_the_library(sandbox, bot_api):
    ada = sandbox.telegram.user(42)
    said = ada.says("/help")
    ada.edits(said, "/health")
    asked = {"text": "Send?", "reply_markup": keyboard(("Yes", "y"))}
    bot_api("sendMessage", chat_id=42, **asked)
    ada.presses(ada.conversation[-1], "Yes")
    ada.sends_photo("/help")
    sandbox.telegram.posts("/help")
    sandbox.telegram.user(42, chat=GROUP).says("/help")
    updates = [Update.de_json(one) for one in bot_api("getUpdates")["result"]]
    assert updates[0].message.text == "/help"
    assert updates[1].edited_message.text == "/health"
    assert updates[2].callback_query.data == "y"
    assert updates[3].message.caption_entities[0].type == "bot_command"
    assert updates[4].channel_post.chat.id == CHANNEL
    assert updates[5].message.chat.type == "supergroup"


def keyboard(*buttons):
    row = [{"text": label, "callback_data": data} for label, data in buttons]
    return {"inline_keyboard": [row]}


def test_a_conversation_shows_messages_as_they_stand_now(sandbox, bot_api):
    ada = sandbox.telegram.user(42)
    ada.says("/help")
    sent = bot_api("sendMessage", chat_id=42, text="Sending …")["result"]["message_id"]
    bot_api("editMessageText", chat_id=42, message_id=sent, text="Sent.")
    (message,) = ada.waits(until=lambda said: said.text == "Sent.")
    assert message.before == ["Sending …"]


def test_a_pressed_button_is_answered_once(sandbox, bot_api):
    ada = sandbox.telegram.user(42)
    ada.says("/help")
    bot_api("sendMessage", chat_id=42, text="Send?", reply_markup=keyboard(("Yes", "y")))
    query = ada.presses(ada.conversation[0], "y")
    assert bot_api("answerCallbackQuery", callback_query_id=query, text="Done")["result"] is True
    assert sandbox.telegram.messages.queries[query] == "Done"
    again = bot_api("answerCallbackQuery", callback_query_id=query)
    assert again["description"] == (
        "Bad Request: query is too old and response timeout expired or query ID is invalid"
    )


def test_a_button_that_is_not_there_cannot_be_pressed(sandbox, bot_api):
    ada = sandbox.telegram.user(42)
    ada.says("/help")
    bot_api("sendMessage", chat_id=42, text="Send?", reply_markup=keyboard(("Yes", "y")))
    with pytest.raises(ValueError, match="no such button; there are Yes"):
        ada.presses(ada.conversation[0], "No")


def test_an_answer_to_a_question_carries_the_question(sandbox, bot_api):
    ada = sandbox.telegram.user(42)
    ada.says("/slack_send")
    bot_api("sendMessage", chat_id=42, text="Text?", reply_markup={"force_reply": True})
    question = ada.conversation[0]
    assert question.asks
    ada.says("hello", reply_to=question)
    answer = bot_api("getUpdates")["result"][-1]["message"]
    assert answer["reply_to_message"]["text"] == "Text?"


@pytest.mark.parametrize(
    ("method", "body", "description"),
    [
        ("editMessageText", {"message_id": 9, "text": "x"}, "message to edit not found"),
        ("editMessageText", {"message_id": 1, "text": "x"}, "message can't be edited"),
        (
            "editMessageText",
            {"message_id": 2, "text": "Hi"},
            NOT_MODIFIED,
        ),
        (
            "sendMessage",
            {"text": "x", "reply_parameters": {"message_id": 99}},
            "message to be replied not found",
        ),
        (
            "sendMessage",
            {"text": "x", "reply_markup": keyboard(("Yes", "y" * 65))},
            "BUTTON_DATA_INVALID",
        ),
        (
            "sendMessage",
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "Yes"}]]}},
            "text buttons are unallowed in the inline keyboard",
        ),
    ],
)
def test_telegram_refuses_what_a_bot_may_not_do(sandbox, bot_api, method, body, description):
    sandbox.telegram.user(42).says("hello")
    bot_api("sendMessage", chat_id=42, text="Hi")
    assert bot_api(method, chat_id=42, **body)["description"] == f"Bad Request: {description}"


def test_a_person_who_blocked_the_bot_gets_nothing(sandbox, bot_api):
    ada = sandbox.telegram.user(42)
    ada.says("hello")
    ada.blocks()
    answer = bot_api("sendMessage", chat_id=42, text="x")
    assert answer["description"] == "Forbidden: bot was blocked by the user"
    assert ada.conversation == []


# Menus


def test_each_scope_has_a_menu_of_its_own(sandbox, bot_api):
    commands = [{"command": "help", "description": "What I can do"}]
    scope = {"type": "chat", "chat_id": GROUP}
    assert bot_api("setMyCommands", commands=commands, scope=scope)["result"] is True
    assert bot_api("getMyCommands", scope=scope)["result"] == commands
    assert bot_api("getMyCommands")["result"] == []
    assert sandbox.telegram.menu(scope) == ["help"]
    bot_api("deleteMyCommands", scope=scope)
    assert bot_api("getMyCommands", scope=scope)["result"] == []


@pytest.mark.parametrize(
    ("asked", "description"),
    [
        ({"commands": [{"command": "slack-send", "description": "x"}]}, "BOT_COMMAND_INVALID"),
        (
            {"commands": [{"command": "a", "description": ""}]},
            "BOT_COMMAND_DESCRIPTION_INVALID",
        ),
        (
            {"commands": [{"command": "a", "description": "x"}] * 101},
            "BOT_COMMANDS_TOO_MUCH",
        ),
        ({"commands": [], "scope": {"type": "chat", "chat_id": 5}}, "chat not found"),
    ],
)
def test_a_menu_telegram_could_not_show_is_refused(bot_api, asked, description):
    assert bot_api("setMyCommands", **asked)["description"] == f"Bad Request: {description}"


def test_a_topic_takes_messages_once_somebody_wrote_in_it_and_no_other_chat_does(sandbox, bot_api):
    asked = sandbox.telegram.user(42, chat=FORUM, thread=7).says("/help")
    (update,) = bot_api("getUpdates")["result"]
    message = Update.de_json(update).message
    assert (message.message_thread_id, message.is_topic_message) == (7, True)
    there = bot_api("sendMessage", chat_id=FORUM, text="x", message_thread_id=7)["result"]
    assert there["message_thread_id"] == 7
    replied = {"message_id": asked.message_id}
    there = bot_api("sendMessage", chat_id=FORUM, text="x", reply_parameters=replied)["result"]
    assert there["message_thread_id"] == 7
    assert "message_thread_id" not in bot_api("sendMessage", chat_id=FORUM, text="x")["result"]
    for chat, thread in ((FORUM, 8), (GROUP, 7)):
        refused = bot_api("sendMessage", chat_id=chat, text="x", message_thread_id=thread)
        assert refused["description"] == "Bad Request: message thread not found"


def test_a_group_that_became_a_supergroup_says_where_it_is(sandbox, bot_api):
    sandbox.telegram.messages.moved[-555] = GROUP
    refused = bot_api("sendMessage", chat_id=-555, text="x")
    assert (refused["error_code"], refused["parameters"]) == (400, {"migrate_to_chat_id": GROUP})


def test_a_supergroup_counts_its_messages_on_its_own(sandbox, bot_api):
    numbers = [
        bot_api("sendMessage", chat_id=chat, text="x")["result"]["message_id"]
        for chat in (GROUP, 1, GROUP, 1, CHANNEL)
    ]
    assert numbers == [1, 1, 2, 2, 1]
