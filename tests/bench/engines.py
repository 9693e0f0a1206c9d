"""Both databases: durable runs a second, beside an idempotency table in plain psycopg.

Every commit is flushed to the disk. The table is what a user would write: one row for a request's
key, one update when it is done. A whole run is accepted, sending, settled and told of: four
commits, with quota, journal and lease. One process with one caller, then eight with eight; the
three take turns.
"""

import multiprocessing
import tempfile
import threading
import time
from pathlib import Path

import psycopg

from core.ledger import Ledger, RunRequest, random_code
from tests.bench.measured import REPEATS, Measured, median, percentile
from tests.support.postgres import Cluster

SECONDS = 1.5
SIZES = ((1, 1), (8, 8))
SYSTEMS = ("SQLite", "PostgreSQL", "psycopg table")
# What is imported by now need not be once more, 270 times.
_CONTEXT = multiprocessing.get_context("fork")
_TABLE = "CREATE TABLE IF NOT EXISTS requests (key TEXT PRIMARY KEY, state TEXT, at TIMESTAMPTZ)"


class Table:
    """What a user would write: a connection for each caller, and one row for each request."""

    def __init__(self, url):
        self._url, self._own = url, threading.local()

    def accept(self):
        """Take a request unless it was taken before; its key."""
        db = getattr(self._own, "db", None) or psycopg.connect(self._url)
        self._own.db = db
        key = random_code(20)
        sql = "INSERT INTO requests VALUES (%s, 'accepted', now()) ON CONFLICT DO NOTHING"
        assert db.execute(sql, [key]).rowcount == 1
        db.commit()
        return key

    def end(self, key):
        """Say that it was done."""
        self._own.db.execute("UPDATE requests SET state = 'sent' WHERE key = %s", [key])
        self._own.db.commit()


class Runs:
    """The same with the ledger."""

    def __init__(self, home, url):
        self._ledger = Ledger.open(home, url)
        self._ledger.default_plan = "pro"

    def accept(self):
        """Journal a run of the thread's own caller; its id."""
        caller = f"http:{threading.get_native_id()}"
        request = RunRequest(
            run=random_code(10), action="slack.send", connector="slack", caller=caller,
            surface="http", fingerprint=b"f" * 32, key=random_code(20), reply_to="{}",
        )  # fmt: skip
        record, first = self._ledger.accept(request)
        assert first
        return record.run

    def end(self, run):
        """Send it, settle it, tell of it."""
        assert self._ledger.sending(run)
        self._ledger.settle(run, "sent", attempts=1, ms=1.0)
        self._ledger.mark_notified(run)


def child(pipe, home, url, system, whole, callers):
    """One process: measure once it is told to, and tell what was taken."""
    runs = Table(url) if system == "psycopg table" else Runs(Path(home), url or None)
    taken, until = [], 0.0

    def call():
        while time.monotonic() < until:
            began = time.perf_counter()
            run = runs.accept()
            if whole:
                runs.end(run)
            taken.append((time.perf_counter() - began) * 1000)

    runs.end(runs.accept())
    pipe.send("ready")
    pipe.recv()
    until = time.monotonic() + SECONDS
    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pipe.send(taken)


def measure_one(home, url, system, whole, size):
    """Milliseconds of each, from all the processes together."""
    processes, callers = size
    pipes, children = [], []
    for _ in range(processes):
        ours, theirs = _CONTEXT.Pipe()
        given = (theirs, home, url, system, whole, callers)
        children.append(_CONTEXT.Process(target=child, args=given, daemon=True))
        children[-1].start()
        theirs.close()  # whoever ends early is noticed
        pipes.append(ours)
    for pipe in pipes:
        assert pipe.recv() == "ready"
    for pipe in pipes:
        pipe.send("go")
    taken = [each for pipe in pipes for each in pipe.recv()]
    for one in children:
        one.join()
    return taken


def measure_all(cluster, folder):
    """Milliseconds of each in every repeat, by case and system."""
    taken = {}
    for _ in range(REPEATS):
        for case in [(whole, size) for whole in ("", "whole") for size in SIZES]:
            for system in SYSTEMS:
                url = "" if system == "SQLite" else cluster.url()
                repeats = taken.setdefault((*case, system), [])
                repeats.append(measure_one(folder, url, system, *case))
    return taken


def measure():
    """Measure every system in turns."""
    with Cluster(durable=True) as cluster, tempfile.TemporaryDirectory() as folder:
        cluster.execute(_TABLE)
        taken = measure_all(cluster, folder)
    for (whole, size, system), repeats in taken.items():
        times = f"{size[0]} x {size[1]} callers" if size[0] > 1 else "one caller"
        name = f"{system}, {'whole run' if whole else 'accept'}, {times}"
        yield Measured(name, "1/s", [len(each) / SECONDS for each in repeats])
        yield Measured(f"{name}, p50", "ms", [median(each) for each in repeats])
        yield Measured(f"{name}, p99", "ms", [percentile(each, 0.99) for each in repeats])
