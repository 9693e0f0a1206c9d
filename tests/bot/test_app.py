"""The bot's life: every surface started side by side, and stopped in order."""

import asyncio
import os
import signal
import socket
import time

import pytest

from bot.runtime import Bot
from bot.runtime.pools import SIZES
from bot.web.surface import Web
from core.callers import Caller
from core.engine import Engine
from core.errors import Busy, InProgress, LedgerError, NotConfigured
from core.settings import Address
from tests.support.holding import held
from tests.support.sandbox import Delay, Hang
from tests.support.waiting import wait_for
from tests.support.ways import Way, lived

ME = Caller("console", "ann")
TEXT = {"text": "Hello"}


def ending(status=0):
    async def work(bot):
        bot.end(status)

    return work


def test_surfaces_start_side_by_side_and_stop_in_two_steps(engine):
    diary = []

    async def unreachable(bot):
        await asyncio.sleep(3600)

    end = lived(engine, Way("a", diary, unreachable), Way("b", diary, ending(0)))
    assert end.status == 0
    assert diary[:2] == ["a started", "b started"]
    assert sorted(diary[2:4]) == ["a paused", "b paused"]
    assert sorted(diary[4:]) == ["a stopped", "b stopped"]


def test_a_refused_token_ends_with_status_3_and_one_line(engine):
    async def refused(bot):
        raise NotConfigured("Slack refuses the token.", fix="Make a new one.")

    end = lived(engine, Way("a", [], refused))
    assert (end.status, end.line) == (
        3, "Slack refuses the token. What to do: Make a new one."
    )  # fmt: skip


def test_the_first_reason_to_end_stands(engine):
    async def twice(bot):
        bot.end(4, "first")
        bot.end(0)

    assert lived(engine, Way("a", [], twice)).status == 4


def test_a_surface_that_cannot_stop_does_not_keep_the_others(engine):
    diary = []

    class Broken(Way):
        async def pause(self):
            raise OSError

    lived(engine, Broken("a", diary, ending()), Way("b", diary))
    assert "b stopped" in diary


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_what_is_out_settle_and_be_told(engine, sandbox, number):
    sandbox.slack.next(Delay(0.5))
    told = []

    async def work(bot):
        accepted = await bot.accept("slack.send", TEXT, ME)
        bot.spawn(tell(bot, accepted))
        await asyncio.to_thread(wait_for, lambda: sandbox.slack.received)
        os.kill(os.getpid(), number)

    async def tell(bot, accepted):
        told.append((await bot.settle(accepted)).outcome)

    assert lived(engine, Way("a", [], work)).status == 0
    assert told == ["sent"]


def test_what_is_out_after_the_grace_is_unknown(home, settings, sandbox):
    sandbox.slack.next(Hang())
    engine = Engine.open(settings)
    outcomes = []

    async def work(bot):
        outcomes.append(asyncio.ensure_future(bot.run("slack.send", TEXT, ME)))
        await asyncio.sleep(0.3)
        bot.end()

    began = time.monotonic()
    assert lived(engine, Way("a", [], work), grace=0.5).status == 0
    assert time.monotonic() - began < 9
    with Engine.open(settings) as later:
        assert [entry.state for entry in later.ledger.runs()] == ["unknown"]


def test_nothing_new_starts_once_the_end_has_begun_and_what_came_before_is_still_told(engine):
    refused, runs = [], []

    class Late(Way):
        async def pause(self):
            for way in (self.bot.accept, self.bot.run):
                runs.append((await way("slack.send", TEXT, ME, key="asked before")).run)
                for key in (None, "new"):
                    try:
                        await way("slack.send", TEXT, ME, key=key)
                    except Busy as error:
                        refused.append(error.message)

    late = Late("a", [], ending())

    async def remember(bot):
        late.bot = bot
        runs.append((await bot.run("slack.send", TEXT, ME, key="asked before")).run)
        bot.end()

    late._work = remember
    lived(engine, late)
    assert refused == ["Levqor is stopping; nothing was sent."] * 4
    assert (len(runs), len(set(runs))) == (3, 1)


def test_a_request_that_is_cancelled_while_it_is_accepted_is_still_sent(engine, sandbox):
    async def work(bot):
        asked = asyncio.ensure_future(bot.accept("slack.send", TEXT, ME))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.wait([asked])
        assert asked.cancelled()
        await asyncio.to_thread(wait_for, lambda: sandbox.slack.writes)
        bot.end()

    assert lived(engine, Way("a", [], work)).status == 0
    assert len(sandbox.slack.writes) == 1


def test_a_run_nobody_waits_for_any_more_still_settles(engine, sandbox):
    sandbox.slack.next(Delay(0.3))

    async def work(bot):
        asked = asyncio.ensure_future(bot.run("slack.send", TEXT, ME))
        await asyncio.to_thread(wait_for, lambda: sandbox.slack.received)
        asked.cancel()
        ledger = bot.engine.ledger
        await asyncio.to_thread(wait_for, lambda: ledger.runs(1)[0].state == "sent")
        bot.end()

    assert lived(engine, Way("a", [], work)).status == 0


def test_a_repeated_key_whose_run_is_out_is_in_progress(engine, sandbox):
    sandbox.slack.next(Delay(0.5))
    said = []

    async def work(bot):
        first = asyncio.ensure_future(bot.run("slack.send", TEXT, ME, key="k", rebind=True))
        await asyncio.to_thread(wait_for, lambda: sandbox.slack.received)
        try:
            await bot.run("slack.send", TEXT, ME, key="k", rebind=True)
        except InProgress as error:
            said.append(error.run)
        said.append((await first).run)
        bot.end()

    lived(engine, Way("a", [], work))
    assert said[0] == said[1]


def test_a_job_that_fails_is_logged_by_its_kind_alone(engine, caplog):
    async def broken():
        raise KeyError("canary-7f3a")

    async def work(bot):
        await asyncio.wait([bot.spawn(broken(), name="job")])
        await asyncio.sleep(0)
        bot.end()

    lived(engine, Way("a", [], work))
    assert "A background job (job) failed: KeyError" in caplog.text
    assert "canary" not in caplog.text


def test_a_taken_port_nobody_chose_is_said_and_done_without(engine, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        web = Web(Address("127.0.0.1", taken.getsockname()[1]), optional=True)
        ways = []

        async def look(bot):
            await asyncio.sleep(0.3)
            ways.extend(bot.engine.ledger.inbounds())
            bot.end()

        assert lived(engine, web, Way("a", [], look)).status == 0
    assert [(way.surface, way.ok) for way in ways] == [("http", False)]
    said = capsys.readouterr().err
    assert "cannot listen" in said
    assert "(Address already in use). Choose another address" in said


def test_a_verdict_holds_nothing_that_moves_a_cursor(engine, capsys):
    """A bot's and a webhook's names come from the platform."""

    async def life():
        bot = Bot(engine)
        await bot.inbound("telegram", "polls as @x\x1b[2J\u202e\nslack: fine", ok=True)
        await bot.finish()

    asyncio.run(life())
    [way] = engine.ledger.inbounds()
    assert way.verdict == "polls as @x [2J  slack: fine"
    assert capsys.readouterr().err == "telegram: polls as @x [2J  slack: fine\n"


def test_a_verdict_that_cannot_be_written_now_is_written_later(engine, home):
    """Nobody waits for it, and a newer one takes its place."""

    async def life():
        bot = Bot(engine)
        (home / "levqor.db").rename(home / "away")
        await bot.inbound("slack", "first")
        await bot.inbound("slack", "second", "fix it", ok=False)
        (home / "away").rename(home / "levqor.db")
        await asyncio.to_thread(wait_for, engine.ledger.inbounds)
        await bot.finish()

    asyncio.run(life())
    [way] = engine.ledger.inbounds()
    assert (way.ok, way.verdict, way.fix) == (False, "second", "fix it")


def test_patience_begins_before_a_thread_is_free(engine, home):
    """However many wait for a held database, each is answered when its own patience ends."""
    with held(home):

        async def life():
            bot = Bot(engine)
            began = time.monotonic()
            asked = [
                bot.accept("slack.send", TEXT, Caller("slack", f"T1:U{n}"), patience=0.5)
                for n in range(6 * SIZES["accept"])
            ]
            ends = await asyncio.gather(*asked, return_exceptions=True)
            await bot.finish()
            return ends, time.monotonic() - began

        ends, took = asyncio.run(life())
    assert {(type(end), end.outcome) for end in ends} == {(LedgerError, "not_sent")}
    # One after another, thread by thread, they would have taken six times that long.
    assert took < 2.5
