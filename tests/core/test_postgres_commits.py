"""A COMMIT whose answer was lost: one run, its right outcome, and nothing sent twice."""

import contextlib
import time

import psycopg
import pytest

from core.engine import Engine
from core.errors import LedgerError, QuotaSpent
from core.ledger import Ledger
from core.ledger.store import Undecided
from core.settings import Settings
from tests.support.asking import ADA, HELLO
from tests.support.engines import shared
from tests.support.journal import accept, charged, die, finish, order
from tests.support.postgres_proxy import WAYS, PostgresProxy
from tests.support.tokens import token_of
from tests.support.waiting import wait_for

pytestmark = shared

STEPS = {
    "accept": "INSERT INTO runs",
    "sending": "SET state = 'sending'",
    "settle": "settled_at = ",
}


@pytest.fixture
def proxy(cluster):
    with PostgresProxy(cluster.port) as proxy:
        yield proxy


@pytest.fixture
def far(home, proxy, database):
    """A ledger at the other end of the proxy."""
    with Ledger.open(home, proxy.url(database)) as ledger:
        ledger.store.owner()
        yield ledger


def commit(db, seconds):
    """What is heard of a COMMIT within so long."""
    db.pgconn.send_query(b"COMMIT")
    db.pgconn.flush()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            db.pgconn.consume_input()
        except psycopg.OperationalError:
            return "broken"
        if not db.pgconn.is_busy():
            return db.pgconn.get_result().command_status.decode()
        time.sleep(0.01)
    return "silence"


@pytest.mark.parametrize(("way", "answer", "at_once", "later"), [
    ("", "COMMIT", 1, 1), ("before", "broken", 0, 0), ("after", "broken", 1, 1),
    ("delayed", "broken", 0, 1), ("hung", "silence", 1, 1),
])  # fmt: skip
def test_the_proxy_loses_a_commit_as_it_was_told_and_no_other(
    proxy, cluster, database, way, answer, at_once, later
):
    name = database.rsplit("/", 1)[1]
    cluster.execute("CREATE TABLE seen (n INTEGER)", name)

    def rows():
        return cluster.execute("SELECT count(*) FROM seen", name)[0][0]

    with contextlib.closing(psycopg.connect(proxy.url(database), autocommit=True)) as db:
        for statement in ("BEGIN", "SELECT 1", "COMMIT", "BEGIN"):
            db.execute(statement)
        proxy.cut(way, "INSERT INTO seen", times=1 if way else 0)
        db.execute("INSERT INTO seen VALUES (%(n)s)", {"n": 1})
        proxy.delay = 5.0  # longer than it takes to look
        heard = commit(db, 0.5 if answer == "silence" else 60.0)
        assert (heard, rows()) == (answer, at_once)
    wait_for(lambda: rows() == later, 30)
    assert proxy.commits == ["", way]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("step", STEPS)
def test_a_run_whose_commit_was_lost_is_one_run_sent_once_and_known_as_sent(
    home, sandbox, proxy, environ, database, step, way
):
    urls = {**environ, "LEVQOR_DATABASE_URL": proxy.url(database)}
    with Engine.open(Settings(home, sandbox_urls=urls)) as engine:
        engine.ledger.store.owner()
        proxy.cut(way, STEPS[step])
        settled = engine.run("slack.send", HELLO, ADA, key="slack:t1")
        wait_for(lambda: proxy.cuts, 30)
        assert (settled.outcome, proxy.cuts) == ("sent", [way])
        (record,) = engine.ledger.runs()
        assert (record.run, record.state) == (settled.run, "sent")
        assert engine.run("slack.send", HELLO, ADA, key="slack:t1").run == settled.run
        with pytest.raises(QuotaSpent):
            engine.run("slack.send", HELLO, ADA, key="slack:t2")
        assert engine.ledger.counts() == [("slack.send", "sent", "slack", 1)]
        assert (charged(engine.ledger), engine.unwritten()) == (1, None)
    assert len(sandbox.slack.received) == 1


@pytest.fixture
def no_standby(cluster):
    """Every COMMIT waits for a standby that is not there, until what this gives is called."""

    def wait_for_standby(name):
        cluster.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        cluster.execute("SELECT pg_reload_conf()")
        shown = "SHOW synchronous_standby_names"
        wait_for(lambda: cluster.execute(shown) == [(name,)], 30)

    wait_for_standby("nobody")
    yield lambda: wait_for_standby("")
    wait_for_standby("")


def test_a_run_that_the_database_takes_after_all_is_not_sent_and_gives_its_quota_back(
    ledger, request
):
    """COMMIT hangs for longer than anybody waits, and is done in the end."""
    ledger.store.owner()
    standby_is_back = request.getfixturevalue("no_standby")
    asked = order(key="slack:t1", reply_to="{}")
    with pytest.raises(Undecided):
        ledger.accept(asked, patience=3.0)
    assert ledger.kept() == [asked.run]
    with pytest.raises(LedgerError):
        ledger.catch_up(patience=0.5)
    assert ledger.kept() == [asked.run], "a row that nobody sees yet is waited for"
    standby_is_back()
    ledger.catch_up()
    record = ledger.run(asked.run)
    assert (record.state, record.code, ledger.kept()) == ("not_sent", "ledger_error", [])
    assert charged(ledger) == 0
    again, first = ledger.accept(order(key="slack:t1"))
    assert (again.run, again.state, first) == (asked.run, "not_sent", False)


def test_a_run_that_was_taken_after_all_is_settled_though_nobody_asks_for_more(
    home, sandbox, environ, database, request
):
    urls = {**environ, "LEVQOR_DATABASE_URL": database}
    with Engine.open(Settings(home, sandbox_urls=urls)) as engine:
        engine.ledger.store.owner()
        standby_is_back = request.getfixturevalue("no_standby")
        with pytest.raises(LedgerError):
            engine.accept("slack.send", HELLO, ADA, key="slack:t1", patience=3.0)
        (run,) = engine.ledger.kept()
        standby_is_back()
        wait_for(lambda: not engine.ledger.kept(), 60)
        assert engine.ledger.run(run).state == "not_sent"
        assert charged(engine.ledger) == 0
    assert sandbox.slack.received == []


def test_a_run_that_the_database_never_took_leaves_nothing_behind(ledger):
    ledger.keep("neverthere", state="not_sent", code="ledger_error")
    ledger.catch_up()
    assert (ledger.kept(), ledger.runs(), ledger.counts()) == ([], [], [])


@pytest.mark.parametrize("way", ["before", "after", "delayed"])
def test_askers_whose_claiming_was_lost_are_all_told(home, far, proxy, database, way):
    with Ledger.open(home, database) as bot:
        runs = {finish(bot, "sent", caller=f"cli:{n}", reply_to="{}").run for n in range(5)}
        die(bot)
    proxy.cut(way, "SET teller")
    assert {run.run for run in far.claim_unnotified("cli")} == runs
    wait_for(lambda: proxy.cuts == [way], 30)
    assert far.claim_unnotified("cli") == []


def test_askers_are_told_by_the_next_look_where_this_one_stays_without_an_answer(
    home, far, proxy, database
):
    with Ledger.open(home, database) as bot:
        runs = {finish(bot, "sent", caller=f"cli:{n}", reply_to="{}").run for n in range(5)}
        die(bot)
    proxy.cut("after", "SET teller", times=1000)
    with pytest.raises(Undecided):
        far.claim_unnotified("cli")
    proxy.cut("", "", times=0)
    assert {run.run for run in far.claim_unnotified("cli")} == runs


@pytest.mark.parametrize("way", ["before", "after"])
def test_what_an_admin_changes_is_done_once_where_the_answer_was_lost(far, proxy, way):
    proxy.cut(way, "INSERT INTO tokens")
    token = far.token_new("ci", plan="pro")
    assert (token_of(far, token).label, far.plan("http:ci")) == ("ci", "pro")
    proxy.cut(way, "SET revoked_at")
    far.token_revoke("ci")
    assert token_of(far, token) is None
    code, _ = far.pair_code("telegram")
    proxy.cut(way, "DELETE FROM pairings")
    assert far.redeem("telegram", "42", code)
    proxy.cut(way, "SET paired_at = NULL")
    far.unpair("telegram:42")
    assert far.paired("telegram") == []
    assert proxy.cuts == [way] * 4


@pytest.mark.parametrize("way", ["before", "after"])
def test_two_are_linked_once_where_each_answer_was_lost(far, proxy, way):
    proxy.cut(way, "INSERT INTO link_codes")
    code = far.link_code("slack:T1:U1", lambda _: None)
    proxy.cut(way, "SET redeemer = ")
    assert far.link_redeem("telegram:42", code, lambda _: None) == "slack:T1:U1"
    proxy.cut(way, "DELETE FROM link_codes WHERE maker")
    name = far.link_confirm("slack:T1:U1", "telegram:42", lambda *_: ("sender", None))
    assert [(each.name, each.callers) for each in far.people()] == [
        (name, ("slack:T1:U1", "telegram:42"))
    ]
    assert [(row.what, row.after["person"]) for row in far.audit()] == [("link", [name])]
    assert proxy.cuts == [way] * 3


@pytest.mark.parametrize("way", ["before", "after"])
def test_an_unknown_end_that_is_written_twice_counts_once(far, proxy, way):
    entry, _ = accept(far)
    far.sending(entry.run)
    proxy.cut(way, STEPS["settle"])
    far.settle(entry.run, "unknown", reason="interrupted")
    assert (far.counts(), proxy.cuts) == ([("sample.do", "unknown", "cli", 1)], [way])
