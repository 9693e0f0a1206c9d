"""What health says of polling: another reader, a webhook, a revoked token, silence."""

import contextlib
import sqlite3
import time
from dataclasses import replace

import pytest

from core.engine import Engine
from core.health import HealthChecker
from tests.support.sandbox import Answer, Drip, DropAfter, DropBefore, Hang, Sandbox
from tests.support.telegram import QUICK, free_port, living, sent, settings_for
from tests.support.waiting import wait_for


@pytest.fixture
def settings(home, sandbox):
    return settings_for(home, sandbox)


def texts(sandbox):
    return [one.json["text"] for one in sandbox.slack.writes]


def test_two_bots_on_one_token_both_say_so(sandbox, settings, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    words = "another program reads messages with the same bot token, and each gets only some"
    with living(settings) as one, living(settings_for(other, sandbox)) as two:
        wait_for(lambda: one.health[1] == words)
        wait_for(lambda: two.health[1] == words)
        assert one.health[0] is two.health[0] is False
        assert "give each its own bot from @BotFather" in one.health[2]
        before = len(sandbox.telegram.calls("getUpdates"))
        time.sleep(1.0)
        # Backed off: neither pushes the other out all the time.
        assert len(sandbox.telegram.calls("getUpdates")) - before < 16
        assert one.health[1] == words


def test_a_foreign_webhook_is_said_and_left_alone_until_it_is_gone(sandbox, settings):
    hook = "http://127.0.0.1:1/secret-path"
    set_webhook(sandbox, hook)
    with living(settings, ready=False) as bot:
        wait_for(lambda: bot.health[1])
        ok, words, fix = bot.health
        assert ok is False
        assert words == (
            "this bot's messages go to a webhook at 127.0.0.1, and Levqor leaves that alone"
        )
        assert "deleteWebhook" in fix
        assert not any("secret-path" in line for line in bot.said)
        assert sandbox.telegram.calls("getUpdates") == []
        assert sandbox.telegram.updates._hook["url"] == hook
        set_webhook(sandbox, "")
        wait_for(lambda: bot.health[0])


def test_a_webhook_that_is_set_meanwhile_ends_polling_in_words(sandbox, settings):
    with living(settings) as bot:
        set_webhook(sandbox, "http://127.0.0.1:1/x")
        wait_for(lambda: "webhook at 127.0.0.1" in bot.health[1])
        set_webhook(sandbox, "")
        wait_for(lambda: bot.health[0])


def set_webhook(sandbox, url):
    import requests

    base = f"{sandbox.telegram.url}/bot{sandbox.telegram.token}"
    assert requests.post(f"{base}/setWebhook", json={"url": url}, timeout=10).json()["ok"]


def test_a_wait_that_telegram_orders_is_said_and_its_end_too(sandbox, settings):
    flood = {"ok": False, "error_code": 429, "description": "x", "parameters": {"retry_after": 2}}
    with living(settings) as bot:
        sandbox.telegram.next(Answer(429, json=flood), on="getUpdates")
        wait_for(lambda: not bot.health[0])
        assert bot.health[1] == "must wait because Telegram asks it to; messages wait there too"
        assert bot.health[2] == "Do nothing: it goes on in 2 seconds."
        wait_for(lambda: bot.health[0])


def test_a_revoked_token_is_said_and_a_restored_one_taken_up(sandbox, settings):
    with living(settings) as bot:
        sandbox.telegram.revoke()
        wait_for(lambda: bot.health[1] == "Telegram refuses the bot's token: it was revoked")
        assert bot.health[0] is False
        assert "@BotFather" in bot.health[2]
        sandbox.telegram.restore()
        wait_for(lambda: bot.health[0])


@pytest.mark.parametrize(
    "fault", [Hang(), Drip(interval=0.1), DropBefore(), DropAfter(), Answer(502, body="Bad")]
)
def test_polls_that_fail_are_said_and_health_recovers(sandbox, settings, fault):
    with living(settings) as bot:
        sandbox.telegram.always(fault, on="getUpdates")
        wait_for(lambda: bot.health[1] == "cannot reach Telegram")
        assert bot.health[0] is False
        sandbox.telegram.always(None, on="getUpdates")
        wait_for(lambda: bot.health[0])


def test_one_failed_poll_alone_is_no_news(sandbox, settings):
    with living(settings) as bot:
        sandbox.telegram.next(DropBefore(), on="getUpdates")
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        ada.says("/whoami")
        ada.waits()
        assert bot.said[1:] == ["telegram: takes messages as @levqor_sandbox_bot"]


def test_telegram_unreachable_at_start_comes_up_when_it_can(home):
    port = free_port()
    with Sandbox() as elsewhere:
        values = elsewhere.settings()
        values["TELEGRAM_API_URL"] = f"http://127.0.0.1:{port}/telegram"
        from core.settings import Settings

        with living(Settings(home, sandbox_urls=values), ready=False) as bot:
            wait_for(lambda: bot.health[1] == "cannot reach Telegram")
            with Sandbox(port) as late:
                wait_for(lambda: bot.health[0])
                bot.pair(42)
                ada = late.telegram.user(42)
                ada.says("/slack_send hi")
                ada.waits(until=sent)
            assert texts(elsewhere) == ["hi"]


def test_good_polls_are_written_down_as_a_sign_of_life(settings):
    with living(settings, timing=replace(QUICK, beat=0.2)) as bot:
        first = way(bot)
        wait_for(lambda: way(bot).at > first.at)
        assert way(bot).since == first.since
        assert bot.said[1:] == ["telegram: takes messages as @levqor_sandbox_bot"]


def test_polls_that_stop_answering_are_said_even_while_one_still_waits(sandbox, settings):
    with living(settings, timing=replace(QUICK, grace=8, beat=0.1, stalled=1.5)) as bot:
        sandbox.telegram.always(Hang(), on="getUpdates")
        wait_for(lambda: not bot.health[0])
        assert bot.health[1] == "has heard nothing from Telegram for more than a minute"
        sandbox.telegram.always(None, on="getUpdates")


def test_the_other_poller_is_forgotten_some_time_after_it_has_gone(sandbox, settings, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    with living(settings, timing=replace(QUICK, peace=1.0)) as one:
        with living(settings_for(other, sandbox)):
            wait_for(lambda: not one.health[0])
        wait_for(lambda: one.health[0])


def way(bot):
    return next(one for one in bot.engine.ledger.inbounds() if one.surface == "telegram")


def test_a_bot_whose_signs_of_life_stop_is_told_by_everybody_who_looks(home, settings):
    with living(settings, timing=replace(QUICK, beat=0.1)) as bot:
        wait_for(lambda: way(bot).at > way(bot).since)
    with Engine.open(settings) as engine:
        engine.ledger.inbound("telegram", ok=True, verdict="takes messages")
        with contextlib.closing(sqlite3.connect(home / "levqor.db")) as db, db:
            db.execute("UPDATE inbound SET since = since - 900, at = at - 200")
        told = HealthChecker(engine).report()
    assert told.inbound["telegram"] == (
        "the bot gives no sign of life. Stop it and start it again: levqor-bot"
    )
    assert told.inbound_detail["telegram"].ok is False
