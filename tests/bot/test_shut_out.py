"""Somebody who is shut out: at once, whatever was open, and not back as a stranger."""

import pytest

from core.callers import Caller
from core.sandbox.telegram import GROUP
from tests.support.slack import ME, at_work
from tests.support.telegram import Asked, living, settings_for
from tests.support.waiting import wait_for

ADA = "telegram:42"
SHORT = f"You may not use Levqor. Your ID is {ADA}."


def shut_out(engine, caller):
    engine.ledger.person_set(caller, by="cli:root", role="none")


@pytest.fixture
def ask(ada):
    return Asked(ada)


def over(person):
    """The last answer, once it is no run on its way."""
    wait_for(lambda: "sending" not in person.conversation[-1].text)
    return person.conversation[-1]


def test_whatever_is_written_gets_one_short_answer_with_the_id_and_nothing_is_sent(
    bot, ask, sandbox
):
    shut_out(bot.engine, ADA)
    words = ("/slack_send hello", "/slack_send", "/slack_send nosuch=1", "/help", "/health",
             "/nonsense", "/start", "/cancel", "/link abcd2345", "hello")  # fmt: skip
    for text in words:
        assert ask(text).text.startswith(SHORT), text
        assert "slack_send" not in ask.person.conversation[-1].text
    assert ask("/whoami").text.startswith(f"You are {ADA}")
    assert sandbox.slack.writes == []


def test_a_form_and_a_question_that_were_open_send_nothing(bot, ada, ask, sandbox):
    ask("/slack_send hello")
    over(ada)
    again = ask("/slack_send hello")
    assert again.buttons
    form = ask("/slack_send")
    shut_out(bot.engine, ADA)
    assert ask("general", reply=form).text.startswith(SHORT)
    ada.presses(again, "Send again")
    wait_for(lambda: any(each.text.startswith(SHORT) and each.message_id == again.message_id
                         for each in ada.conversation))  # fmt: skip
    assert len(sandbox.slack.writes) == 1


def test_a_form_ends_where_the_role_became_too_narrow(bot, ask, sandbox):
    form = ask("/slack_send")
    bot.engine.ledger.person_set(ADA, by="cli:root", role="viewer")
    assert "may not send: the role is viewer" in ask("general", reply=form).text
    assert "no form open" in ask("general", reply=form).text
    assert ask("/health").text
    assert sandbox.slack.writes == []


def test_neither_pairing_again_nor_pruning_nor_another_bot_forgives(bot, ask, sandbox, home):
    shut_out(bot.engine, ADA)
    bot.engine.ledger.unpair(ADA)
    bot.engine.ledger.prune(1)
    bot.pair(42)
    assert ask("/slack_send hello").text.startswith(SHORT)
    bot.engine.ledger.person_add("ada", [ADA], by="cli:root")
    bot.engine.ledger.person_remove("ada", by="cli:root")
    assert ask("/slack_send hello").text.startswith(SHORT)
    with living(settings_for(home, sandbox), ready=False) as other:
        assert other.engine.authorization.access(Caller.parse(ADA)).role == "none"
    assert sandbox.slack.writes == []


def test_a_code_is_neither_made_nor_given_where_others_read(bot, ask, sandbox):
    bot.pair(43)
    code = bot.engine.ledger.link_code("telegram:43", lambda _: None)
    group = Asked(sandbox.telegram.user(42, chat=GROUP))
    for words in ("/link", f"/link {code}"):
        assert "in a private chat" in group(words).text
    assert bot.engine.ledger.link_waiting("telegram:43") == []
    assert "Your code is" in ask("/link").text


def test_in_slack_what_was_open_is_refused_and_a_link_is_answered_to_one_alone(home, sandbox):
    with at_work(home, sandbox) as slack:
        slack.unlimited()
        code = slack.ask("link").partition("Your code is ")[2][:8]
        said = slack.people.command("/levqor", f"link {code}", user="UOTHER").ack
        assert said["response_type"] == "ephemeral"
        assert "/levqor link slack:" in said["text"]
        views = slack.people.views
        slack.send("")
        wait_for(lambda: views.last)
        shut_out(slack.engine, ME)
        ack = slack.people.submit_view({"text": "hello"}).ack
        assert ack["response_action"] == "errors"
        assert "You may not use Levqor" in "".join(ack["errors"].values())
        assert "You may not use Levqor" in slack.ask("health")
        assert "You may not use Levqor" in slack.send("hello").ack["text"]
        assert "chat.postMessage" not in {write.call for write in sandbox.slack.writes}
        assert "webhook" not in {write.call for write in sandbox.slack.writes}
