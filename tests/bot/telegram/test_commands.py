"""Commands typed into Telegram, and what comes back."""

import re
import time

import pytest

from core.sandbox.telegram import GROUP
from tests.support.sandbox import Answer, Delay
from tests.support.telegram import ended, settle, slack_texts
from tests.support.waiting import wait_for


def test_a_command_is_sent_and_its_one_message_ends_as_the_receipt(sandbox, ada):
    sandbox.slack.always(Delay(0.2))
    said = ada.says("/slack_send The build is green.")
    (message,) = ada.waits(until=ended)
    run = re.fullmatch(r"Slack: sent · run (\w{10})", message.text)[1]
    assert message.before == [f"Slack: sending, run {run}"]
    assert message.reply_to == said.message_id
    assert slack_texts(sandbox) == ["The build is green."]


def test_line_breaks_emoji_and_equals_signs_arrive_as_typed(sandbox, ada):
    ada.says("/slack_send 🚀 one  two\n\na = b 👍🏽")
    ada.waits(until=ended)
    assert slack_texts(sandbox) == ["🚀 one  two\n\na = b 👍🏽"]


def test_a_press_telegram_has_forgotten_still_sends(sandbox, ada):
    for count, typed in enumerate(["/slack_send", "hi", "/skip"], start=1):
        ada.says(typed)
        preview = ada.waits(count)[-1]
    press = {
        "id": "too old", "from": {"id": 42, "is_bot": False, "first_name": "Ada"},
        "message": preview.json, "chat_instance": "42", "data": preview.buttons["Send"],
    }  # fmt: skip
    sandbox.telegram.inject({"callback_query": press})
    ada.waits(until=ended)
    assert slack_texts(sandbox) == ["hi"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("/health Live", "Slack: working"),
        ("/slack_sned hi", "Did you mean /slack_send?"),
        ("/slack-send hi", "Did you mean /slack_send?"),
        ("/email_send too=a@b.example subject=x hello", "did you mean to?"),
        ("/why nosuchrun1", "There is no run of yours with that ID."),
        ("/health now", "takes nothing, or the word live"),
        ("/skip", "There is no form open."),
        ("/cancel", "There is no form open."),
        ("/start", "Levqor knows you as telegram:42."),
        ("/start abcd2345", "Levqor knows you as telegram:42."),
        ("hello", "Levqor reads commands: see /help."),
    ],
)
def test_what_makes_no_sense_gets_a_hint_and_nothing_is_sent(sandbox, ada, typed, told):
    ada.says(typed)
    (answer,) = ada.waits()
    assert told in answer.text
    assert slack_texts(sandbox) == []


def test_questions_are_answered(sandbox, ada):
    ada.says("/slack_send hi")
    (sent,) = ada.waits(until=ended)
    run = sent.text[-10:]
    for question, told in [
        ("/help", "/slack_send [channel=…] text"),
        ("/help email_send", "/email_send to=… subject=… text"),
        ("/why " + run, f"Run {run}: Send a Slack message (slack.send)"),
        ("/usage", "You are telegram:42, on the pro plan."),
        ("/health", "Interface Telegram: takes messages as @levqor_sandbox_bot"),
    ]:
        before = len(ada.conversation)
        ada.says(question)
        assert told in ada.waits(before + 1)[-1].text


def test_a_used_up_plan_is_said_with_what_to_do(sandbox, bot, ada):
    bot.engine.ledger.set_plan("telegram:42", "free")
    ada.says("/slack_send one")
    ada.waits(1, until=ended)
    ada.says("/slack_send two")
    heard = ada.waits(2)
    assert "levqor plan set telegram:42 pro" in heard[-1].text
    assert slack_texts(sandbox) == ["one"]


def test_the_same_again_is_asked_about_and_sent_once_more_on_yes(sandbox, ada):
    ada.says("/slack_send hi")
    ada.waits(1, until=ended)
    ada.says("/slack_send hi")
    question = ada.waits(2)[-1]
    assert "Send it again?" in question.text
    assert list(question.buttons) == ["Send again", "Cancel"]
    assert all(len(data.encode()) <= 64 for data in question.buttons.values())
    assert slack_texts(sandbox) == ["hi"]
    ada.presses(question, "Send again")
    answer = ada.waits(2, until=ended)[-1]
    assert answer.message_id == question.message_id
    assert answer.text.startswith("Slack: sent · run ")
    assert answer.buttons == {}
    assert slack_texts(sandbox) == ["hi", "hi"]


def test_the_same_again_may_be_left(sandbox, ada):
    ada.says("/slack_send hi")
    ada.waits(1, until=ended)
    ada.says("/slack_send hi")
    ada.presses(ada.waits(2)[-1], "Cancel")
    assert ada.waits(2, until=lambda said: not said.buttons)[-1].text == "Not sent again."
    assert slack_texts(sandbox) == ["hi"]


def test_what_was_not_sent_has_a_button_that_sends_it_again(sandbox, ada):
    sandbox.slack.next(*[Answer(429, headers={"Retry-After": "0"})] * 3, on="webhook")
    ada.says("/slack_send hi")
    (told,) = ada.waits(until=lambda said: said.buttons)
    assert told.text.startswith("Not sent. ")
    assert list(told.buttons) == ["Send again"]
    assert len(told.buttons["Send again"].encode()) <= 64
    ada.presses(told, "Send again")
    (answer,) = ada.waits(until=lambda said: said.text.startswith("Slack: sent"))
    assert (answer.message_id, answer.buttons) == (told.message_id, {})
    assert slack_texts(sandbox)[-1] == "hi"


def test_a_button_sends_once_however_often_it_is_pressed(sandbox, ada):
    sandbox.slack.always(Delay(0.3))
    ada.says("/slack_send hi")
    ada.waits(1, until=ended)
    ada.says("/slack_send hi")
    question = ada.waits(2)[-1]
    data = question.buttons["Send again"]
    press = {
        "id": "77", "from": {"id": 42, "is_bot": False, "first_name": "Ada"},
        "message": question.json, "chat_instance": "42", "data": data,
    }  # fmt: skip
    for number in ("77", "78", "79"):
        sandbox.telegram.messages.queries[number] = None
        sandbox.telegram.inject({"callback_query": {**press, "id": number}})
    ada.waits(2, until=ended)
    sandbox.telegram.messages.queries["80"] = None
    sandbox.telegram.inject({"callback_query": {**press, "id": "80"}})
    settle(sandbox, ada)
    assert slack_texts(sandbox) == ["hi", "hi"]
    assert question.text.startswith("Slack: sent")
    wait_for(lambda: None not in sandbox.telegram.messages.queries.values())


def test_somebody_elses_button_does_nothing_but_say_so(sandbox, bot, ada):
    bot.pair(43)
    group, other = sandbox.telegram.user(42, chat=GROUP), sandbox.telegram.user(43, chat=GROUP)
    group.says("/slack_send hi")
    group.waits(1, until=ended)
    group.says("/slack_send hi")
    question = group.waits(2)[-1]
    query = other.presses(question, "Send again")
    wait_for(lambda: sandbox.telegram.messages.queries[query] is not None)
    assert sandbox.telegram.messages.queries[query] == "This button is for whoever asked."
    assert question.buttons
    assert slack_texts(sandbox) == ["hi"]


def test_the_same_update_twice_is_one_run_and_one_answer(sandbox, ada):
    ada.says("/slack_send hi")
    (first,) = ada.waits(until=ended)
    update = {"update_id": 1000, "message": sandbox.telegram.messages.history[0].json}
    sandbox.telegram.inject(update)
    (again,) = settle(sandbox, ada)
    assert again.text.startswith("You are")
    assert slack_texts(sandbox) == ["hi"]
    assert first.before == first.before[:1]


def test_what_waited_while_the_bot_was_off_is_asked_about(sandbox, ada):
    said = ada.says("/whoami").json
    ada.waits(1)
    old = {**said, "message_id": 700, "date": int(time.time()) - 7200, "text": "/slack_send old"}
    old["entities"] = [{"type": "bot_command", "offset": 0, "length": 11}]
    sandbox.telegram.inject({"message": old})
    question = ada.waits(2)[-1]
    assert question.text == ("You asked for this 2 hours ago, while Levqor was off. Send it now?")
    assert slack_texts(sandbox) == []
    ada.presses(question, "Send now")
    ada.waits(2, until=ended)
    assert slack_texts(sandbox) == ["old"]


def test_a_command_telegram_may_have_cut_in_two_is_asked_about(sandbox, ada):
    command = "/email_send to=delivered@resend.dev subject=x "
    ada.says(command + "y" * (4096 - len(command)))
    (question,) = ada.waits()
    assert "If it was cut in two, the rest is not in it." in question.text
    assert sandbox.resend.writes == []
    ada.presses(question, "Send")
    ada.waits(until=ended)
    assert len(sandbox.resend.writes) == 1


def test_every_action_of_the_list_is_a_command(bot, sandbox, ada):
    for action_id, _, action in bot.bot.commands.actions():
        before = len(ada.conversation)
        ada.says("/help " + action_id)
        told = ada.waits(before + 1)[-1].text
        assert told.startswith(f"{action.title}\n  /{action_id.replace('.', '_')} ")
