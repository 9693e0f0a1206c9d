"""A database with as many runs as wanted, on either engine."""

import os
import time

from core.connectors import CONNECTORS
from core.ledger import Ledger
from core.ledger.backup import TABLES

PEOPLE = 50
ACTIONS = [(c.name, c.action_id(action)) for c in CONNECTORS for action in c.actions]
EVERY_SECONDS = 7.0


def rows(count, now):
    """Runs of fifty callers, seven seconds apart, the last of them a minute ago."""
    for n in range(count, 0, -1):
        connector, action = ACTIONS[n % len(ACTIONS)]
        at = now - 60 - n * EVERY_SECONDS
        day = time.strftime("%Y-%m-%d", time.gmtime(at))
        state = "unknown" if n % 1000 == 0 else "refused" if n % 20 == 0 else "sent"
        test = n % 10 == 0
        caller = f"cli:ann{n % PEOPLE}"
        yield (
            f"b{n:09d}", at, day, action, connector, caller, "cli", int(test), state,
            int(state != "refused" and not test), None, 0, os.urandom(32), None, "bench", 1,
            100.0 + n % 97, None, None, '{"status": "sent"}' if state == "sent" else None,
            at + 0.2, 0, caller, None, "",
        )  # fmt: skip


def fill(home, count, url=None):
    """Write that many runs straight into a database, and count them as a bot would have."""
    with Ledger.open(home, url) as ledger:
        for number in range(PEOPLE):
            ledger.set_plan(f"cli:ann{number}", "pro")
        now = ledger.now()
        write = ledger.store.write
        write(
            lambda db: db.load("runs", TABLES["runs"], rows(count, now)), long=True, patience=3600
        )
        ledger.store.write(lambda db: db.execute("ANALYZE"), long=True)
        ledger.roll_up()
    # Else the disk is still writing this down while something is measured.
    os.sync()
