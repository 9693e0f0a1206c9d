"""One ledger in several hands: threads, processes, those who wait and who read."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import LedgerError
from core.ledger import Ledger
from core.ledger.owners import Owner
from core.ledger.writer import Writer
from tests.support.engines import both, pooled_too
from tests.support.holding import rows_held
from tests.support.journal import accept, finish, order
from tests.support.waiting import wait_for


@pooled_too
def test_a_write_waits_as_long_as_it_was_told_to(ledger, home, database):
    accept(ledger, caller="cli:early")
    with rows_held(home, database):
        began = time.monotonic()
        with pytest.raises(LedgerError) as caught:
            ledger.accept(order(), patience=0.3)
        assert caught.value.reason == "ledger_locked"
        assert 0.25 < time.monotonic() - began < 5
    accept(ledger)


@both
def test_reads_do_not_wait_for_a_writer(ledger, home, database):
    finish(ledger, "sent")
    with rows_held(home, database):
        began = time.monotonic()
        assert len(ledger.runs()) == 1
        assert time.monotonic() - began < 5


@pooled_too
def test_many_threads_share_commits_and_lose_nothing(ledger):
    def some(n):
        for k in range(25):
            finish(ledger, "sent", caller=f"cli:{n}-{k}")

    threads = [threading.Thread(target=some, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger.runs(last=1000)) == 200


@both
def test_an_id_that_is_taken_is_drawn_again(ledger):
    entry, _ = accept(ledger)
    other, first = accept(ledger, run=entry.run, caller="cli:bob")
    assert first
    assert other.run != entry.run
    assert len(other.run) == 10
    assert {e.run for e in ledger.runs()} == {entry.run, other.run}


@both
def test_a_piece_that_fails_takes_no_other_with_it(ledger):
    hold, told = threading.Event(), []
    slow = threading.Thread(target=ledger.store.write, args=(lambda _: hold.wait(10),))
    slow.start()
    others = [
        threading.Thread(target=lambda n=n: told.append(accept(ledger, caller=f"cli:{n}")))
        for n in range(5)
    ]
    bad = []

    def fails(_):
        raise ZeroDivisionError

    def failing():
        with pytest.raises(ZeroDivisionError):
            ledger.store.write(fails)
        bad.append(True)

    for thread in (*others, last := threading.Thread(target=failing)):
        thread.start()
    hold.set()
    for thread in (slow, *others, last):
        thread.join()
    assert (len(told), bad, len(ledger.runs())) == (5, [True], 5)


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


def in_memory():
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def test_what_is_cleared_in_pauses_is_cleared_where_there_are_none_too():
    cleared, me = [], threading.current_thread()

    def idle(_, *, goes_on):
        cleared.append(threading.current_thread())

    writer = Writer(in_memory, lambda: None, str, idle, no_pause=0.0)
    wait_for(lambda: writer.call(lambda _: True) and me in cleared)
    writer.close()


def test_a_fault_that_is_not_sqlites_leaves_nobody_waiting_for_ever(home):
    def refuse():
        raise ZeroDivisionError

    def explain(error):
        return LedgerError(f"explained {type(error).__name__}")

    writer = Writer(in_memory, refuse, explain, lambda _, *, goes_on: None)
    for _ in range(2):
        with pytest.raises(LedgerError, match="explained ZeroDivisionError"):
            writer.call(lambda db: None)
    writer.close()


@both
def test_a_home_opened_twice_by_one_process_loses_nothing_to_another(home, open_ledger, database):
    with open_ledger() as ledger:
        ledger.accept(order(test=True))
        open_ledger().close()
        code = "import sys, pathlib; from core.ledger import Ledger; "
        code += "Ledger.open(pathlib.Path(sys.argv[1]), sys.argv[2] or None).close()"
        subprocess.run([sys.executable, "-c", code, home, database or ""], check=True, timeout=60)
        entry, _ = ledger.accept(order(test=True))
        with open_ledger() as other:
            assert other.run(entry.run) == entry


@both
def test_one_with_little_patience_does_not_wait_for_one_with_more(ledger, home, database):
    ledger.store.owner()
    with ThreadPoolExecutor() as pool, rows_held(home, database) as release:
        patient = pool.submit(ledger.accept, order(test=True), patience=60.0)
        with pytest.raises(LedgerError, match="is held") as caught:
            ledger.accept(order(test=True, caller="cli:bob"), patience=0.1)
        assert caught.value.reason == "ledger_locked"
        assert not patient.done()
        release()
        assert patient.result(30)[1]


def test_those_who_came_while_the_ledger_was_held_are_all_served_before_a_stop(home):
    with Ledger.open(home) as ledger, ThreadPoolExecutor() as pool:
        holder = sqlite3.connect(ledger.store.files, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        waiting = [pool.submit(ledger.accept, order(test=True), patience=60.0) for _ in range(3)]
        wait_for(lambda: not ledger.store._writer._pieces and ledger.store._owner is not None, 15)
        stop = threading.Thread(target=ledger.store._writer.close)
        stop.start()
        holder.close()
        stop.join(30)
        assert not stop.is_alive()
        assert len([one for one in waiting if one.result(30)[1]]) == 3


def test_one_whose_patience_ends_first_leaves_the_rest_to_those_with_more(home):
    with (
        Ledger.open(home) as ledger,
        ThreadPoolExecutor() as pool,
        rows_held(home, None) as release,
    ):
        hasty = pool.submit(ledger.store.write, lambda _: 1, patience=0.5)
        wait_for(lambda: ledger.store._writer._leader is not None, 15)
        patient = pool.submit(ledger.store.write, lambda _: 2, patience=60.0)
        with pytest.raises(LedgerError, match="is held"):
            hasty.result(30)
        assert not patient.done()
        release()
        assert patient.result(30) == 2


def test_one_who_is_interrupted_at_a_commit_leaves_the_rest_to_the_next(home):
    def interrupted(db):
        db.execute("INSERT INTO meta (name, value) VALUES ('half', '')")
        wait_for(lambda: ledger.store._writer._pieces, 15)
        raise KeyboardInterrupt

    with Ledger.open(home) as ledger, ThreadPoolExecutor() as pool:
        began = pool.submit(ledger.store.write, interrupted)
        wait_for(lambda: ledger.store._writer._leader is not None, 15)
        after = pool.submit(ledger.store.write, lambda db: db.execute(_META).fetchone())
        with pytest.raises(KeyboardInterrupt):
            began.result(30)
        assert after.result(30) == (0,)


def test_one_who_is_interrupted_while_waiting_holds_nobody_up(home):
    hold = threading.Event()

    def interrupt():
        wait_for(lambda: writer._pieces, 15)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    with Ledger.open(home) as ledger, ThreadPoolExecutor() as pool:
        writer = ledger.store._writer
        slow = pool.submit(ledger.store.write, lambda _: hold.wait(30))
        wait_for(lambda: writer._leader is not None, 15)
        pool.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            ledger.store.write(lambda db: db.execute("INSERT INTO meta VALUES ('late', '')"))
        hold.set()
        assert slow.result(30)
        assert ledger.store.write(lambda db: db.execute(_META).fetchone()) == (0,)


_META = "SELECT count(*) FROM meta WHERE name IN ('half', 'late')"
