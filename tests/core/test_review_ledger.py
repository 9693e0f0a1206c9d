"""A ledger that is replaced, copied back, linked to, read for long, or never left alone."""

import contextlib
import os
import sqlite3
import tempfile
import time
from pathlib import Path

import pytest

from core.errors import LedgerError
from core.ledger import Ledger, Order, runs, watch, word
from core.ledger.owners import Owner
from core.ledger.writer import Writer


def order(**more):
    return Order(
        run=word(10), action="slack.send", connector="slack", surface="slack",
        fingerprint=b"f" * 32, test=True, **{"at": time.time(), "caller": "slack:U1", **more},
    )  # fmt: skip


def until(true, seconds=15):
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return true()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_ledger_that_was_deleted_while_in_use_is_said_and_nothing_is_lost(home, replaced):
    with Ledger.open(home) as ledger:
        ledger.accept(order())
        for file in home.glob("levqor.db*"):
            file.unlink()
        if replaced:
            Ledger.open(home).close()
        for ask in (lambda: ledger.accept(order()), ledger.runs):
            with pytest.raises(LedgerError, match="moved, deleted or replaced") as caught:
                ask()
            assert caught.value.reason == "ledger_replaced"


def test_each_who_waits_gets_an_error_of_his_own(home):
    with Ledger.open(home) as ledger:
        ledger.accept(order())
        ledger.path.rename(home / "away.db")
        errors = []
        for _ in range(2):
            with pytest.raises(LedgerError) as caught:
                ledger.accept(order())
            errors.append(caught.value)
        assert errors[0] is not errors[1]


def test_a_backup_that_was_copied_back_is_made_private(home):
    Ledger.open(home).close()
    (home / "levqor.db").chmod(0o644)
    with Ledger.open(home) as ledger:
        ledger.accept(order())
        modes = {p.name: p.stat().st_mode & 0o777 for p in home.glob("levqor.db*")}
    assert set(modes.values()) == {0o600}, modes


def test_a_process_that_came_by_a_link_is_seen_to_be_alive(home, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    with Ledger.open(home) as here:
        entry, _ = here.accept(order())
        (other / "levqor.db").symlink_to(home / "levqor.db")
        with Ledger.open(other) as there:
            assert there.recover() == []
            assert there.run(entry.run).state == "accepted"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make another user's file")
def test_another_users_process_is_taken_to_be_alive():
    # Not pytest's own folder: nobody but its user may look into that.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        ledger = Path(folder) / "levqor.db"
        ledger.with_name("levqor.db-owner-root").touch(mode=0o600)
        os.seteuid(65534)
        try:
            assert Owner.lives(ledger, "root")
        finally:
            os.seteuid(0)
        assert not Owner.lives(ledger, "root")


def test_a_reader_at_the_wrong_moment_only_puts_the_emptying_off(home):
    with Ledger.open(home) as ledger:
        entry, _ = ledger.accept(order(reply_to="CANARY-where-to-answer"))
        with contextlib.closing(sqlite3.connect(ledger.path)) as reader, reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM runs").fetchall()
            ledger.told(entry.run)
            time.sleep(1.3)
            wal = home / "levqor.db-wal"
            assert b"CANARY" in wal.read_bytes()
        reader.close()
        assert until(lambda: b"CANARY" not in wal.read_bytes())
    assert all(b"CANARY" not in file.read_bytes() for file in home.iterdir())


def test_what_a_dead_process_left_in_the_log_goes_soon_after_the_start(home):
    with Ledger.open(home) as idle, Ledger.open(home) as ledger:
        entry, _ = ledger.accept(order(at=time.time() - 3600, reply_to="CANARY-old"))
        ledger.close()
        assert idle.runs()[0].run == entry.run
        db = sqlite3.connect(idle.path)
        db.execute("UPDATE runs SET reply_to = 'CANARY-old'")
        db.commit()
        with Ledger.open(home) as fresh:
            assert until(lambda: fresh.run(entry.run).reply_to is None)
        db.close()


def test_a_fault_that_is_not_sqlites_leaves_nobody_waiting_for_ever(home):
    def refuse():
        raise ZeroDivisionError

    def explain(error):
        return LedgerError(f"explained {type(error).__name__}")

    writer = Writer(lambda: sqlite3.connect(":memory:", isolation_level=None,
                    check_same_thread=False), refuse, explain, lambda _: None)  # fmt: skip
    writer.start()
    for _ in range(2):
        with pytest.raises(LedgerError, match="explained ZeroDivisionError"):
            writer.call(lambda db: None)
    writer.close()


def test_where_to_answer_and_keys_do_not_show_when_an_order_is_printed():
    shown = repr(order(key="http:PRIVATE-key", reply_to="PRIVATE-place"))
    assert "PRIVATE" not in shown


def test_a_clock_that_was_set_back_makes_nobody_wait_for_hours(home):
    now = time.time()
    with Ledger.open(home) as ledger:
        ledger.accept(order(at=now + 7200, guard=True, test_gap=60.0))
        _, first = ledger.accept(order(at=now, guard=True, test_gap=60.0))
        assert first
        ledger._write(lambda db: watch.probed(db, "slack", "ok", None, 1.0, now + 7200))
        ledger.probed("slack", "failing", "webhook_gone", 1.0)
        ledger.probed("slack", "failing", "webhook_gone", 1.0)
        assert [s.verdict for s in ledger.probes("slack", 9)] == ["failing", "ok"]


def test_the_idle_sweep_looks_at_those_who_wait_and_not_at_every_run(home):
    with Ledger.open(home) as ledger, contextlib.closing(sqlite3.connect(ledger.path)) as db, db:
        plans = []
        db.set_trace_callback(lambda sql: plans.append(sql) if sql.startswith("UPDATE") else None)
        runs.forget_old_answers(db, time.time())
        db.set_trace_callback(None)
        steps = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {plans[0]}")]
    db.close()
    assert steps == ["SCAN runs USING INDEX runs_waiting"]


def test_strangers_are_pruned_with_their_runs_and_those_with_a_standing_are_not(home):
    long_ago = time.time() - 200 * 86400
    with Ledger.open(home) as ledger:
        kept = ["http:label", "slack:PRO", "telegram:42"]
        for caller in ["http:192.0.2.7", *kept]:
            entry, _ = ledger.accept(order(at=long_ago, caller=caller))
            ledger.settle(entry.run, "sent")
        token = ledger.token_new("label")
        ledger.set_plan("slack:PRO", "pro")
        code, _ = ledger.pair_code("telegram")
        assert ledger.redeem("telegram", "42", code)
        assert ledger.prune(90) == 4
        assert sorted(person.caller for person in ledger.callers()) == kept
        assert ledger.token_check(token)
        assert b"192.0.2.7" not in ledger.path.read_bytes()


def test_a_backup_that_failed_leaves_no_half_copy(home):
    with Ledger.open(home) as ledger:
        ledger.path.rename(home / "away.db")
        with pytest.raises(LedgerError):
            ledger.backup(home / "copy.db")
        assert not (home / "copy.db").exists()


@pytest.mark.parametrize("wrong", ["folder", "pipe"])
def test_what_is_no_file_is_not_taken_for_a_ledger(home, wrong):
    file = home / "levqor.db"
    os.mkfifo(file) if wrong == "pipe" else file.mkdir()
    mode = file.stat().st_mode
    with pytest.raises(LedgerError, match="cannot be written"):
        Ledger.open(home)
    assert file.stat().st_mode == mode


def test_pruning_goes_in_steps_that_let_others_in(home):
    with Ledger.open(home) as ledger:
        entry, _ = ledger.accept(order(at=0.0))
        ledger.settle(entry.run, "sent")
        some = runs.PRUNE_STEP + 10
        with contextlib.closing(sqlite3.connect(ledger.path)) as db, db:
            db.execute("CREATE TEMP TABLE old AS SELECT * FROM runs")
            db.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
                f"INSERT INTO runs ({runs.COLUMNS}, day, charged, rebind, fingerprint, owner) "
                "SELECT i, at, action, connector, caller, surface, test, state, attempts, ms, "
                "code, reason, receipt, settled_at, reply_to, day, charged, rebind, fingerprint, "
                "owner FROM old, n",
                (some,),
            )
        db.close()
        before = time.time()
        assert ledger._write(lambda db: runs.prune(db, before)) == 2000
        assert ledger.prune(90) == some + 1 - 2000
        assert ledger.runs() == []


def test_a_backup_for_which_there_is_no_room_names_the_copy(home, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size=40k none {disk} 2>/dev/null"):
        pytest.skip("mounting a small disk needs to be root")
    try:
        with Ledger.open(home) as ledger, pytest.raises(LedgerError) as caught:
            ledger.backup(disk / "copy.db")
        assert caught.value.reason == "ledger_full"
        assert str(disk / "copy.db") in caught.value.message
        assert list(disk.iterdir()) == []
    finally:
        os.system(f"umount -l {disk}")
