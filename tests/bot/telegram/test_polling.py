"""How updates are fetched: journaled before they are confirmed, and never in silence."""

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from core.engine import Engine
from tests.support.sandbox import Answer, Delay, DropAfter, Scripted
from tests.support.telegram import QUICK, living, pair, sent, settings_for
from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[3]


@pytest.fixture
def settings(home, sandbox):
    return settings_for(home, sandbox)


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


@dataclass(frozen=True)
class Held(Scripted):
    """A confirmation that is on its way until it is `released`; every other poll goes through."""

    arrived: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    async def play(self, request, real):
        if b"offset" in await request.read():
            self.arrived.set()
            await asyncio.to_thread(self.released.wait, 120)
        return await real()


def test_nothing_is_sent_while_its_confirmation_is_on_the_way(sandbox, settings):
    held = Held()
    sandbox.telegram.always(held, on="getUpdates")
    with living(settings, timing=replace(QUICK, grace=120, confirm=120)) as bot:
        bot.pair(42)
        sandbox.telegram.user(42).says("/slack_send hi")
        wait_for(held.arrived.is_set)
        assert [run.state for run in bot.engine.ledger.runs()] == ["accepted"]
        time.sleep(0.4)
        assert (sandbox.telegram.updates.confirmed, sandbox.slack.received) == ([], [])
        held.released.set()
        wait_for(lambda: texts(sandbox) == ["hi"])


def test_a_confirmation_that_does_not_come_holds_nothing_up_for_long(sandbox, settings):
    held = Held()
    sandbox.telegram.always(held, on="getUpdates")
    with living(settings, timing=replace(QUICK, grace=120, confirm=0.2)) as bot:
        bot.pair(42)
        sandbox.telegram.user(42).says("/slack_send hi")
        wait_for(lambda: texts(sandbox) == ["hi"], 60)
        assert held.arrived.is_set()
        assert sandbox.telegram.updates.confirmed == []
        held.released.set()


CRASH = """
import os, sys
from pathlib import Path
from core.callers import Caller
from core.engine import Engine
from core.health import Health
from core.settings import Settings
from core.sandbox.telegram import BOT_ID
engine = Engine.open(Settings(Path(sys.argv[1])))
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
        wait_for(lambda: bot.health[1].endswith("; 2 messages it could not read were skipped"))
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


@pytest.mark.parametrize(
    "result",
    [
        [],
        [{"update_id": 7, "edited_message": {}}],
        [{"update_id": 7, "message": {"date": "?"}}, {"update_id": 8, "poll": {}}],
    ],
    ids=["nothing", "the same again", "the same two again"],
)
def test_polls_that_are_answered_at_once_with_nothing_new_do_not_make_the_loop_spin(
    sandbox, settings, result
):
    with living(settings) as bot:
        sandbox.telegram.always(Answer(json={"ok": True, "result": result}), on="getUpdates")
        time.sleep(2.0)
        calls = len(sandbox.telegram.calls("getUpdates"))
        sandbox.telegram.always(None, on="getUpdates")
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        ada.says("/whoami")
        ada.waits()
    assert calls < 20


def test_a_flood_answer_to_a_poll_is_waited_out(sandbox, settings):
    flood = {"ok": False, "error_code": 429, "description": "x", "parameters": {"retry_after": 1}}
    with living(settings) as bot:
        bot.pair(42)
        sandbox.telegram.next(Answer(429, json=flood), on="getUpdates")
        ada = sandbox.telegram.user(42)
        ada.says("/whoami")
        ada.waits()
        assert bot.health[0] is True


def test_messages_sent_while_the_bot_was_away_are_read_when_it_returns(sandbox, settings):
    ada = sandbox.telegram.user(42)
    with living(settings) as bot:
        bot.pair(42)
    ada.says("/slack_send hi")
    with living(settings, timing=replace(QUICK, poll=1)):
        ada.waits(until=sent)
    assert texts(sandbox) == ["hi"]
    assert sandbox.telegram.updates.pending == []


def test_of_two_bots_on_one_database_one_stands_by_and_takes_over(sandbox, settings):
    stands_by = "telegram: stands by: another bot takes the messages"
    reads = "telegram: takes messages as @levqor_sandbox_bot"
    with contextlib.ExitStack() as first:
        one = first.enter_context(living(settings))
        with living(settings, timing=replace(QUICK, lease=3.0), ready=False) as two:
            wait_for(lambda: stands_by in two.said)
            assert reads not in two.said
            one.pair(42)
            first.close()
            ada = sandbox.telegram.user(42)
            ada.says("/slack_send hi")
            ada.waits(until=sent)
            assert reads in two.said
    assert texts(sandbox) == ["hi"]
    assert not [poll for poll in sandbox.telegram.calls("getUpdates") if poll.status == 409]


def test_messages_wait_at_telegram_while_the_ledger_cannot_be_read(sandbox, settings):
    with living(settings) as bot:
        bot.pair(42)
        ledger = bot.engine.ledger
        good, ledger.store._reader = ledger.store._reader, sqlite3.connect(":memory:")
        ada = sandbox.telegram.user(42)
        ada.says("/slack_send hi")
        wait_for(lambda: any("the database cannot be used" in line for line in bot.said))
        assert sandbox.telegram.updates.confirmed == []
        broken, ledger.store._reader = ledger.store._reader, good
        broken.close()
        ada.waits(until=sent)
        wait_for(lambda: bot.health[0])
    assert texts(sandbox) == ["hi"]
