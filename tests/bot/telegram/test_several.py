"""Several bots with one Telegram token on one PostgreSQL: one polls, the others stand by."""

import contextlib
import time
from dataclasses import dataclass

import pytest

from core.engine import Engine
from core.outbound import Outbound
from tests.support.bot import Program
from tests.support.engines import shared
from tests.support.poller import LEASE, TIMING, open_ledger
from tests.support.sandbox import DropBefore, Scripted
from tests.support.telegram import living, pair, settings_for, slack_texts
from tests.support.waiting import wait_for

READY = "telegram: takes messages as @levqor_sandbox_bot"
STANDS_BY = "telegram: stands by: another bot takes the messages"


class Team:
    """Three bots, each with a home of its own, and somebody who writes to them."""

    def __init__(self, settings, environ, sandbox, folder, stack):
        self.ledger = stack.enter_context(open_ledger(settings))
        engine = Engine(settings, self.ledger, Outbound(redactor=settings.redactor()))
        pair(engine, 42)
        self.sandbox, self.ada = sandbox, sandbox.telegram.user(42)
        self.asked = []
        key = folder / "levqor.key"
        key.write_bytes(bytes(32))
        key.chmod(0o600)
        self.bots = [
            stack.enter_context(
                Program(
                    folder / name,
                    {**environ, "LEVQOR_KEY_FILE": str(key)},
                    module="tests.support.poller",
                )
            )
            for name in ("one", "two", "three")
        ]

    @property
    def poller(self):
        """The bot that polls, if any does."""
        pids = {
            int(bot.label.rpartition(":")[2])
            for bot in self.ledger.bots()
            if any(lease.startswith("telegram ") for lease in bot.leases)
        }
        return next((bot for bot in self.bots if bot.pid in pids), None)

    def next_poller(self, old):
        """Wait for another poller; how many seconds it took."""
        began = time.monotonic()
        wait_for(lambda: self.poller not in (old, None), 30)
        return time.monotonic() - began

    def asks(self, count=1):
        for _ in range(count):
            text = f"message {len(self.asked)}"
            self.asked.append((text, self.ada.says(f"/slack_send {text}")))

    def is_asked(self):
        """Have the bot ask whether to send the same again; its question."""
        for _ in range(2):
            before = len(self.ada.conversation)
            self.ada.says("/slack_send twice")
            heard = self.ada.waits(before + 1, until=lambda one: "sending, run" not in one.text)
        assert "Send it again?" in heard[-1].text
        return heard[-1]

    @property
    def untold(self):
        told = {one.reply_to for one in self.ada.conversation if "sending, run" not in one.text}
        return [text for text, said in self.asked if said.message_id not in told]

    @property
    def conflicts(self):
        return [poll for poll in self.sandbox.telegram.calls("getUpdates") if poll.status == 409]


@pytest.fixture
def team(settings, environ, sandbox, tmp_path):
    with contextlib.ExitStack() as stack:
        yield Team(settings, environ, sandbox, tmp_path, stack)


@shared
def test_one_polls_and_another_takes_over_where_it_dies_stands_still_or_leaves(database, team):
    wait_for(lambda: team.poller)
    first = team.poller
    first.until(READY)
    for other in set(team.bots) - {first}:
        other.until(STANDS_BY)
    team.asks(3)
    wait_for(lambda: not team.untold)

    team.asks(3)
    first.kill()
    team.asks(3)
    team.next_poller(first)
    second = team.poller
    wait_for(lambda: not team.untold)

    question = team.is_asked()
    second.stop()
    team.asks(3)
    team.next_poller(second)
    third = team.poller
    wait_for(lambda: len(team.untold) <= 3 and third.said.count(READY))
    before = second.said.count(STANDS_BY)
    second.go_on()
    wait_for(lambda: second.said.count(STANDS_BY) > before)
    # The third takes the press; what is sent again, the second alone knows.
    team.ada.presses(question, "Send again")
    wait_for(lambda: "Slack: sent" in question.text)
    team.asks(3)
    wait_for(lambda: not team.untold)
    assert team.conflicts == []

    team.asks(1)
    assert third.terminate() == 0
    team.next_poller(third)
    team.asks(1)
    wait_for(lambda: not team.untold)
    wait_for(lambda: team.sandbox.telegram.updates.pending == [])
    texts = slack_texts(team.sandbox)
    assert texts.count("twice") == 2
    assert len(texts) == len(set(texts)) + 1
    assert team.conflicts == []
    terms = team.ledger.store.read(lambda db: db.execute("SELECT term FROM leases").fetchall())
    assert (4,) in terms


@shared
def test_nothing_is_confirmed_nor_polled_for_long_while_the_database_is_away(
    settings, sandbox, cluster, database
):
    name = database.rpartition("/")[2]
    backends = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    ada = sandbox.telegram.user(42)
    with living(settings, timing=TIMING) as bot:
        pair(bot.engine, 42)
        ada.says("/slack_send one")
        wait_for(lambda: slack_texts(sandbox) == ["one"])
        cluster.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        cluster.execute(backends)
        ada.says("/slack_send two")
        wait_for(lambda: any("the database cannot be used" in line for line in bot.said))
        time.sleep(LEASE)
        polls = len(sandbox.telegram.calls("getUpdates"))
        time.sleep(LEASE)
        assert len(sandbox.telegram.calls("getUpdates")) == polls
        assert 1001 not in sandbox.telegram.updates.confirmed
        cluster.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        wait_for(lambda: slack_texts(sandbox) == ["one", "two"])
        wait_for(lambda: bot.health[0])


@dataclass(frozen=True)
class Cut(Scripted):
    """No way to Telegram, for the bot that calls it by this name."""

    host: str

    async def play(self, request, real):
        cut = request.host.startswith(self.host)
        return await (DropBefore().play(request, real) if cut else real())


def test_a_bot_that_cannot_reach_telegram_lets_another_one_on_its_home_read(home, sandbox):
    url = sandbox.settings()["TELEGRAM_API_URL"].replace("127.0.0.1", "localhost")
    ada = sandbox.telegram.user(42)
    with (
        living(settings_for(home, sandbox, TELEGRAM_API_URL=url)) as first,
        living(settings_for(home, sandbox)) as second,
    ):
        pair(first.engine, 42)
        wait_for(lambda: any(STANDS_BY in line for line in second.said))
        assert not any("stands by" in line for line in first.said)
        sandbox.telegram.always(Cut("localhost"), on="getUpdates")
        wait_for(lambda: any(READY in line for line in second.said))
        ada.says("/slack_send hi")
        wait_for(lambda: slack_texts(sandbox) == ["hi"])
        wait_for(lambda: any(STANDS_BY in line for line in first.said))
        sandbox.telegram.always(None, on="getUpdates")
