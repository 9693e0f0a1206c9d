"""How updates are fetched: journaled before they are confirmed, and never in silence."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from core.engine import Engine
from core.health import Health
from core.sandbox import Answer, Delay, Drip, DropAfter, DropBefore, Hang, Sandbox
from tests.support.telegram import QUICK, free_port, living, pair, settings_for
from tests.support.web import wait_for

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(home, sandbox):
    return settings_for(home, sandbox)


def sent(said):
    return "· run" in said.text


def texts(sandbox):
    return [one.json["text"] for one in sandbox.slack.writes]


def test_an_update_is_confirmed_only_once_it_is_in_the_ledger(home, sandbox, settings):
    with living(settings) as bot:
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        with contextlib.closing(sqlite3.connect(home / "levqor.db", timeout=5)) as other:
            other.execute("BEGIN IMMEDIATE")
            ada.says("/slack_send hi")
            time.sleep(0.5)
            assert sandbox.telegram.updates.confirmed == []
            assert texts(sandbox) == []
            other.rollback()
        ada.waits(until=sent)
        assert sandbox.telegram.updates.confirmed == [1000]


def test_what_is_taken_is_confirmed_before_the_upstream_is_asked(sandbox, settings):
    sandbox.slack.always(Delay(1.0))
    with living(settings) as bot:
        bot.pair(42)
        for text in ("one", "two", "three"):
            sandbox.telegram.user(42).says(f"/slack_send {text}")
        wait_for(lambda: sandbox.telegram.updates.confirmed == [1000, 1001, 1002])
        assert len(bot.engine.ledger.runs()) == 3
        assert texts(sandbox) == []
        wait_for(lambda: sorted(texts(sandbox)) == ["one", "three", "two"])


def test_nothing_is_sent_while_its_confirmation_is_on_the_way(sandbox, settings):
    with living(settings, pace=replace(QUICK, grace=5)) as bot:
        bot.pair(42)
        sandbox.telegram.next(Delay(1.0), on="getUpdates")
        sandbox.telegram.user(42).says("/slack_send hi")
        wait_for(bot.engine.ledger.runs)
        time.sleep(0.4)
        assert (sandbox.telegram.updates.confirmed, sandbox.slack.received) == ([], [])
        wait_for(lambda: texts(sandbox) == ["hi"])


def test_a_confirmation_that_does_not_come_holds_nothing_up_for_long(sandbox, settings):
    with living(settings, pace=replace(QUICK, grace=30)) as bot:
        bot.pair(42)
        sandbox.telegram.next(Hang(8), on="getUpdates")
        sandbox.telegram.user(42).says("/slack_send hi")
        wait_for(lambda: texts(sandbox) == ["hi"], 6)


CRASH = """
import os, sys
from pathlib import Path
from core.callers import Caller
from core.engine import Engine
from core.health import Health
from core.settings import Settings
from core.sandbox.telegram import BOT_ID
engine = Engine.open(Settings.load(Path(sys.argv[1])))
accepted = engine.accept(
    "slack.send", {"text": "hi"}, Caller("telegram", "42"),
    key=f"telegram:{BOT_ID}:1000", reply_to='{"chat":42,"to":1,"message":null}',
)
if sys.argv[2] == "sending":
    engine.ledger.sending(accepted.run)
print(accepted.run)
sys.stdout.flush()
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("accepted", "Levqor stopped before it was sent."),
        ("sending", "it may or may not have been sent."),
    ],
)
def test_a_crash_between_accept_and_confirm_is_told_and_never_sent_again(
    home, sandbox, settings, moment, told
):
    with Engine.open(settings) as engine:
        pair(engine, 42)
    ada = sandbox.telegram.user(42)
    ada.says("/slack_send hi")
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(home), moment],
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=30,
        env={**os.environ, **sandbox.settings()},
    )  # fmt: skip
    run = done.stdout.strip()
    assert len(run) == 10, done.stderr
    with living(settings):
        (answer,) = ada.waits()
        wait_for(lambda: sandbox.telegram.updates.confirmed == [1000])
    assert told in answer.text
    assert run in answer.text
    assert len(ada.conversation) == 1
    assert texts(sandbox) == []


def test_an_answer_that_was_lost_on_its_way_is_given_once_the_update_comes_again(sandbox, settings):
    with living(settings) as bot:
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        sandbox.telegram.next(DropAfter(), on="getUpdates")
        ada.says("/slack_send hi")
        ada.waits(until=sent)
    assert texts(sandbox) == ["hi"]


def test_an_unreadable_update_is_skipped_counted_and_said(sandbox, settings):
    with living(settings) as bot:
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        sandbox.telegram.inject({"message": {"date": "yesterday"}})
        sandbox.telegram.inject({"callback_query": "?"})
        ada.says("/slack_send hi")
        ada.waits(until=sent)
        wait_for(lambda: bot.health[1].endswith("; 2 it could not read were skipped"))
        assert bot.health[0] is True
        wait_for(lambda: sandbox.telegram.updates.confirmed == [1000, 1001, 1002])


def test_what_is_no_update_at_all_does_not_make_the_loop_spin(sandbox, settings):
    nonsense = Answer(json={"ok": True, "result": ["?", {"update_id": "?"}]})
    with living(settings):
        sandbox.telegram.always(nonsense, on="getUpdates")
        time.sleep(1.0)
        calls = len(sandbox.telegram.calls("getUpdates"))
        sandbox.telegram.always(None, on="getUpdates")
    assert calls < 12


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
        assert bot.said == ["telegram: takes messages as @levqor_sandbox_bot"]


def test_a_flood_answer_to_a_poll_is_waited_out(sandbox, settings):
    flood = {"ok": False, "error_code": 429, "description": "x", "parameters": {"retry_after": 1}}
    with living(settings) as bot:
        bot.pair(42)
        sandbox.telegram.next(Answer(429, json=flood), on="getUpdates")
        ada = sandbox.telegram.user(42)
        ada.says("/whoami")
        ada.waits()
        assert bot.health[0] is True


def test_telegram_unreachable_at_start_comes_up_when_it_can(home):
    port = free_port()
    with Sandbox() as elsewhere:
        values = elsewhere.settings()
        values["TELEGRAM_API_URL"] = f"http://127.0.0.1:{port}/telegram"
        from core.settings import Settings

        with living(Settings.load(home, sandbox_urls=values), ready=False) as bot:
            wait_for(lambda: bot.health[1] == "cannot reach Telegram")
            with Sandbox(port) as late:
                wait_for(lambda: bot.health[0])
                bot.pair(42)
                ada = late.telegram.user(42)
                ada.says("/slack_send hi")
                ada.waits(until=sent)
            assert texts(elsewhere) == ["hi"]


def test_good_polls_are_written_down_as_a_sign_of_life(settings):
    with living(settings, pace=replace(QUICK, beat=0.2)) as bot:
        first = way(bot)
        wait_for(lambda: way(bot).at > first.at)
        assert way(bot).since == first.since
        assert bot.said == ["telegram: takes messages as @levqor_sandbox_bot"]


def test_polls_that_stop_answering_are_said_even_while_one_still_waits(sandbox, settings):
    with living(settings, pace=replace(QUICK, grace=8, beat=0.1, stalled=1.5)) as bot:
        sandbox.telegram.always(Hang(), on="getUpdates")
        wait_for(lambda: not bot.health[0])
        assert bot.health[1] == "has heard nothing from Telegram for more than a minute"
        sandbox.telegram.always(None, on="getUpdates")


def test_the_other_poller_is_forgotten_some_time_after_it_has_gone(sandbox, settings, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    with living(settings, pace=replace(QUICK, peace=1.0)) as one:
        with living(settings_for(other, sandbox)):
            wait_for(lambda: not one.health[0])
        wait_for(lambda: one.health[0])


def way(bot):
    return next(one for one in bot.engine.ledger.inbounds() if one.surface == "telegram")


def test_messages_sent_while_the_bot_was_away_are_read_when_it_returns(sandbox, settings):
    ada = sandbox.telegram.user(42)
    with living(settings) as bot:
        bot.pair(42)
    ada.says("/slack_send hi")
    with living(settings, pace=replace(QUICK, poll=1)):
        ada.waits(until=sent)
    assert texts(sandbox) == ["hi"]
    assert sandbox.telegram.updates.pending == []


def test_a_bot_whose_signs_of_life_stop_is_told_by_everybody_who_looks(home, settings):
    with living(settings, pace=replace(QUICK, beat=0.1)) as bot:
        wait_for(lambda: way(bot).at > way(bot).since)
    with Engine.open(settings) as engine:
        engine.ledger.inbound("telegram", ok=True, verdict="takes messages")
        with contextlib.closing(sqlite3.connect(home / "levqor.db")) as db, db:
            db.execute("UPDATE inbound SET since = since - 900, at = at - 200")
        told = Health(engine).report()
    assert told["inbound"]["telegram"] == (
        "the bot gives no sign of life. Stop it and start it again: levqor-bot"
    )
    assert told["inbound_detail"]["telegram"]["ok"] is False


def test_messages_wait_at_telegram_while_the_ledger_cannot_be_read(sandbox, settings):
    with living(settings) as bot:
        bot.pair(42)
        ledger = bot.engine.ledger
        good, ledger._reader = ledger._reader, sqlite3.connect(":memory:")
        ada = sandbox.telegram.user(42)
        ada.says("/slack_send hi")
        wait_for(lambda: any("the ledger cannot be read" in line for line in bot.said))
        assert sandbox.telegram.updates.confirmed == []
        broken, ledger._reader = ledger._reader, good
        broken.close()
        ada.waits(until=sent)
        wait_for(lambda: bot.health[0])
    assert texts(sandbox) == ["hi"]
