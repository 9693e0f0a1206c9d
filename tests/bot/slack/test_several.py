"""Several bots with one Slack app on one database: each has a line, and Slack picks one."""

import contextlib

import pytest

from bot.slack.socket_mode import Timing
from tests.bot.slack.test_forms import MAIL, opened, said
from tests.support.engines import both
from tests.support.slack import at_work
from tests.support.waiting import wait_for

CROWDED = "another process uses the same app token"


@pytest.fixture
def pair(home, sandbox, environ):
    with at_work(home, sandbox, **environ) as one, at_work(home, sandbox, **environ) as other:
        wait_for(lambda: sandbox.slack.socket.connections == 2)
        one.unlimited()
        yield one, other


def taker(sandbox):
    """Which line the last thing went over."""
    return sandbox.slack.socket.acks[-1].connection


@both
def test_a_yes_that_lands_on_another_bot_is_sent_once_and_answered(pair, sandbox, database):
    slack, _ = pair
    slack.send("hello").waits(1)
    slack.send("hello too").waits(1)
    asked = slack.send("hello")
    asker = taker(sandbox)
    pressed = slack.people.click(asked.ack, "Send again")
    assert taker(sandbox) != asker
    told = {reply["text"].partition(" run ")[0]: reply for reply in pressed.waits(2)}
    assert sorted(told) == ["Slack: sending,", "Slack: sent ·"]
    assert told["Slack: sending,"]["replace_original"] is True
    assert len([one for one in sandbox.slack.writes if one.call == "webhook"]) == 3


@both
def test_a_form_that_is_sent_again_over_another_bots_line_is_sent_once(pair, sandbox, database):
    slack, _ = pair
    opened(slack)
    slack.people.submit_view(MAIL)
    opened(slack)
    asked = slack.people.submit_view(MAIL)
    assert "Send it again?" in said(asked.ack["view"])
    asker = taker(sandbox)
    yes = slack.people.submit_view()
    assert taker(sandbox) != asker
    assert said(yes.ack["view"]).endswith("The answer comes as a message.")
    wait_for(lambda: len(sandbox.resend.writes) == 2)


def test_bots_on_one_database_are_no_crowd_and_a_stranger_is(home, sandbox):
    timing = Timing(connect=1.0, ping=0.5, look=0.05, renew=0.7, crowd=0.2, linger=0.01)

    def crowd():
        return [CROWDED in "".join(bot.said) for bot in bots]

    with contextlib.ExitStack() as stack:
        bots = [stack.enter_context(at_work(home, sandbox, timing=timing)) for _ in range(3)]
        before = sandbox.slack.socket.opened
        wait_for(lambda: sandbox.slack.socket.opened >= before + 15)
        assert crowd() == [False, False, False]
        stack.enter_context(at_work(home.with_name("stranger"), sandbox, timing=timing))
        wait_for(lambda: crowd() == [True, True, True])
