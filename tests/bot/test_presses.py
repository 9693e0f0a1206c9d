"""A yes or a no that reaches another bot than the one that asked; the values stay with that one."""

import asyncio
import contextlib

import pytest

from bot.conversation import GONE, NOT_SENT, NOT_YOURS, Conversation
from bot.messages import Confirm, Decision, PassedOn, Reply, Started, Submission
from bot.notifier import Notifier
from bot.runtime import Bot
from core.callers import Caller
from core.engine import Engine
from core.ledger.owed import WITHDRAWN
from tests.bot.test_conversation import SLASH
from tests.support.engines import both
from tests.support.sandbox import Answer
from tests.support.waiting import wait_for

ADA, BOB = Caller("chat", "ada"), Caller("chat", "bob")
WHERE = {"room": 7}
CANARY = "canary-83c1f0"


class Member:
    """One of several bots, as far as a chat's conversation goes."""

    def __init__(self, engine):
        engine.announce()
        self.engine, self.delivered = engine, []
        self.bot = Bot(engine)
        self.talk = Conversation(self.bot, "chat", SLASH, deliver=self._deliver)

    async def _deliver(self, reply_to, caller, response):
        self.delivered.append((reply_to, caller, response))
        if isinstance(response, Started):
            await self.bot.settle(response.accepted)

    async def asks(self, text="hello"):
        """Ask Ada whether to send; the question's nonce."""
        asked = await self.talk.handle(
            Submission(
                caller=ADA, action_id="slack.send", values={"text": text}, confirm="Send it?"
            )
        )
        assert isinstance(asked, Confirm)
        return asked.nonce

    async def pressed(self, nonce, caller=ADA, *, yes=True):
        return await self.talk.handle(Decision(caller=caller, id=nonce, reply_to=WHERE, yes=yes))

    async def has_delivered(self, count=1):
        wanted = lambda: len(self.delivered) >= count and not self.owed()  # noqa: E731
        await asyncio.to_thread(wait_for, wanted)
        return self.delivered[-1]

    def owed(self):
        """Whatever is kept of presses."""
        sql = "SELECT key, kind FROM owed"
        return self.engine.ledger.store.read(lambda db: db.execute(sql).fetchall())


@pytest.fixture
def team(settings):
    """Run a story with so many bots on one database."""

    def run(story, count=2):
        async def tell():
            with contextlib.ExitStack() as stack:
                members = [Member(stack.enter_context(Engine.open(settings))) for _ in range(count)]
                try:
                    await story(*members)
                finally:
                    for member in members:
                        await member.bot.finish()

        asyncio.run(tell())

    return run


@both
def test_a_yes_at_another_bot_is_done_once_by_the_one_that_asked(team, sandbox, database):
    async def story(one, other):
        nonce = await one.asks()
        assert await other.pressed(nonce) == PassedOn()
        where, caller, response = await one.has_delivered()
        assert (where, caller) == (WHERE, ADA)
        assert response.accepted.first
        assert response.reply_to == WHERE
        again = await other.pressed(nonce)
        assert (again.accepted.run, again.accepted.first) == (response.accepted.run, False)
        assert other.delivered == []

    team(story)
    assert len(sandbox.slack.writes) == 1


@both
def test_a_no_and_somebody_elses_yes_reach_the_one_that_asked_too(team, sandbox, database):
    async def story(one, other):
        nonce = await one.asks()
        assert await other.pressed(nonce, BOB) == PassedOn()
        assert (await one.has_delivered())[1:] == (BOB, Reply(NOT_YOURS))
        assert await other.pressed(nonce, yes=False) == PassedOn()
        assert (await one.has_delivered(2))[1:] == (ADA, Reply(NOT_SENT))

    team(story)
    assert sandbox.slack.writes == []


@both
def test_what_was_not_sent_is_sent_again_by_the_bot_that_has_it(team, sandbox, database):
    async def story(one, other):
        sandbox.slack.next(*[Answer(429, headers={"Retry-After": "0"})] * 3, on="webhook")
        values = {"text": CANARY}
        started = await one.talk.handle(
            Submission(caller=ADA, action_id="slack.send", values=values)
        )
        told = one.talk.ended(await one.bot.settle(started.accepted))
        assert await other.pressed(told.nonce, ADA) == PassedOn()
        _, _, response = await one.has_delivered()
        assert response.accepted.first
        again = await other.pressed(told.nonce, ADA)
        assert (again.accepted.run, again.accepted.first) == (response.accepted.run, False)

    team(story)
    assert sandbox.slack.writes[-1].json == {"text": CANARY}


@both
def test_where_the_bot_that_asked_is_gone_nothing_is_sent_and_that_is_said(team, sandbox, database):
    async def story(one, other, third):
        nonce = await one.asks()
        await one.bot.finish()
        one.engine.close()
        # A third bot lives: it might have asked.
        assert await other.pressed(nonce) == Reply(GONE)
        assert other.owed() == []
        assert third.delivered == []

    team(story, 3)
    assert sandbox.slack.writes == []


@both
def test_where_the_bot_that_asked_dies_over_it_another_one_says_that_it_is_gone(
    team, sandbox, database
):
    async def story(one, other):
        nonce = await one.asks()
        await one.bot.finish()
        handing = asyncio.create_task(other.pressed(nonce))
        await asyncio.to_thread(wait_for, other.owed)
        assert one.engine.ledger.take_press(f"chat:{nonce}")
        assert await handing == PassedOn()
        one.engine.close()
        told = asyncio.Queue()
        lost = lambda *what: told.put(what)  # noqa: E731
        Notifier(other.bot, "chat", outcome=lost, lost=lost, direct=lost).start()
        assert await asyncio.wait_for(told.get(), 60) == (WHERE, WITHDRAWN)

    team(story)
    assert sandbox.slack.writes == []


@both
def test_a_press_that_was_withdrawn_is_done_by_nobody(team, database):
    async def story(one, other):
        nonce = await one.asks()
        await one.bot.finish()
        assert await other.pressed(nonce) == Reply(GONE)
        assert not one.engine.ledger.take_press(f"chat:{nonce}")

    team(story)


@both
def test_no_table_holds_what_was_asked_about_at_any_moment(team, sandbox, database):
    def dump(engine):
        def tables(db):
            names = "SELECT name FROM sqlite_master WHERE type = 'table'"
            if database is not None:
                names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            return [
                (name, db.execute(f"SELECT * FROM {name}").fetchall())
                for (name,) in db.execute(names).fetchall()
            ]

        return repr(engine.ledger.store.read(tables))

    async def story(one, other):
        seen = [dump(one.engine)]
        nonce = await one.asks(CANARY)
        seen.append(dump(one.engine))
        handing = asyncio.create_task(other.pressed(nonce))
        while not handing.done():
            seen.append(dump(one.engine))
            await asyncio.sleep(0.01)
        await one.has_delivered()
        seen.append(dump(one.engine))
        assert any(nonce in each for each in seen)
        assert any("press:yes" in each for each in seen)
        assert not [each for each in seen if CANARY in each]

    team(story)
    assert CANARY in str(sandbox.slack.writes[0].json)


def test_presses_are_looked_for_only_while_something_is_pending(team):
    async def story(one, other):
        loop = asyncio.get_running_loop()

        def looking():
            return any(task.get_name() == "presses" for task in asyncio.all_tasks(loop))

        await other.pressed("nobody-asked-this")
        assert not looking()
        nonce = await one.asks()
        assert looking()
        await one.pressed(nonce, yes=False)
        await asyncio.to_thread(wait_for, lambda: not looking())

    team(story)
