"""What is counted, copied, noticed and forgotten."""

import contextlib
import os
import sqlite3
import stat
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import LedgerError
from core.ledger import Ledger
from core.ledger.postgres import Lease
from core.ledger.records import RUN_COLUMNS
from core.ledger.runs import PRUNE_STEP, forget_old_replies
from core.ledger.store import ANSWER_SECONDS
from tests.support.engines import both, pooled_too, shared
from tests.support.journal import accept, die, finish, order
from tests.support.tokens import token_of
from tests.support.waiting import wait_for


@shared
def test_where_to_answer_is_in_no_table_once_told(ledger, cluster, database):
    entry, _ = accept(ledger, reply_to="https://hooks.invalid/response/SECRETANSWERPLACE")
    assert "SECRETANSWERPLACE" in cluster.dump(database)
    ledger.sending(entry.run)
    ledger.settle(entry.run, "sent")
    ledger.mark_notified(entry.run)
    dump = cluster.dump(database)
    assert entry.run in dump
    assert "SECRETANSWERPLACE" not in dump


@both
def test_where_to_answer_is_forgotten_after_half_an_hour(ledger):
    old, _ = accept(ledger, reply_to="x", at=time.time() - ANSWER_SECONDS - 1)
    new, _ = accept(ledger, reply_to="y", caller="cli:bob")
    ledger.store.write(lambda db: forget_old_replies(db, time.time() - ANSWER_SECONDS))
    assert ledger.run(old.run).reply_to is None
    assert ledger.run(new.run).reply_to == "y"


@both
def test_usage_counts_outcomes_and_percentiles_and_leaves_tests_out(ledger):
    for n, (outcome, ms) in enumerate(
        [("sent", 10), ("sent", 20), ("sent", 30), ("sent", 1000), ("refused", 40), ("unknown", 50)]
    ):
        entry, _ = accept(ledger, caller=f"cli:{n}")
        ledger.sending(entry.run)
        ledger.settle(entry.run, outcome, ms=float(ms), attempts=1)
    finish(ledger, "sent", test=True)
    finish(ledger, "sent", at=time.time() - 3 * 86400, caller="cli:old")
    (row,) = ledger.usage(2)
    assert (row.connector, row.sent, row.refused, row.not_sent, row.unknown) == (
        "sample", 4, 1, 0, 1,
    )  # fmt: skip
    assert (row.p50_ms, row.p95_ms) == (30.0, 1000.0)
    assert len(ledger.usage(4)) == 2


@both
def test_usage_of_runs_without_a_time_has_no_percentiles(ledger):
    entry, _ = accept(ledger)
    ledger.settle(entry.run, "not_sent")
    (row,) = ledger.usage(1)
    assert (row.not_sent, row.p50_ms, row.p95_ms) == (1, None, None)


@both
def test_what_was_never_tried_is_counted_but_not_timed(ledger):
    for n, (outcome, ms, attempts) in enumerate([("sent", 30, 1), ("not_sent", 0.001, 0)]):
        entry, _ = accept(ledger, caller=f"cli:{n}")
        ledger.settle(entry.run, outcome, ms=float(ms), attempts=attempts)
    (row,) = ledger.usage(1)
    assert (row.sent, row.not_sent, row.p50_ms, row.p95_ms) == (1, 1, 30.0, 30.0)


@both
def test_a_verdict_that_stays_is_one_stretch(ledger):
    ledger.probed("sample", "ok", None, 5.0)
    ledger.probed("sample", "ok", None, 7.0)
    ledger.probed("sample", "failing", "no_service", 9.0)
    latest, before = ledger.probes("sample", limit=9)
    assert (latest.verdict, latest.reason, latest.latency_ms) == ("failing", "no_service", 9.0)
    assert (before.verdict, before.latency_ms) == ("ok", 7.0)
    assert before.since <= before.at <= latest.since


@both
def test_a_way_in_counts_as_gone_once_its_bot_is(open_ledger):
    bot = open_ledger()
    bot.inbound("telegram", ok=True, verdict="listening")
    with open_ledger() as other:
        assert other.inbounds()[0].alive is True
        die(bot)
        assert other.inbounds()[0].alive is False


@pooled_too
def test_pruning_leaves_what_is_recent_or_still_open(ledger):
    finish(ledger, "sent", at=time.time() - 91 * 86400, run="oldoldoldo")
    accept(ledger, at=time.time() - 91 * 86400, run="openopenop", caller="cli:bob")
    finish(ledger, "sent", run="newnewnewn")
    assert ledger.prune(90) == 1
    assert {e.run for e in ledger.runs()} == {"openopenop", "newnewnewn"}


@both
def test_how_many_runs_ended_is_counted_once_and_outlives_the_runs(ledger, open_ledger):
    old = finish(ledger, "sent", at=time.time() - 91 * 86400)
    finish(ledger, "refused", caller="cli:bob")
    with open_ledger() as other:
        finish(other, "sent", caller="http:ci", surface="http")
        assert other.settle(old.run, "unknown") is False
        assert other.prune(90) == 1
    assert sorted(ledger.counts()) == [
        ("sample.do", "refused", "cli", 1),
        ("sample.do", "sent", "cli", 1),
        ("sample.do", "sent", "http", 1),
    ]


@pooled_too
def test_a_backup_is_whole_owner_only_and_never_overwrites(ledger, home, tmp_path):
    entry = finish(ledger, "sent")
    file = tmp_path / "copy.db"
    ledger.backup(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with contextlib.closing(sqlite3.connect(file)) as db:
        rows = db.execute("SELECT run, state FROM runs").fetchall()
    assert rows == [(entry.run, "sent")]
    with pytest.raises(LedgerError, match="exists"):
        ledger.backup(file)


@shared
def test_what_a_dead_process_left_is_forgotten_soon_after_another_becomes_an_owner(home, database):
    with Ledger.open(home, database) as ledger:
        entry, _ = accept(ledger, at=time.time() - 3600, reply_to="CANARY-old")
    with Ledger.open(home, database, lease=Lease(2, 0.3, 3)) as fresh:
        fresh.store.owner()
        wait_for(lambda: fresh.run(entry.run).reply_to is None, 30)


@shared
def test_the_sweep_finds_those_who_wait_by_their_index(ledger):
    def plan(db):
        db.execute("SET LOCAL enable_seqscan = off")
        sweep = "UPDATE runs SET reply_to = NULL WHERE reply_to IS NOT NULL AND at + 0 < 1.0"
        return db.execute(f"EXPLAIN {sweep}").fetchall()

    assert "runs_waiting" in str(ledger.store.write(plan))


def test_the_idle_sweep_looks_at_those_who_wait_and_not_at_every_run(home):
    with (
        Ledger.open(home) as ledger,
        contextlib.closing(sqlite3.connect(ledger.store.files)) as db,
        db,
    ):
        plans = []
        db.set_trace_callback(lambda sql: plans.append(sql) if sql.startswith("UPDATE") else None)
        forget_old_replies(db, time.time() - ANSWER_SECONDS)
        db.set_trace_callback(None)
        steps = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {plans[0]}")]
    db.close()
    assert steps == ["SCAN runs USING INDEX runs_waiting"]


@both
def test_strangers_are_pruned_with_their_runs_and_those_with_a_standing_are_not(open_ledger):
    long_ago = time.time() - 200 * 86400
    with open_ledger() as ledger:
        kept = ["http:label", "slack:PRO", "telegram:42"]
        for caller in ["http:192.0.2.7", *kept]:
            entry, _ = ledger.accept(order(test=True, at=long_ago, caller=caller))
            ledger.settle(entry.run, "sent")
        token = ledger.token_new("label")
        ledger.set_plan("slack:PRO", "pro")
        code, _ = ledger.pair_code("telegram")
        assert ledger.redeem("telegram", "42", code)
        assert ledger.prune(90) == 4
        assert sorted(person.caller for person in ledger.callers()) == kept
        assert token_of(ledger, token)
        if not ledger.store.shared:
            assert b"192.0.2.7" not in ledger.store.files.read_bytes()


def test_a_backup_that_failed_leaves_no_half_copy(home):
    with Ledger.open(home) as ledger:
        ledger.store.files.rename(home / "away.db")
        with pytest.raises(LedgerError):
            ledger.backup(home / "copy.db")
        assert not (home / "copy.db").exists()


@both
def test_pruning_goes_in_steps_that_let_others_in(open_ledger):
    with open_ledger() as ledger:
        entry, _ = ledger.accept(order(test=True, at=0.0))
        ledger.settle(entry.run, "sent")
        some = PRUNE_STEP + 10
        columns = RUN_COLUMNS.removeprefix("run, ") + ", day, charged, rebind, owner, quota_owner"
        ledger.store.write(
            lambda db: db.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :some) "
                f"INSERT INTO runs (run, {columns}) SELECT 'n' || i, {columns} FROM runs, n",
                {"some": some},
            )
        )
        before = time.time()
        assert ledger._prune_runs(before) == 2000
        assert ledger.prune(90) == some + 1 - 2000
        assert ledger.runs() == []


@both
def test_a_backup_for_which_there_is_no_room_names_the_copy(ledger, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o mode=700,size=40k x {disk} 2>/dev/null"):
        pytest.skip("mounting a small disk needs to be root")
    try:
        with pytest.raises(LedgerError) as caught:
            ledger.backup(disk / "copy.db")
        assert caught.value.reason == "ledger_full"
        assert str(disk / "copy.db") in caught.value.message
        assert list(disk.iterdir()) == []
    finally:
        os.system(f"umount -l {disk}")


@both
@pytest.mark.parametrize("name", ["usage", "backup"])
def test_what_reads_for_long_stands_in_no_other_readers_way(home, open_ledger, name):
    with open_ledger() as ledger, ThreadPoolExecutor() as pool:
        entry, _ = ledger.accept(order(test=True))
        ledger.settle(entry.run, "sent")
        ask = {"usage": lambda: ledger.usage(1), "backup": lambda: ledger.backup(home / "copy")}
        ledger.store.read(lambda _: pool.submit(ask[name]).result(30))
