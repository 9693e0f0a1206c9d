"""What is meant for the bot, and what it leaves alone: other bots, edits, forwards, groups."""

import pytest

from core.sandbox.telegram import GROUP
from tests.support.telegram import ended, settle, slack_texts


@pytest.mark.parametrize("typed", ["/Slack_Send hi", "/slack_send@Levqor_Sandbox_Bot hi"])
def test_a_commands_case_and_this_bots_name_do_not_matter(sandbox, ada, typed):
    ada.says(typed)
    ada.waits(until=ended)
    assert slack_texts(sandbox) == ["hi"]


def test_what_is_not_meant_for_this_bot_does_nothing(sandbox, bot, ada):
    group = sandbox.telegram.user(42, chat=GROUP)
    ada.says("/slack_send@another_bot hi")
    group.says("/slack_send@another_bot hi")
    group.says("/unknown_command hi")
    group.says("hello everybody")
    ada.sends_photo("/slack_send hi")
    sandbox.telegram.posts("/slack_send hi")
    (answer,) = settle(sandbox, ada)
    assert answer.text.startswith("You are telegram:42")
    assert group.conversation == []
    assert slack_texts(sandbox) == []


def test_an_edited_command_never_runs_again(sandbox, bot, ada):
    said = ada.says("/slack_send one")
    ada.waits(until=ended)
    ada.edits(said, "/slack_send two")
    # Edits that were queued before the bot told Telegram what it wants still arrive.
    edited = {**said.json, "text": "/slack_send three"}
    sandbox.telegram.updates.pending.append({"update_id": 5000, "edited_message": edited})
    sandbox.telegram.updates.pending.append({"update_id": 5001, "message": edited})
    sandbox.telegram.updates._next_id = 5002
    settle(sandbox, ada)
    assert len(bot.engine.ledger.runs()) == 1
    assert slack_texts(sandbox) == ["one"]


BOB = {"id": 77, "is_bot": False, "first_name": "Bob"}
HIDDEN = {"type": "hidden_user", "date": 1, "sender_user_name": "Somebody"}


@pytest.mark.parametrize(
    "mark",
    [
        {"forward_origin": HIDDEN},
        # As servers before Bot API 7.0 mark it.
        {"forward_date": 1, "forward_from": BOB},
        {"forward_date": 1},
        {"forward_from": BOB},
        {"forward_sender_name": "Somebody"},
        {"forward_from_chat": {"id": -100, "type": "channel"}, "forward_from_message_id": 5},
        {"forward_signature": "Ann"},
        {"is_automatic_forward": True},
    ],
    ids="+".join,
)
def test_a_forwarded_command_is_not_run(sandbox, bot, ada, mark):
    said = ada.says("/slack_send one")
    ada.waits(until=ended)
    forwarded = {**said.json, "message_id": 800, **mark}
    sandbox.telegram.inject({"message": {**forwarded, "text": "/slack_send two"}})
    told = ada.waits(2)[-1].text
    assert told.startswith("Levqor runs no commands that were forwarded")
    assert slack_texts(sandbox) == ["one"]


def test_a_command_that_another_bot_wrote_is_not_run(sandbox, bot, ada):
    said = ada.says("/whoami").json
    ada.waits()
    other = {"id": 99, "is_bot": True, "first_name": "Other", "username": "other_bot"}
    mark = [{"type": "bot_command", "offset": 0, "length": 11}]
    through = {**said, "message_id": 800, "via_bot": other, "entities": mark}
    sandbox.telegram.inject({"message": {**through, "text": "/slack_send two"}})
    assert ada.waits(2)[-1].text.startswith("Levqor runs no commands that were forwarded")
    assert bot.engine.ledger.runs() == []


def test_telegram_is_asked_for_messages_and_buttons_alone(sandbox, ada):
    asked = [one.form for one in sandbox.telegram.calls("getUpdates")]
    assert {one["allowed_updates"] for one in asked} == {'["message", "callback_query"]'}


def test_in_a_group_the_answer_comes_where_it_was_asked(sandbox, ada):
    group = sandbox.telegram.user(42, chat=GROUP)
    group.says("/whoami")
    (answer,) = group.waits()
    assert answer.text.startswith("You are telegram:42")
    assert answer.text.endswith(f"\nThis chat's id is {GROUP}.")
    assert ada.conversation == []


def test_a_paired_person_who_adds_the_bot_to_a_group_is_greeted_there(sandbox, ada):
    group = sandbox.telegram.user(42, chat=GROUP)
    group.says("/start@levqor_sandbox_bot hello")
    assert group.waits()[0].text.startswith("Levqor knows you as telegram:42.")


def test_bots_and_anonymous_administrators_are_not_heard(sandbox, bot, ada):
    said = ada.says("/whoami").json
    ada.waits(1)
    robot = {**said["from"], "is_bot": True}
    sandbox.telegram.inject({"message": {**said, "message_id": 900, "from": robot}})
    nobody = {key: value for key, value in said.items() if key != "from"}
    sandbox.telegram.inject({"message": {**nobody, "message_id": 901}})
    channel = {"id": -1009, "type": "channel", "title": "News"}
    sandbox.telegram.inject({"message": {**said, "message_id": 902, "sender_chat": channel}})
    assert len(settle(sandbox, ada)) == 1
