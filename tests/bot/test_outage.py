"""Three bots whose clocks are wrong, under load, while their database is away."""

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from core.ledger import Ledger
from core.ledger.postgres import Lease
from tests.support.bot import Program
from tests.support.clock import Clock
from tests.support.engines import shared
from tests.support.replica import replicas
from tests.support.waiting import wait_for

LEASE = Lease(5, 0.5, 7.5)
HOUR = 3600


class Load:
    """HTTP callers of several bots; each repeats a request, with its key, until it is done."""

    def __init__(self, bots, token):
        self._addresses = [bot.address for bot in bots]
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor()
        # Text to the statuses and bodies of its answers, in order.
        self.answers = {}

    def __enter__(self):
        self._callers = [self._pool.submit(self._call, n) for n in range(len(self._addresses))]
        return self

    def __exit__(self, *exc):
        self._stop.set()
        self._pool.shutdown()
        for caller in self._callers:
            caller.result()

    def refusals(self):
        """What the database's absence was answered with."""
        return [body for status, body in self._all() if status == 503]

    def strange(self):
        """Answers that are neither a run's, nor that, nor that a run is still out."""
        return [body for status, body in self._all() if status not in (200, 409, 503)]

    def _all(self):
        return [answer for answers in list(self.answers.values()) for answer in list(answers)]

    def _call(self, caller):
        number = 0
        while not self._stop.is_set():
            text = f"{caller} says {number}"
            done = self.answers[text] = []
            while not done or done[-1][0] != 200:
                # Whoever is refused asks another bot, as a load balancer would.
                done.append(self._post(self._addresses[(caller + len(done)) % 3], text))
                time.sleep(0.1)
            number += 1

    def _post(self, address, text):
        line = http.client.HTTPConnection(address, timeout=60)
        try:
            headers = {**self._headers, "Idempotency-Key": text}
            line.request("POST", "/actions/slack.send", json.dumps({"text": text}), headers)
            got = line.getresponse()
            return got.status, json.loads(got.read())
        finally:
            line.close()


@pytest.fixture
def people(tmp_path, database):
    """A token for the callers, and somebody in Telegram."""
    with Ledger.open(tmp_path / "home-admin", database) as ledger:
        code, _ = ledger.pair_code("telegram")
        assert ledger.redeem("telegram", "42", code)
        ledger.set_plan("telegram:42", "pro")
        return ledger.token_new("ops", plan="pro")


@shared
@pytest.mark.timeout(400)
def test_while_the_database_is_away_nothing_is_sent_and_after_it_nothing_is_lost(
    tmp_path, environ, sandbox, cluster, database, people, counts
):
    ada = sandbox.telegram.user(42)
    clocks = [{}, *(Clock(tmp_path, wrong).environ for wrong in (HOUR, -HOUR))]
    began = time.time()
    with replicas(tmp_path, environ, lease=LEASE, each=clocks) as bots, Load(bots, people) as load:
        asked = {"before": ada.says("/slack_send before")}
        wait_for(lambda: len(load.answers) > 20)
        wait_for(lambda: told(ada, asked["before"]))
        owners = living(database)
        assert len(owners) == 3
        cluster.stop()
        try:
            wait_for(lambda: len(load.refusals()) > 2)
            taken, sent = len(sandbox.telegram.updates.confirmed), len(arrived(sandbox))
            asked["meanwhile"] = ada.says("/slack_send meanwhile")
            away(counts(7.0, 60.0), bots)
            assert len(arrived(sandbox)) == sent
            assert len(sandbox.telegram.updates.confirmed) == taken
            assert not load.strange()
        finally:
            cluster.start()
        wait_for(lambda: told(ada, asked["meanwhile"]))
        mark = len(load.answers)
        wait_for(lambda: len(load.answers) > mark + 12)
    for refusal in load.refusals():
        assert refusal["error"] == "ledger_error"
        assert "LEVQOR_DATABASE_URL" in refusal["fix"] or "Levqor keeps trying" in refusal["fix"]
    # Where the answer to a COMMIT was lost nobody could wait for, the run ends as not sent.
    chats = [text for text, said in asked.items() if ": sent" in told(ada, said)]
    assert sorted(arrived(sandbox)) == sorted([*load.answers, *chats])
    with psycopg.connect(database) as db:
        dead = db.execute("SELECT owner FROM bots WHERE dead = 1").fetchall()
        left = "SELECT count(*) FROM runs WHERE settled_at IS NULL OR reply_to IS NOT NULL"
        assert db.execute(left).fetchone() == (0,)
        times = db.execute("SELECT min(at), max(settled_at), count(DISTINCT day) FROM runs")
        least, most, days = times.fetchone()
    assert not dead
    assert began - 1 < least
    assert most < time.time() + 1
    assert days <= 2


def told(ada, said):
    ours = [one.text for one in ada.conversation if one.reply_to == said.message_id]
    return " ".join(text for text in ours if "sending, run" not in text)


def living(url):
    with psycopg.connect(url) as db:
        rows = db.execute("SELECT owner FROM bots WHERE dead = 0 AND label IS NOT NULL").fetchall()
    return {owner for (owner,) in rows}


def arrived(sandbox):
    return [one.json["text"] for one in sandbox.slack.calls("webhook")]


def away(seconds, bots):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert all(bot.running for bot in bots)
        time.sleep(0.2)


@shared
def test_a_bot_with_another_key_does_not_start(tmp_path, environ):
    with replicas(tmp_path, environ, each=[{"LEVQOR_TELEGRAM": "off"}]):
        other = tmp_path / "other"
        with Program(other, {**environ, "LEVQOR_TELEGRAM": "off"}, "--no-http") as bot:
            assert bot.wait() == 7
        assert "is used with another levqor.key than this home's" in bot.said
        assert "Copy levqor.key from the home of a bot that uses this database" in bot.said
        assert not (other / "levqor.key").exists()
