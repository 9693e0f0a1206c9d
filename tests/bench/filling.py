"""A database with as many runs as wanted, on either engine."""

import os
import time

from core.connectors import CONNECTORS
from core.ledger import Ledger
from core.ledger.backup import TABLES

PEOPLE = 50
ACTIONS = [(c.name, c.action_id(action)) for c in CONNECTORS for action in c.actions]
EVERY_SECONDS = 7.0
# A person of three callers.
PERSON, THEIRS = "bob", ("slack:T1:U7", "telegram:7", "cli:ann7")
# What a list of these runs can be narrowed to: what is had by most of them, by few, of old, never.
NARROWED = {
    "person": ("http:ci", PERSON, "telegram:9"),
    "action": ("slack", "slack.send", "email.send"),
    "interface": ("http", "cli", "telegram", "tray", "web"),
    "outcome": ("sent", "refused", "not_sent", "unknown", "open"),
    "since": ("7d", "80d"),
    "until": ("40d", "200d"),
}


def asked(n, count):
    """Who asks for the nth last run, on which interface, for which action.

    A program that sends one action makes two runs in five. A tenth of people's runs, the first
    ones, came over an interface that nobody uses any more; the tray is hardly used.
    """
    if n % 5 < 2:
        return "http:ci", "http", ACTIONS[0]
    who, action = n * 7 % PEOPLE, ACTIONS[n // 5 % len(ACTIONS)]
    if n > count * 9 // 10:
        return f"telegram:{who}", "telegram", action
    if n % 50_000 == 7:
        return f"tray:ann{who}", "tray", action
    if n % 5 == 2:
        return f"slack:T1:U{who}", "slack", action
    return f"cli:ann{who}", "cli", action


def outcome(n, count):
    """How the nth last run ended: a few of the first were not sent, none since."""
    if n % 1000 == 3:
        return "unknown"
    if n % 20 == 4:
        return "refused"
    return "not_sent" if n > count - 1000 and n % 100 == 8 else "sent"


def rows(count, now):
    """Runs of many callers, seven seconds apart, the last of them a minute ago."""
    for n in range(count, 0, -1):
        caller, surface, (connector, action) = asked(n, count)
        at = now - 60 - n * EVERY_SECONDS
        day = time.strftime("%Y-%m-%d", time.gmtime(at))
        state, test = outcome(n, count), n % 10 == 0
        yield (
            f"b{n:09d}", at, day, action, connector, caller, surface, int(test), state,
            int(state != "refused" and not test), None, 0, os.urandom(32), None, "bench", 1,
            100.0 + n % 97, None, None, '{"status": "sent"}' if state == "sent" else None,
            at + 0.2, 0, caller, None, "", None,
        )  # fmt: skip


def fill(home, count, url=None):
    """Write that many runs straight into a database, and count them as a bot would have."""
    with Ledger.open(home, url) as ledger:
        now = ledger.now()
        write = ledger.store.write
        write(
            lambda db: db.load("runs", TABLES["runs"], rows(count, now)), long=True, patience=3600
        )
        callers = {asked(n, count)[0] for n in range(1, min(count, 100_000))} | {*THEIRS}
        for caller in sorted(callers):
            ledger.set_plan(caller, "pro")
        ledger.person_add(PERSON, THEIRS, by="cli:bench")
        if ledger.store.shared:  # by itself it would do so in a while; SQLite never does
            write(lambda db: db.execute("ANALYZE"), long=True)
        ledger.roll_up()
    # Else the disk is still writing this down while something is measured.
    os.sync()
