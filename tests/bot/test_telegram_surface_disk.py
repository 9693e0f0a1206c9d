"""A real bot with Telegram whose database cannot be written: a full disk, a second holder."""

import pytest

from core.engine import Engine
from core.ledger import Ledger
from core.sandbox import Delay
from core.settings import Settings
from tests.support.bot import Program
from tests.support.disk import Filler, small_disk
from tests.support.telegram import ended, pair
from tests.support.waiting import wait_for

READY = "telegram: takes messages as @levqor_sandbox_bot"


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", "4m") as disk:
        yield disk


@pytest.fixture
def ada(disk, sandbox):
    with Engine.open(Settings.load(disk, sandbox_urls=sandbox.settings())) as engine:
        pair(engine, 42, "free")
    return sandbox.telegram.user(42)


@pytest.mark.parametrize("how", ["SIGTERM", "kill -9"])
def test_an_ending_told_on_a_full_disk_stands_and_is_told_once(disk, sandbox, ada, how):
    values = sandbox.settings()
    values["SLACK_WEBHOOK_URL"] += "x"
    sandbox.slack.always(Delay(2.0))
    with Program(disk, values, "--no-http") as bot:
        bot.until(READY)
        ada.says("/slack_send hi")
        wait_for(lambda: sandbox.slack.received)
        with Filler(disk):
            ada.waits(until=lambda said: said.text.startswith("Refused."))
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
