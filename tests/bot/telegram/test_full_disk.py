"""A real bot with Telegram whose database cannot be written: a full disk, a second holder."""

import contextlib
import time
from dataclasses import replace

import pytest

from bot.telegram.unknown_users import TRIES
from core.engine import Engine
from core.ledger import Ledger
from core.settings import Settings
from tests.support.bot import Program
from tests.support.disk import Filler, small_disk
from tests.support.holding import held
from tests.support.sandbox import Delay
from tests.support.telegram import QUICK, ended, free_port, living, pair, settings_for
from tests.support.waiting import wait_for

READY = "telegram: takes messages as @levqor_sandbox_bot"


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", "4m") as disk:
        yield disk


@pytest.fixture
def ada(disk, sandbox):
    with Engine.open(Settings(disk, sandbox_urls=sandbox.settings())) as engine:
        pair(engine, 42, "free")
    return sandbox.telegram.user(42)


@pytest.mark.parametrize("how", ["SIGTERM", "kill -9"])
def test_an_ending_told_on_a_full_disk_stands_and_is_told_once(disk, sandbox, ada, how):
    values = sandbox.settings()
    values["SLACK_WEBHOOK_URL"] += "x"
    sandbox.slack.always(Delay(6.0))
    with Program(disk, values, "--no-http") as bot:
        bot.until(READY)
        ada.says("/slack_send hi")
        wait_for(lambda: sandbox.slack.received)
        with Filler(disk):
            ada.waits(1, 30, until=lambda said: said.text.startswith("Refused."))
            if how == "SIGTERM":
                assert bot.terminate(40) == 9
                assert "This could not be written down" in bot.said
            else:
                kept = b'"told":true'
                wait_for(lambda: any(kept in f.read_bytes() for f in disk.glob("*-endings-*")))
                bot.kill()
    sandbox.slack.always(None)
    with Program(disk, sandbox.settings(), "--no-http") as bot:
        bot.until(READY)
        ada.says("/slack_send more")
        ada.waits(2, until=ended)
    assert [said.text[:8] for said in ada.conversation] == ["Refused.", "Slack: s"]
    with Ledger.open(disk) as ledger:
        assert [run.state for run in ledger.runs()] == ["sent", "refused"]


@contextlib.contextmanager
def unwritable(trouble, home):
    """A ledger that cannot be written until the block ends."""
    with held(home) if trouble == "held" else Filler(home):
        yield


@pytest.mark.parametrize("trouble", ["held", "full"])
@pytest.mark.parametrize("mode", ["poll", "webhook"])
def test_a_good_code_waits_until_the_ledger_can_be_written(disk, sandbox, ada, trouble, mode):
    port = free_port()
    sandbox.telegram.updates.retry_seconds = 0.05
    hook = {"LEVQOR_TELEGRAM": "webhook", "TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{port}"}
    settings = settings_for(disk, sandbox, **(hook if mode == "webhook" else {}))
    eve = sandbox.telegram.user(57)
    with living(settings, timing=replace(QUICK, longest=2.0), http=port) as bot:
        code, _ = bot.engine.ledger.pair_code("telegram")
        with unwritable(trouble, disk):
            eve.says(f"/start {code}")
            # More often than anybody may try a code.
            wait_for(lambda: tries(sandbox, mode) > TRIES + 1, 90)
            assert sandbox.telegram.updates.confirmed == []
            assert eve.conversation == []
            if mode == "poll":
                # One post waits behind the other at the sandbox.
                ada.says("/whoami")
                ada.waits(seconds=20)
        assert eve.waits(seconds=40)[0].text.startswith("You are paired")
        wait_for(lambda: not sandbox.telegram.updates.pending, 40)
        wait_for(lambda: bot.health[0])


def tries(sandbox, mode):
    if mode == "webhook":
        return [number for number, _ in sandbox.telegram.updates.deliveries].count(1000)
    asked = sandbox.telegram.calls("getUpdates")
    return sum("offset" not in one.form for one in asked)


def test_the_pause_between_polls_grows_while_the_ledger_cannot_be_written(disk, sandbox, ada):
    timing = replace(QUICK, pause=0.2, longest=60.0)
    with living(settings_for(disk, sandbox), timing=timing) as bot:
        code, _ = bot.engine.ledger.pair_code("telegram")
        with Filler(disk):
            sandbox.telegram.user(57).says(f"/start {code}")
            told = "cannot take every message, because the database cannot be used"
            wait_for(lambda: any(told in line for line in bot.said))
            before, until = len(sandbox.telegram.calls("getUpdates")), time.monotonic() + 5
            wait_for(lambda: time.monotonic() > until)
            # 0.2, 0.4, 0.8, 1.6, 3.2 seconds, or half of that by chance.
            assert len(sandbox.telegram.calls("getUpdates")) - before < 8
            assert sum(told in line for line in bot.said) == 1
