"""A real levqor-bot with Telegram on: starting, ending, dying at any moment, its weight."""

import random
import time

import pytest

from core.engine import Engine
from core.settings import Settings
from tests.bench.bot import weigh
from tests.support.bot import Program
from tests.support.sandbox import Delay, Hang, Sandbox
from tests.support.telegram import free_port, pair
from tests.support.waiting import wait_for

READY = "telegram: takes messages as @levqor_sandbox_bot"


@pytest.fixture
def paired(home, sandbox):
    with Engine.open(Settings(home, sandbox_urls=sandbox.settings())) as engine:
        pair(engine, 42)


def outcome(said):
    return "sending, run" not in said.text


def test_a_refused_token_is_one_line_and_exit_3(home, sandbox):
    sandbox.telegram.revoke()
    with Program(home, sandbox.settings(), "--no-http") as bot:
        assert bot.wait() == 3
        assert bot.said == (
            "Telegram refuses TELEGRAM_BOT_TOKEN. What to do: Copy the token from @BotFather "
            "(/mybots, API Token), or set LEVQOR_TELEGRAM=off.\n"
        )


def test_sigterm_lets_what_is_out_finish_and_tells_it(home, sandbox, paired):
    ada = sandbox.telegram.user(42)
    with Program(home, sandbox.settings(), "--no-http") as bot:
        bot.until(READY)
        sandbox.slack.always(Delay(1.5))
        ada.says("/slack_send hi")
        ada.waits(until=lambda said: said.text.startswith("Slack: sending"))
        wait_for(lambda: sandbox.slack.received)
        ada.says("/whoami")
        assert bot.terminate() == 0
    assert ada.conversation[0].text.startswith("Slack: sent · run ")
    assert len(sandbox.slack.writes) == 1


def test_what_comes_after_sigterm_waits_for_the_next_bot(home, sandbox, paired):
    ada = sandbox.telegram.user(42)
    with Program(home, sandbox.settings(), "--no-http") as bot:
        bot.until(READY)
        assert bot.terminate() == 0
    ada.says("/slack_send hi")
    with Program(home, sandbox.settings(), "--no-http"):
        ada.waits(until=lambda said: "· run" in said.text, seconds=20)
    assert len(sandbox.slack.writes) == 1


def test_the_rest_runs_while_telegram_cannot_be_reached(home, sandbox, paired):
    port, http = free_port(), free_port()
    values = {**sandbox.settings(), "TELEGRAM_API_URL": f"http://127.0.0.1:{port}/telegram"}
    with Program(home, values, "--http", f"127.0.0.1:{http}") as bot:
        bot.until("telegram: cannot reach Telegram")
        bot.until(f"http: listening on http://127.0.0.1:{http}")
        with Sandbox(port):
            bot.until(READY)
            assert bot.terminate() == 0


def test_killed_while_sending_the_same_message_tells_that_it_is_in_doubt(home, sandbox, paired):
    ada = sandbox.telegram.user(42)
    sandbox.slack.always(Hang())
    with Program(home, sandbox.settings(), "--no-http") as bot:
        bot.until(READY)
        said = ada.says("/slack_send hi")
        (message,) = ada.waits()
        with Engine.open(Settings(home, sandbox_urls=sandbox.settings())) as engine:
            where = f'"message":{message.message_id}'
            wait_for(lambda: where in (engine.ledger.runs()[0].reply_to or ""))
            wait_for(lambda: engine.ledger.runs()[0].state == "sending")
    with Program(home, sandbox.settings(), "--no-http"):
        ada.waits(until=lambda said: "may or may not have been sent" in said.text, seconds=20)
    assert [one.reply_to for one in ada.conversation] == [said.message_id]
    assert len(sandbox.slack.received) == 1


@pytest.fixture(params=["poll", "webhook"])
def way(request, sandbox, counts):
    """Settings, arguments, and how often the bot is killed; for polling or a webhook."""
    if request.param == "poll":
        return sandbox.settings(), ["--no-http"], counts(20, 200)
    sandbox.telegram.updates.retry_seconds = 0.05
    address = f"127.0.0.1:{free_port()}"
    hook = {"LEVQOR_TELEGRAM": "webhook", "TELEGRAM_WEBHOOK_URL": f"http://{address}"}
    return {**sandbox.settings(), **hook}, ["--http", address], counts(8, 80)


def comings(sandbox):
    """How often a bot has asked for messages, one way or the other."""
    return len(sandbox.telegram.calls("getUpdates") + sandbox.telegram.calls("setWebhook"))


def test_killed_at_any_moment_nothing_is_lost_sent_twice_or_left_untold(home, sandbox, paired, way):
    settings, args, kills = way
    chance = random.Random(16)
    ada = sandbox.telegram.user(42)
    sandbox.slack.always(Delay(0.03))
    asked = {}

    def ask():
        text = f"message {len(asked)}"
        asked[text] = ada.says(f"/slack_send {text}")

    ask()
    for _ in range(kills):
        before = comings(sandbox)
        with Program(home, settings, *args):
            wait_for(lambda: comings(sandbox) > before)  # noqa: B023
            for _ in range(chance.randint(0, 3)):
                ask()
            time.sleep(chance.choice((0.0, 0.02, 0.05, 0.1, 0.3)) * chance.random())
        ask()
    with Program(home, settings, *args) as last:
        wait_for(lambda: not unanswered(ada, asked), 60)
        wait_for(lambda: sandbox.telegram.updates.pending == [])
        assert last.terminate() == 0
    sent = [one.json["text"] for one in sandbox.slack.writes]
    assert len(sent) == len(set(sent))
    for text, said in asked.items():
        told = " ".join(answers(ada, said))
        if "Slack: sent" in told:
            assert text in sent
        elif "may or may not have been sent" not in told:
            assert "stopped before it was sent" in told
            assert text not in sent
    with Engine.open(Settings(home, sandbox_urls=sandbox.settings())) as engine:
        runs = engine.ledger.runs(last=10_000)
    assert len(runs) == len(asked)
    assert not [run for run in runs if run.open or run.reply_to]


def answers(ada, said):
    return [
        one.text for one in ada.conversation if one.reply_to == said.message_id and outcome(one)
    ]


def unanswered(ada, asked):
    return [text for text, said in asked.items() if not answers(ada, said)]


def test_an_idle_bot_with_both_chats_on_is_light(home, sandbox):
    weight = weigh(home, sandbox, idle=5.0)
    assert weight.rss < 130
    # Far above the 1 % that the benchmark shows, and far below what spinning would take.
    assert weight.cpu < 20
