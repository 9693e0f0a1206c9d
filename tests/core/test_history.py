"""What stays countable of runs: by hour, day and person, also once they are deleted."""

import random
import subprocess
import sys
import time

import pytest

from core.ledger import usage
from core.ledger.history import HOUR, _Day, _Marks
from core.ledger.records import DAY, day_of
from core.ledger.runs import PRUNE_STEP
from tests.support.engines import both, pooled_too
from tests.support.journal import accept, finish
from tests.support.waiting import wait_for

OUTCOMES = ("sent", "refused", "not_sent", "unknown")


def midnight(days_ago=0):
    return time.time() // DAY * DAY - days_ago * DAY


def put(ledger, at, ms=12.5, outcome="sent", **more):
    """A run that was accepted long ago, and ends now."""
    entry, _ = accept(
        ledger, **{"at": at, "test": False, "caller": f"cli:{random.random()}", **more}
    )
    ledger.settle(entry.run, outcome, attempts=1, ms=ms)
    return entry


def counts(ledger, since, until, step=DAY, connector="sample"):
    steps = ledger.history(connector, since, until, step).steps
    return [(s.sent, s.refused, s.not_sent, s.unknown) for s in steps]


@pooled_too
def test_history_counts_the_same_from_runs_before_and_after_a_roll_up_and_once_deleted(ledger):
    draw, start = random.Random(7), midnight(120)
    for _ in range(60):
        at = start + draw.random() * 3 * DAY
        put(ledger, at, draw.lognormvariate(5, 1), draw.choice(OUTCOMES))
    finish(ledger, "sent", at=start + 5, test=True, caller="cli:test")
    spans = [(start, start + 3 * DAY, step) for step in (HOUR, 6 * HOUR, DAY, 3 * DAY)]

    def told():
        return [ledger.history("sample", *span) for span in spans], ledger.usage(200)

    from_runs = told()
    assert sum(sum(step) for step in counts(ledger, *spans[-1])) == 60
    assert ledger.roll_up() is not None
    assert told() == from_runs
    ledger.prune(90)
    assert ledger.runs() == []
    assert told() == from_runs
    assert ledger.roll_up() is not None
    assert told() == from_runs
    assert ledger.history("sample", *spans[0]).since.timestamp() // DAY * DAY == start


@both
def test_times_are_told_within_three_percent_over_any_span(ledger):
    draw, start = random.Random(3), midnight(9)
    took = [draw.lognormvariate(6, 2) for _ in range(80)]
    for ms in took:
        put(ledger, start + draw.random() * 2 * DAY, ms)
    ledger.roll_up()
    (both_days,) = ledger.history("sample", start, start + 2 * DAY, 2 * DAY).steps
    took.sort()
    assert both_days.p50_ms == pytest.approx(took[39], rel=0.03)
    assert both_days.p95_ms == pytest.approx(took[75], rel=0.03)


@both
def test_an_outcome_that_changes_later_changes_what_is_told_at_once_and_what_is_kept(ledger):
    at = midnight(30) + HOUR
    # A further account's run is found as any other.
    entry, _ = accept(ledger, at=at, account="acme")
    ledger.sending(entry.run)
    ledger.settle(entry.run, "unknown", code="upstream_error", reason="interrupted")
    put(ledger, at + HOUR)
    ledger.roll_up()
    assert counts(ledger, midnight(30), midnight(29)) == [(1, 0, 0, 1)]
    assert ledger.settle(entry.run, "sent", attempts=1, ms=5.0)
    assert counts(ledger, midnight(30), midnight(29)) == [(2, 0, 0, 0)]
    assert [(day.sent, day.unknown) for day in ledger.usage(40)] == [(2, 0)]
    ledger.roll_up()
    kept = "SELECT sent, unknown FROM history WHERE seconds = 86400"
    assert ledger.store.read(lambda db: db.execute(kept).fetchall()) == [(2, 0)]


@both
def test_who_sent_how_much_is_told_until_nobody_knows_them(ledger):
    ledger.person_add("ann", ["cli:ann"], by="cli:root", plan="pro")
    for days_ago, caller in ((95, "cli:ann"), (95, "cli:gone"), (2, "cli:ann"), (0, "cli:ann")):
        put(ledger, midnight(days_ago), caller=caller)
    put(ledger, midnight(2), outcome="refused", caller="cli:ann")

    def told():
        return [(each.person, each.sent, each.refused) for each in ledger.usage_by_person(100)]

    known = [("ann", 3, 1), ("cli:gone", 1, 0)]
    assert told() == known
    ledger.roll_up()
    assert told() == known
    ledger.store.write(lambda db: db.execute("UPDATE callers SET last_seen = 1"))
    ledger.prune(90)
    assert told() == known[:1]
    assert counts(ledger, midnight(95), midnight(94)) == [(2, 0, 0, 0)]


@both
def test_the_hours_of_a_day_that_has_not_closed_are_told_from_its_runs(ledger):
    now = time.time()
    put(ledger, now - 26 * HOUR)
    put(ledger, now - 2 * HOUR)
    ledger.roll_up()
    put(ledger, now - 3 * HOUR, outcome="refused")
    put(ledger, now)
    steps = counts(ledger, now - 30 * HOUR, now, HOUR)
    assert [sum(step) for step in zip(*steps, strict=True)] == [3, 1, 0, 0]
    assert (counts(ledger, now - 3 * HOUR, now - 2 * HOUR, HOUR)[0])[1] == 1
    assert sum(day.sent for day in ledger.usage(3)) == 3


def wrong(ledger, seconds):
    """Leave what a roll-up leaves whose clock is ahead; the hour until then had no run yet."""
    ledger.roll_up()
    now = ledger.now() + seconds
    ledger.store.write(
        lambda db: db.execute(
            "UPDATE history_marks SET value = CASE name WHEN 'seen' THEN :now ELSE :closed END "
            "WHERE name IN ('seen', 'closed')",
            {"now": now, "closed": now // HOUR * HOUR + HOUR},
        )
    )


@both
def test_runs_of_an_hour_that_a_clock_ahead_of_others_has_closed_are_counted(ledger):
    put(ledger, midnight(1))
    wrong(ledger, 20 * 60)
    put(ledger, time.time())

    def told():
        sent = sum(day.sent for day in ledger.usage(3))
        return sent, sum(each.sent for each in ledger.usage_by_person(3))

    assert told() == (2, 2)
    # Others, who are right, count: at once, and when what is kept is all there is.
    for _ in range(2):
        ledger.roll_up()
        assert told() == (2, 2)
    put(ledger, time.time())
    assert told() == (3, 3)


@both
def test_an_hour_that_closed_since_is_kept_though_its_runs_had_ended_before(ledger):
    begin = midnight(2) + 10 * HOUR
    put(ledger, begin + 60)
    marks = {"term": 1, "seen": begin + 0.9 * HOUR, "closed": begin}  # a roll-up in that hour

    def roll_up_then(db):
        db.execute("UPDATE runs SET settled_at = :at", {"at": begin + 90})
        for name, value in marks.items():
            row = {"name": name, "value": value}
            db.execute("INSERT INTO history_marks (name, value) VALUES (:name, :value)", row)

    ledger.store.write(roll_up_then)
    ledger.roll_up()
    kept = "SELECT seconds, sum(sent) FROM history GROUP BY seconds ORDER BY seconds"
    rows = ledger.store.read(lambda db: db.execute(kept).fetchall())
    assert [tuple(map(int, row)) for row in rows] == [(HOUR, 1), (DAY, 1)]


@both
def test_of_two_that_count_at_once_the_one_that_began_first_writes_no_more(ledger, open_ledger):
    put(ledger, midnight(100))
    slow = ledger._begin_pass()
    with open_ledger() as other:
        assert other.prune(90) == 1
    emptied = _Day(int(midnight(100)), {}, {})
    assert ledger._write_day(slow, emptied, midnight()) is False
    assert ledger._end_pass(_Marks(slow, 9e9, 9e9)) is False
    assert counts(ledger, midnight(100), midnight(99)) == [(1, 0, 0, 0)]


PRUNES = """
import sys
from pathlib import Path
from core.ledger import Ledger, history, ledger
ledger.GIVE_WAY_SECONDS = 600.0
Ledger.open(Path(sys.argv[1]), sys.argv[2] or None).prune(90)
"""


@both
def test_pruning_that_was_killed_midway_leaves_every_run_counted(
    home, database, open_ledger, ledger
):
    start = midnight(100)
    entry = put(ledger, start + 1)
    many = PRUNE_STEP + 500
    columns = (
        "at, day, action, connector, caller, surface, test, state, charged, rebind, fingerprint, "
        "owner, attempts, ms, settled_at, quota_owner"
    )
    ledger.store.write(
        lambda db: db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many) "
            f"INSERT INTO runs (run, {columns}) SELECT 'n' || i, {columns} FROM runs, n "
            "WHERE run = :run",
            {"many": many - 1, "run": entry.run},
        )
    )
    left = "SELECT count(*) FROM runs"

    def remaining():
        return ledger.store.read(lambda db: db.execute(left).fetchone()[0])

    with subprocess.Popen([sys.executable, "-c", PRUNES, str(home), database or ""]) as pruning:
        wait_for(lambda: remaining() == many - PRUNE_STEP, 60)
        pruning.kill()
    assert counts(ledger, start, start + DAY) == [(many, 0, 0, 0)]
    # Neither a later count nor a copy takes what is left for all there was.
    ledger.roll_up()
    assert counts(ledger, start, start + DAY, HOUR)[0] == (many, 0, 0, 0)
    assert ledger.prune(90) == many - PRUNE_STEP
    assert counts(ledger, start, start + DAY) == [(many, 0, 0, 0)]
    assert [(day.day, day.sent) for day in ledger.usage(120)] == [(day_of(start), many)]


@both
def test_what_changed_is_found_by_its_index_and_not_by_looking_at_every_run(ledger):
    shared, seen = ledger.store.shared, {}
    args = {"connector": "sample", "state": "", "account": "", "since": 990.0, "first": 0.0}
    columns = "run, at, day, action, connector, caller, surface, test, state, charged, rebind, "
    columns += "fingerprint, owner, quota_owner, settled_at"
    sent = ("1970-01-01", "sample.do", "sample", "cli:a", "cli", 0, "sent", 1, 0, b"", "x", "cli:a")

    def plan(db):
        db.load("runs", columns, ((f"{n:04}", float(n), *sent, float(n)) for n in range(1000)))
        if shared:
            db.execute("ANALYZE runs")
            db.execute("SET LOCAL enable_seqscan = off")
        for name, sql in (("changed", usage._CHANGED), ("kinds", usage._NEXT_KIND)):
            how = "EXPLAIN" if shared else "EXPLAIN QUERY PLAN"
            seen[name] = str(db.execute(f"{how} {sql}", {**args, "until": 9e9}).fetchall())

    ledger.store.write(plan)
    assert all("runs_done" in each and "SCAN runs" not in each for each in seen.values()), seen
    if not shared:
        assert "(connector=? AND state=? AND account>?)" in seen["kinds"]
        assert "(connector=? AND state=? AND account=? AND settled_at>?)" in seen["changed"]


@both
def test_who_is_overtaken_between_two_days_writes_no_more(ledger, open_ledger):
    put(ledger, midnight(5))
    with open_ledger() as other:
        real, written = ledger.store, []

        class Overtaken:
            """A store on which another begins to count before the first day is written."""

            def write(self, work, **how):
                written.append(work)
                if len(written) == 2:
                    other._begin_pass()
                return real.write(work, **how)

            def __getattr__(self, name):
                return getattr(real, name)

        ledger.store = Overtaken()
        try:
            assert ledger.roll_up() is None
        finally:
            ledger.store = real
    assert len(written) == 2
