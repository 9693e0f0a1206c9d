"""The journal's own transactions, as plain SQL: this is the hot path."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from core.counted import counted
from core.errors import Busy, IdempotencyMismatch, QuotaSpent, Repeated
from core.ledger.records import RunRecord, RunRequest

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence

# A person who asks for the same again this soon is asked whether they mean it.
GUARD_SECONDS = 60.0
# After this long nobody waits for an answer any more, and where to answer is forgotten.
ANSWER_SECONDS = 30 * 60.0
FREE_LIMIT = 1
# A million runs deleted at once would hold everybody else up for longer than they wait.
PRUNE_STEP = 2000

OPEN = "state IN ('accepted', 'sending')"
COLUMNS = (
    "run, at, action, connector, caller, surface, test, state, attempts, ms, code, reason, "
    "receipt, settled_at, reply_to, fingerprint"
)


def _read(db: sqlite3.Connection, where: str, args: Sequence[Any]) -> list[RunRecord]:
    return [_entry(row) for row in db.execute(f"SELECT {COLUMNS} FROM runs {where}", args)]


def _entry(row: tuple[Any, ...]) -> RunRecord:
    values = list(row)
    values[6] = bool(values[6])
    values[12] = json.loads(values[12]) if values[12] else None
    return RunRecord(*values)


def day_of(at: float) -> str:
    """The UTC day of a time, as YYYY-MM-DD."""
    return dt.datetime.fromtimestamp(at, dt.UTC).date().isoformat()


def midnight_after(at: float) -> dt.datetime:
    """When the quota of a time's day is given anew."""
    today = dt.datetime.fromtimestamp(at, dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + dt.timedelta(days=1)


def accept(
    db: sqlite3.Connection, order: RunRequest, owner: str, default_plan: str
) -> tuple[RunRecord, bool]:
    """Journal a run and reserve its quota; (entry, True), or (the key's first run, False).

    `default_plan` is the caller's where nobody has put them on one. Raises
    IdempotencyMismatch, `order.refuse`, Busy (test sends), QuotaSpent, Repeated.
    """
    first = None if order.key is None else keyed(db, order.key)
    if first is not None:
        if first.fingerprint != order.fingerprint:
            raise IdempotencyMismatch(run=first.run)
        return first, False
    if order.refuse is not None:
        raise order.refuse
    day = day_of(order.at)
    plan = _seen(db, order.caller, order.at) or default_plan
    if order.test:
        _one_test_a_while(db, order)
    elif plan == "free" and used(db, order.caller, order.action, day) >= FREE_LIMIT:
        raise QuotaSpent(resets_at=midnight_after(order.at))
    if order.guard:
        _not_the_same_again(db, order)
    row = db.execute(
        "INSERT INTO runs (run, at, day, action, connector, caller, surface, test, state, charged, "
        "key, rebind, fingerprint, reply_to, owner) "
        f"VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'accepted', ?, ?, ?, ?, ?, ?) RETURNING {COLUMNS}",
        (
            order.run, order.at, day, order.action, order.connector, order.caller, order.surface,
            order.test, not order.test, order.key, order.rebind, order.fingerprint, order.reply_to,
            owner,
        ),
    ).fetchone()  # fmt: skip
    return _entry(row), True


def _seen(db: sqlite3.Connection, caller: str, at: float) -> str | None:
    (plan,) = db.execute(
        "INSERT INTO callers (caller, first_seen, last_seen) VALUES (?1, ?2, ?2) "
        "ON CONFLICT (caller) DO UPDATE SET last_seen = ?2 RETURNING plan",
        (caller, at),
    ).fetchone()
    return plan if plan is None else str(plan)


def used(db: sqlite3.Connection, caller: str, action: str, day: str) -> int:
    """How many runs count against a caller's quota of a day."""
    (count,) = db.execute(
        "SELECT count(*) FROM runs WHERE caller = ? AND action = ? AND day = ? AND charged = 1",
        (caller, action, day),
    ).fetchone()
    return int(count)


def _not_the_same_again(db: sqlite3.Connection, order: RunRequest) -> None:
    # What was refused or surely not sent may be tried again without a question.
    same = db.execute(
        "SELECT run FROM runs WHERE caller = ? AND at > ? AND at < ? AND action = ? "
        "AND fingerprint = ? AND test = ? "
        "AND state IN ('accepted', 'sending', 'sent', 'unknown') ORDER BY at DESC LIMIT 1",
        (
            order.caller, order.at - GUARD_SECONDS, order.at + GUARD_SECONDS, order.action,
            order.fingerprint, order.test,
        ),
    ).fetchone()  # fmt: skip
    if same is not None:
        raise Repeated(run=same[0])


def _one_test_a_while(db: sqlite3.Connection, order: RunRequest) -> None:
    if not order.test_gap:
        return
    last = db.execute(
        # A clock that was set back must not make somebody wait for longer than the gap.
        "SELECT max(at) FROM runs WHERE action = ? AND test = 1 AND at > ? AND at <= ?",
        (order.action, order.at - order.test_gap, order.at + 1.0),
    ).fetchone()[0]
    if last is not None:
        wait = max(1.0, last + order.test_gap - order.at)
        raise Busy(
            f"A test of {order.action} was just sent; one a minute is enough.",
            fix=f"Try again in {counted(round(wait), 'second')}.",
            reason="test_too_soon",
            retry_after=wait,
        )


def find(db: sqlite3.Connection, run: str, caller: str | None) -> RunRecord | None:
    """The run of an id, or of the beginning of one if only one begins so."""
    found = _read(
        db,
        "WHERE run >= ?1 AND run < ?1 || '~' AND (?2 IS NULL OR caller = ?2) LIMIT 2",
        (run, caller),
    )
    found = [one for one in found if one.run == run] or found
    return found[0] if len(found) == 1 and len(run) >= 4 else None


def keyed(db: sqlite3.Connection, key: str) -> RunRecord | None:
    """The run a request's own key belongs to."""
    return next(iter(_read(db, "WHERE key = ?", (key,))), None)


def latest(db: sqlite3.Connection, last: int, caller: str | None) -> list[RunRecord]:
    """The latest runs, of everybody or of one caller, latest first."""
    where, args = ("WHERE caller = ?", [caller]) if caller else ("", [])
    return _read(db, f"{where} ORDER BY at DESC LIMIT ?", [*args, last])


def last(db: sqlite3.Connection, connector: str, states: Sequence[str]) -> RunRecord | None:
    """A connector's latest run with one of these outcomes."""
    where = "WHERE connector = ? AND state = ? AND settled_at IS NOT NULL "
    found = [
        one
        for state in states
        for one in _read(db, f"{where} ORDER BY settled_at DESC LIMIT 1", (connector, state))
    ]
    return max(found, key=lambda one: one.settled_at or 0.0, default=None)


def any_open(db: sqlite3.Connection) -> bool:
    """Whether any run has no outcome yet."""
    return db.execute(f"SELECT 1 FROM runs WHERE {OPEN} LIMIT 1").fetchone() is not None


def sending(db: sqlite3.Connection, run: str) -> bool:
    """Mark a run as on its way out; False where it has been settled meanwhile."""
    done = db.execute(
        "UPDATE runs SET state = 'sending' WHERE run = ? AND state = 'accepted'", (run,)
    )
    return done.rowcount == 1


def settle(
    db: sqlite3.Connection,
    run: str,
    state: str,
    *,
    at: float,
    attempts: int = 0,
    ms: float | None = None,
    code: str | None = None,
    reason: str | None = None,
    receipt: dict[str, Any] | None = None,
) -> bool:
    """Write a run's outcome, keep, give back or hold its quota; False where it had one."""
    done = db.execute(
        "UPDATE runs SET state = ?1, settled_at = ?2, attempts = ?3, ms = ?4, code = ?5, "
        "reason = ?6, receipt = ?7, "
        "charged = CASE WHEN ?1 IN ('refused', 'not_sent') THEN 0 ELSE charged END, "
        "key = CASE WHEN ?1 = 'not_sent' AND rebind = 1 THEN NULL ELSE key END "
        f"WHERE run = ?8 AND {OPEN}",
        (state, at, attempts, ms, code, reason, json.dumps(receipt) if receipt else None, run),
    )
    return done.rowcount == 1


def catch_up(db: sqlite3.Connection, kept: Mapping[str, Mapping[str, Any]]) -> None:
    """Write what was kept of runs while the ledger could not take it."""
    for run, what in kept.items():
        ending = {name: value for name, value in what.items() if name != "told"}
        if "state" in ending:
            settle(db, run, **ending)
        if what.get("told"):
            mark_notified(db, run)


def recover(
    db: sqlite3.Connection,
    alive: Callable[[str], bool],
    left_by: Callable[[str], Mapping[str, Mapping[str, Any]]],
    at: float,
) -> list[RunRecord]:
    """Settle what dead processes left, and say which runs those were.

    `left_by` tells what a dead process knew of its runs and could not write.
    """
    owners = db.execute(f"SELECT DISTINCT owner FROM runs WHERE {OPEN}").fetchall()
    settled: list[RunRecord] = []
    for (owner,) in owners:
        if alive(owner):
            continue
        catch_up(db, left_by(owner))
        for left in _read(db, f"WHERE owner = ? AND {OPEN}", (owner,)):
            outcome, reason = (
                ("not_sent", "interrupted_before")
                if left.state == "accepted"
                else ("unknown", "interrupted")
            )
            settle(db, left.run, outcome, at=at, code="upstream_error", reason=reason)
            settled += _read(db, "WHERE run = ?", (left.run,))
    return settled


def claim_untold(
    db: sqlite3.Connection, surface: str, owner: str, alive: Callable[[str], bool], now: float
) -> list[RunRecord]:
    """Take over the settled runs of dead processes whose askers were not told yet."""
    rows = db.execute(
        f"SELECT {COLUMNS}, owner FROM runs WHERE surface = ? AND reply_to IS NOT NULL "
        "AND settled_at IS NOT NULL AND at >= ? ORDER BY at",
        (surface, now - ANSWER_SECONDS),
    ).fetchall()
    dead = {name for name in {row[-1] for row in rows} if name != owner and not alive(name)}
    claimed = [_entry(row[:-1]) for row in rows if row[-1] in dead]
    db.executemany("UPDATE runs SET owner = ? WHERE run = ?", [(owner, e.run) for e in claimed])
    return claimed


def mark_notified(db: sqlite3.Connection, run: str) -> None:
    """Forget where to answer."""
    db.execute("UPDATE runs SET reply_to = NULL WHERE run = ?", (run,))


def set_reply_address(db: sqlite3.Connection, run: str, reply_to: str) -> None:
    """Change where to answer; nothing comes back once it was forgotten."""
    db.execute(
        "UPDATE runs SET reply_to = ? WHERE run = ? AND reply_to IS NOT NULL", (reply_to, run)
    )


def forget_old_answers(db: sqlite3.Connection, now: float) -> int:
    """Forget where to answer after half an hour; returns how many are still waited for."""
    db.execute(
        # The plus keeps SQLite to the index of the few that wait, off that of every run.
        "UPDATE runs SET reply_to = NULL WHERE reply_to IS NOT NULL AND +at < ?",
        (now - ANSWER_SECONDS,),
    )
    left = db.execute("SELECT count(*) FROM runs WHERE reply_to IS NOT NULL").fetchone()
    return int(left[0])


def prune(db: sqlite3.Connection, before: float) -> int:
    """Delete some settled runs from before a time; returns how many, 0 when all are gone."""
    done = db.execute(
        "DELETE FROM runs WHERE run IN (SELECT run FROM runs "
        "WHERE at < ? AND settled_at IS NOT NULL ORDER BY at LIMIT ?)",
        (before, PRUNE_STEP),
    )
    return done.rowcount
