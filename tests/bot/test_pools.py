"""Blocking work is done, and its asker told, also where the system gives no more threads."""

import asyncio
import threading

import pytest

from bot.runtime import Bot
from bot.runtime.pools import SIZES, Pools
from core.callers import Caller
from tests.support.threads import no_more_threads

SOON = 60
ANN = Caller("cli", "ann")
WAYS = {
    # What the one thread does first, then what is asked for meanwhile.
    "accept": lambda bot: bot.accept("slack.send", {"text": "Hello"}, ANN),
    "run": lambda bot: bot.run("slack.send", {"text": "Hello"}, ANN),
    "call": lambda bot: bot.call(bot.engine.ledger.set_plan, str(ANN), "pro"),
    "read": lambda bot: bot.read(bot.engine.ledger.runs),
    "ask": lambda bot: bot.ask(lambda: "answered"),
}


@pytest.fixture
def pools():
    pools = Pools()
    yield pools
    pools.close()


@pytest.mark.parametrize("kind", SIZES)
def test_work_waits_for_a_thread_where_no_other_can_be_had(pools, kind):
    free, done = threading.Event(), threading.Semaphore(0)
    pools.submit(kind, lambda: free.wait(SOON) and done.release())
    with no_more_threads():
        pools.submit(kind, done.release)
        pools.submit(kind, done.release)
        free.set()
        assert all(done.acquire(timeout=SOON) for _ in range(3))


def test_nothing_is_taken_once_they_are_closed(pools):
    pools.close()
    with pytest.raises(RuntimeError, match="shutdown"):
        pools.submit("call", threading.Event().set)


def test_threads_for_a_burst_hold_up_nothing_where_they_cannot_be_had(pools):
    done = threading.Event()
    with no_more_threads():
        pools.warm("accept")
        pools.submit("accept", done.set)
        assert done.wait(SOON)


@pytest.mark.parametrize("kind", WAYS)
def test_who_asks_while_no_thread_can_be_had_is_told_what_came_of_it(engine, sandbox, kind):
    async def ask():
        bot, free = Bot(engine), threading.Event()
        bot._pools.submit(kind, free.wait)
        with no_more_threads():
            asked = asyncio.ensure_future(WAYS[kind](bot))
            await asyncio.sleep(0)
            assert not asked.done()
            free.set()
            # A worker that sends it is another matter: a queue that has none says so.
            found = await asyncio.wait_for(asked, SOON)
        if kind == "accept":
            found = await bot.settle(found)
        await bot.finish()
        return found

    engine.run("slack.send", {"text": "before"}, Caller("cli", "bob"))  # has a worker started
    found = asyncio.run(ask())
    arrived = len(sandbox.slack.writes) - 1
    assert arrived == (found.outcome == "sent" if kind in ("accept", "run") else 0)
    if arrived:
        assert engine.ledger.run(found.run).state == "sent"


def test_what_nobody_waits_for_any_more_is_not_begun(engine):
    async def ask():
        bot, free, asked = Bot(engine), threading.Event(), []
        for _ in range(SIZES["read"]):
            bot._pools.submit("read", free.wait)
        gone = asyncio.ensure_future(bot.read(asked.append, "gone"))
        here = asyncio.ensure_future(bot.read(asked.append, "here"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        free.set()
        await asyncio.wait_for(here, SOON)
        await bot.finish()
        return asked

    assert asyncio.run(ask()) == ["here"]
