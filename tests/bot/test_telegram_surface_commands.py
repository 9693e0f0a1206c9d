"""Commands typed into Telegram, and what comes back."""

import re
import time

import pytest

from core.sandbox import Delay
from core.sandbox.telegram import GROUP
from tests.support.telegram import living, settings_for
from tests.support.web import wait_for


@pytest.fixture
def bot(home, sandbox):
    with living(settings_for(home, sandbox)) as bot:
        yield bot


@pytest.fixture
def ada(bot, sandbox):
    bot.pair(42)
    return sandbox.telegram.user(42)


def ended(said):
    return "run" in said.text and "sending" not in said.text


def slack_texts(sandbox):
    return [one.json["text"] for one in sandbox.slack.writes]


def settle(sandbox, ada):
    """Wait until everything said so far has been taken: the next answer comes after it."""
    before = len(ada.conversation)
    ada.says("/whoami")
    ada.waits(before + 1)
    return ada.conversation[before:]


def test_a_command_is_sent_and_its_one_message_ends_as_the_receipt(sandbox, ada):
    sandbox.slack.always(Delay(0.2))
    said = ada.says("/slack_send The build is green.")
    (message,) = ada.waits(until=ended)
    run = re.fullmatch(r"Slack: sent · run (\w{10})", message.text)[1]
    assert message.before == [f"sending, run {run}"]
    assert message.reply_to == said.message_id
    assert slack_texts(sandbox) == ["The build is green."]
