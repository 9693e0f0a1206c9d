"""One home in several hands: other processes, other ledgers, those who wait and who read."""

import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import LedgerError
from core.ledger import Ledger, Order, word


def order():
    return Order(
        run=word(10), at=time.time(), action="slack.send", connector="slack", caller="slack:U1",
        surface="slack", fingerprint=b"f" * 32, test=True,
    )  # fmt: skip


def until(true, seconds=15):
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return true()


def test_a_home_opened_twice_by_one_process_loses_nothing_to_another(home):
    with Ledger.open(home) as ledger:
        ledger.accept(order())
        Ledger.open(home).close()
        code = "import sys, pathlib; from core.ledger import Ledger; "
        code += "Ledger.open(pathlib.Path(sys.argv[1])).close()"
        subprocess.run([sys.executable, "-c", code, home], check=True, timeout=60)
        entry, _ = ledger.accept(order())
        db = sqlite3.connect(f"file:{ledger.path}?mode=ro", uri=True)
        assert db.execute("SELECT 1 FROM runs WHERE run = ?", (entry.run,)).fetchone() == (1,)
        db.close()


def test_one_with_little_patience_does_not_wait_for_one_with_more(home):
    with Ledger.open(home) as ledger, ThreadPoolExecutor() as pool:
        holder = sqlite3.connect(ledger.path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        patient = pool.submit(ledger.accept, order(), patience=60.0)
        assert until(ledger._writer._pieces.empty)
        with pytest.raises(LedgerError, match="held by another program"):
            ledger.accept(order(), patience=0.1)
        assert not patient.done()
        holder.close()
        assert patient.result(30)[1]


def test_those_who_came_while_the_ledger_was_held_are_all_served_before_a_stop(home):
    with Ledger.open(home) as ledger, ThreadPoolExecutor() as pool:
        holder = sqlite3.connect(ledger.path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        waiting = [pool.submit(ledger.accept, order(), patience=60.0) for _ in range(3)]
        assert until(lambda: ledger._writer._pieces.empty() and ledger._owner is not None)
        stop = threading.Thread(target=ledger._writer.close)
        stop.start()
        holder.close()
        stop.join(30)
        assert not stop.is_alive()
        assert len([one for one in waiting if one.result(30)[1]]) == 3


@pytest.mark.parametrize("name", ["usage", "backup"])
def test_what_reads_for_long_stands_in_no_other_readers_way(home, name):
    with Ledger.open(home) as ledger, ThreadPoolExecutor() as pool:
        entry, _ = ledger.accept(order())
        ledger.settle(entry.run, "sent")
        ask = {"usage": lambda: ledger.usage(1), "backup": lambda: ledger.backup(home / "copy")}
        with ledger._reading():
            pool.submit(ask[name]).result(30)
