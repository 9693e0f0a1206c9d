"""A run's own work, beside a bare post and Apprise, with a small and a large ledger.

All three post to the same loopback server from the same process, taking turns, so that
whatever else this machine does falls on each alike. Own work is a run's time less the
median bare post's: contract, journal, quota, queue, two commits, log and receipt.
"""

import os
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

import apprise
import requests

from core.callers import Caller
from core.engine import Engine
from core.ledger import Ledger
from core.settings import Settings
from tests.bench import server, table

SIZES = (1_000, 1_000_000)
WARM_UP, ROUNDS = 50, 1_000
BOUND_MS = 1.5
CALLER = Caller("cli", "bench")
BODY = {"text": "The build is green."}

_FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO runs (run, at, day, action, connector, caller, surface, test, state, charged, rebind,
                  fingerprint, owner, attempts, ms, receipt, settled_at)
SELECT printf('b%09d', i), :now - i * 7.0, date(:now - i * 7.0, 'unixepoch'), 'slack.send', 'slack',
       'cli:' || (i % 50), 'cli', i % 10 = 0, iif(i % 20 = 0, 'refused', 'sent'), i % 20 != 0, 0,
       randomblob(32), 'bench', 1, 120.0, '{"status": "sent"}', :now - i * 7.0
FROM n
"""


def fill(home, count):
    """Write that many runs, a week of seconds apart, straight into a ledger."""
    Ledger.open(home).close()
    with sqlite3.connect(home / "levqor.db") as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute(_FILL, {"count": count, "now": time.time() - 60})
        db.execute("ANALYZE")
    db.close()
    # Else the disk is still writing this down while the runs are measured.
    os.sync()


def measure(home, url):
    """Milliseconds of a bare post, of Apprise and of a run, taken in turns."""
    environ = {"SLACK_WEBHOOK_URL": f"{url}/services/T1/B1/bench"}
    session = requests.Session()
    session.trust_env = False
    other = apprise.Apprise()
    other.add(url.replace("http://", "json://"))
    taken = {"requests.Session.post": [], "Apprise": [], "levqor run": []}
    with Engine.open(Settings(home, environ=environ)) as engine:
        engine.ledger.set_plan(str(CALLER), "pro")
        ways = (
            lambda: session.post(environ["SLACK_WEBHOOK_URL"], json=BODY, timeout=10).ok,
            lambda: other.notify(body=BODY["text"]),
            lambda: engine.run("slack.send", BODY, CALLER).outcome == "sent",
        )
        for number in range(WARM_UP + ROUNDS):
            for name, way in zip(taken, ways, strict=True):
                began = time.perf_counter()
                good = way()
                took = (time.perf_counter() - began) * 1000
                if not good:
                    raise SystemExit(f"{name} failed")
                if number >= WARM_UP:
                    taken[name].append(took)
    session.close()
    return taken


def main():
    """Print the table; the bound is told, not enforced: a busy machine is no fault of ours."""
    rows = []
    with server.running() as url:
        for size in SIZES:
            with tempfile.TemporaryDirectory(prefix="levqor-bench-") as folder:
                fill(Path(folder), size)
                taken = measure(Path(folder), url)
            bare = statistics.median(taken["requests.Session.post"])
            taken["own work of a run"] = [one - bare for one in taken["levqor run"]]
            rows += [(f"{size:,}", name, *table.spread(each)) for name, each in taken.items()]
    table.show(
        f"One send, {ROUNDS:,} times in turns (bound: own work under {BOUND_MS} ms at the median)",
        ("rows in the ledger", "what", "median ms", "p95 ms"),
        rows,
    )
