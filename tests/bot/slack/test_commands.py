"""Slash commands, driven through the real libraries over real sockets and signed HTTP."""

import pytest

from core.connectors import CONNECTORS
from core.sandbox.slack import GENERAL
from tests.support.sandbox import Answer, Delay, Hang
from tests.support.sandbox.slack_identity import PERSON
from tests.support.slack import ME, at_work, sent
from tests.support.waiting import wait_for

TURNED_AWAY = Answer(429, headers={"Retry-After": "0"})


def test_a_command_is_acknowledged_with_its_run_and_answered_once(slack, sandbox):
    done = slack.send("The build is green.")
    run = done.ack["text"].rpartition(" ")[2]
    assert done.ack == {"response_type": "ephemeral", "text": f"Slack: sending, run {run}"}
    (reply,) = done.waits(1)
    assert reply["text"] == f"Slack: sent · run {run}"
    assert reply["response_type"] == "ephemeral"
    assert sent(sandbox) == ["The build is green."]
    wait_for(lambda: slack.engine.ledger.run(run).reply_to is None)


def test_the_word_payload_loses_no_command(slack, sandbox):
    assert "sending" in slack.send("The payload= has landed & payload too").ack["text"]
    wait_for(lambda: sent(sandbox))
    assert sent(sandbox) == ["The payload= has landed &amp; payload too"]


def test_what_slack_does_to_a_text_is_undone(slack, sandbox):
    typed = (
        f"channel=<#{GENERAL}|general> See <https://a.example/?a=1&amp;b=2> and\n"
        "<mailto:ann@example.com|ann@example.com>, don\N{RIGHT SINGLE QUOTATION MARK}t &lt;3"
    )
    slack.send(typed).waits(1)
    (posted,) = sandbox.slack.calls("chat.postMessage")
    assert posted.json["channel"] == GENERAL
    assert posted.json["text"] == (
        "See https://a.example/?a=1&amp;b=2 and\n"
        "ann@example.com, don\N{RIGHT SINGLE QUOTATION MARK}t &lt;3"
    )


def test_a_broken_contract_is_said_in_the_acknowledgement(slack, sandbox):
    done = slack.people.command("/levqor-email-send", "too=a@b.example subject=x hello")
    assert "did you mean to?" in done.ack["text"]
    assert sandbox.resend.received == []


def test_an_upstreams_refusal_is_told_with_what_to_do(slack, sandbox):
    sandbox.slack.next(Answer(404, "no_service"), on="webhook")
    (reply,) = slack.send("hello").waits(1)
    assert reply["text"].startswith("Refused.")
    assert "What to do:" in reply["text"]


@pytest.mark.parametrize("text", ["<!channel> &amp; <b>", "a`b *c*"])
def test_what_is_told_can_mention_nobody(socket, text):
    said = socket.ask(f"help {text}")
    assert "<" not in said


def test_a_redelivered_command_answers_with_the_first_run(slack, sandbox):
    first = slack.send("hello")
    first.waits(1)
    again = slack.people.replay(first)
    run = first.ack["text"].rpartition(" ")[2]
    assert again.ack["text"] == f"Slack: sent · run {run}"
    assert len(sent(sandbox)) == 1


def test_a_command_redelivered_while_its_run_is_out_names_that_run(slack, sandbox):
    sandbox.slack.next(Delay(0.5), on="webhook")
    first = slack.send("hello")
    assert slack.people.replay(first).ack == first.ack
    assert len(first.waits(1)) == 1
    wait_for(lambda: slack.engine.ledger.runs(1)[0].reply_to is None)
    assert (len(first.replies), len(sent(sandbox))) == (1, 1)


def test_the_same_within_a_minute_is_asked_about_and_sent_with_a_yes(slack, sandbox):
    slack.unlimited()
    slack.send("hello").waits(1)
    asked = slack.send("hello")
    assert "Send it again?" in asked.ack["text"]
    assert len(sent(sandbox)) == 1
    pressed = slack.people.click(asked.ack, "Send again")
    told = {reply["text"].partition(" run ")[0]: reply for reply in pressed.waits(2)}
    assert sorted(told) == ["Slack: sending,", "Slack: sent ·"]
    # The question goes, and what was told does not overwrite itself, whichever comes first.
    assert told["Slack: sending,"]["replace_original"] is True
    assert told["Slack: sent ·"]["replace_original"] is False
    assert len(sent(sandbox)) == 2


def test_what_was_not_sent_has_a_button_that_sends_it_again(slack, sandbox):
    sandbox.slack.next(*[TURNED_AWAY] * 3, on="webhook")
    (told,) = slack.send("hello").waits(1)
    assert told["text"].startswith("Not sent. ")
    pressed = slack.people.click(told, "Send again")
    replies = {reply["text"].partition(" run ")[0]: reply for reply in pressed.waits(2)}
    assert sorted(replies) == ["Slack: sending,", "Slack: sent ·"]
    assert replies["Slack: sending,"]["replace_original"] is True
    late = slack.people.click(told, "Send again")
    assert late.waits(1)[0]["text"].startswith("Slack: sent ·")
    assert sent(sandbox)[3:] == ["hello"]


def test_what_was_not_sent_is_offered_again_in_a_direct_message_too(socket, sandbox):
    socket.people.event("app_home_opened", tab="home")
    wait_for(lambda: PERSON in socket.people.views.homes)
    socket.people.click(socket.people.views.homes[PERSON], "open:slack.send")
    wait_for(lambda: socket.people.views.last)
    sandbox.slack.next(*[TURNED_AWAY] * 3, on="webhook")
    socket.people.submit_view({"text": "hello"})
    wait_for(lambda: sandbox.slack.calls("chat.postMessage"))
    told = sandbox.slack.calls("chat.postMessage")[-1].json
    assert told["text"].startswith("Not sent. ")
    pressed = socket.people.click(told, "Send again")
    assert "Slack: sending" in pressed.waits(1)[0]["text"]
    wait_for(lambda: sent(sandbox)[3:] == ["hello"])


def test_a_yes_counts_once_and_only_from_who_was_asked(slack, sandbox):
    slack.unlimited()
    slack.send("hello").waits(1)
    asked = slack.send("hello")
    other = slack.people.click(asked.ack, "Send again", user="U0000000AB")
    assert "Nothing more was sent" in other.waits(1)[0]["text"]
    first = slack.people.click(asked.ack, "Send again")
    first.waits(2)
    run = slack.engine.ledger.runs(1)[0].run
    slack.people.replay(first)
    assert first.waits(3)[2]["text"] == f"Slack: sent · run {run}"
    second = slack.people.click(asked.ack, "Send again")
    assert second.waits(1)[0]["text"] == f"Slack: sent · run {run}"
    assert len(sent(sandbox)) == 2


def test_a_spent_quota_is_said_at_once(slack):
    slack.send("one").waits(1)
    said = slack.send("two").ack["text"]
    assert "Free plan: 1 slack call/day." in said
    assert f"levqor plan set {ME} pro" in said


def test_a_full_queue_is_said_as_busy(socket, sandbox):
    sandbox.notion.always(Hang(2.0))
    socket.unlimited()
    for number in range(16 + 256):
        assert socket.people.command("/levqor-notion-create", f"Name={number}").acked
    (reply,) = socket.people.command("/levqor-notion-create", "Name=last").waits(1)
    assert "Too much is waiting for Notion; it was not sent." in reply["text"]
    (mail,) = socket.people.command(
        "/levqor-email-send", "to=delivered@resend.dev subject=now At once."
    ).waits(1)
    assert "E-mail: sent" in mail["text"]


# Questions


def test_help_lists_every_action_as_slack_spells_it(socket):
    said = socket.ask("help")
    for action_id, _, action in socket.bot.commands.actions():
        assert f"/levqor-{action_id.replace('.', '-')}" in said
        assert action.title in said


@pytest.mark.parametrize("text", ["", "help", "  help  ", "HELP"])
def test_nothing_asked_is_help(socket, text):
    assert "/levqor health [live]" in socket.ask(text)


def test_whoami_usage_and_why_are_answered(socket):
    run = socket.send("hello").waits(1)[0]["text"].rpartition(" ")[2]
    assert socket.ask("whoami").startswith(f"You are {ME}, on the free plan.\nYou are a sender")
    assert "slack.send: 1 of 1 used" in socket.ask("usage")
    assert f"Run {run}: Send a Slack message (slack.send)" in socket.ask(f"why {run}")
    assert f"Run {run}: " in socket.ask(f"Why\n{run}")
    assert "no run of yours" in socket.ask(f"why {run}", user="U0000000AB")


def test_a_misspelt_question_gets_the_nearest(socket):
    assert "Did you mean /levqor health?" in socket.ask("helth")
    assert "Did you mean /levqor-slack-send?" in socket.ask("slack-send")
    assert socket.ask("frobnicate") == ("There is no such command.\nWhat to do: See /levqor help.")


def test_a_question_that_takes_long_is_answered_later(socket, sandbox):
    sandbox.resend.always(Delay(2.0))
    asked = socket.people.command("/levqor", "health live")
    assert asked.ack["text"] == "Looking. The answer follows."
    assert f"All {len(CONNECTORS)} services work." in asked.waits(1)[0]["text"]


def test_a_command_slack_still_has_is_answered_and_told_in_health(socket):
    done = socket.people.command("/levqor-slack-post", "hello")
    assert "There is no such command." in done.ack["text"]
    assert "Did you mean /levqor-slack-send?" in done.ack["text"]
    ok, verdict, fix = socket.health
    assert (ok, verdict) == (
        True, "connected (Socket Mode); your Slack app still has /levqor-slack-post, which is gone",
    )  # fmt: skip
    assert "slack-manifest" in fix
    socket.people.command("/levqor-slack-tell", "hello")
    assert socket.health[1] == (
        "connected (Socket Mode); your Slack app still has /levqor-slack-post, /levqor-slack-tell, "
        "which are gone"
    )


# Telling


def test_an_answer_whose_url_has_ended_comes_as_a_direct_message(socket, sandbox):
    sandbox.slack.next(Delay(0.5), on="webhook")
    done = socket.send("hello")
    socket.people.expire(done.response_url)
    wait_for(lambda: sandbox.slack.messages)
    (message,) = sandbox.slack.messages
    assert message["channel"] == f"D{PERSON[1:]}"
    assert "Slack: sent" in message["text"]


def test_an_answer_slack_did_not_take_is_told_again(socket, sandbox):
    sandbox.slack.next(Answer(500, "oops"), on="response_url")
    assert "Slack: sent" in socket.send("hello").waits(1)[0]["text"]


def test_who_was_left_without_an_answer_is_told_at_the_next_start(home, sandbox):
    sandbox.slack.always(Hang(30), on="response_url")
    sandbox.slack.always(Hang(30), on="chat.postMessage")
    with at_work(home, sandbox) as slack:
        done = slack.send("hello")
        wait_for(lambda: slack.engine.ledger.runs(1)[0].state == "sent")
    sandbox.slack.always(None, on="response_url")
    with at_work(home, sandbox):
        assert "Slack: sent" in done.waits(1)[-1]["text"]
    assert len(sent(sandbox)) == 1
