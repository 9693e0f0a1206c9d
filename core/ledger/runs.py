"""The journal of runs, as plain SQL: this is the hot path."""

import dataclasses
import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import Busy, IdempotencyMismatch, InvalidInput, QuotaSpent, Repeated
from core.ledger import endings
from core.ledger.people import People, random_code
from core.ledger.records import RUN_COLUMNS, RunRecord, RunRequest, day_of, midnight_after
from core.ledger.store import reads, writes
from core.ledger.writer import PATIENCE
from core.plain import counted

# A person who asks for the same again this soon is asked whether they mean it.
GUARD_SECONDS = 60.0
# After this long nobody waits for an answer any more, and where to answer is forgotten.
ANSWER_SECONDS = 30 * 60.0
FREE_LIMIT = 1
# A million runs deleted at once would hold everybody else up for longer than they wait.
PRUNE_STEP = 2000

_INTERRUPTED = {
    "accepted": ("not_sent", "interrupted_before"),
    "sending": ("unknown", "interrupted"),
}
OPEN = "state IN ('accepted', 'sending')"


class Runs(People):
    """Runs from the moment they are accepted until they have an outcome."""

    def accept(self, request: RunRequest, *, patience: float = PATIENCE) -> tuple[RunRecord, bool]:
        """Journal a run and reserve its quota, flushed to disk.

        Returns (record, True), or (the key's first run, False). Raises IdempotencyMismatch,
        `request.refuse`, Busy (test sends), QuotaSpent, Repeated.
        """
        owner, plan = self._owner_id(), self._begins_on(request.caller)

        def attempt(request: RunRequest) -> tuple[RunRecord, bool]:
            return self._write(
                lambda db: accept(db, request, owner, plan), durable=True, patience=patience
            )

        try:
            return attempt(request)
        except sqlite3.IntegrityError:
            # Two runs drew the same ten letters: one pair in 10**14.
            return attempt(dataclasses.replace(request, run=random_code(len(request.run))))

    @writes(durable=True)
    def sending(self, db: sqlite3.Connection, run: str) -> bool:
        """Commit that a run is on its way; False where it was settled meanwhile."""
        done = db.execute(
            "UPDATE runs SET state = 'sending' WHERE run = ? AND state = 'accepted'", (run,)
        )
        return done.rowcount == 1

    @reads
    def run(self, db: sqlite3.Connection, run: str, caller: str | None = None) -> RunRecord | None:
        """The run of an id, or of the beginning of one if only one begins so.

        With `caller` only that caller's runs are looked at, so that a beginning tells
        nothing about anybody else's.
        """
        where = "WHERE run >= ?1 AND run < ?1 || '~' AND (?2 IS NULL OR caller = ?2) LIMIT 2"
        begun = read(db, where, (run, caller))
        begun = [record for record in begun if record.run == run] or begun
        return begun[0] if len(begun) == 1 and len(run) >= 4 else None

    @reads
    def keyed(self, db: sqlite3.Connection, key: str) -> RunRecord | None:
        """The run a request's own key belongs to."""
        return keyed(db, key)

    @reads
    def runs(
        self, db: sqlite3.Connection, last: int = 20, caller: str | None = None
    ) -> list[RunRecord]:
        """The latest runs, of everybody or of one caller, latest first."""
        where, args = ("WHERE caller = ?", [caller]) if caller else ("", [])
        return read(db, f"{where} ORDER BY at DESC LIMIT ?", [*args, last])

    @reads
    def last(
        self, db: sqlite3.Connection, connector: str, states: Sequence[str]
    ) -> RunRecord | None:
        """A connector's latest run with one of these outcomes, but for a person's own mistake."""
        where = "WHERE connector = ? AND state = ? AND settled_at IS NOT NULL"
        # A test send has nothing that a person wrote: its wrong input is a setting's.
        where += f" AND (code IS NULL OR code <> '{InvalidInput.code}' OR test = 1)"
        where += " ORDER BY settled_at DESC LIMIT 1"
        latest = [record for state in states for record in read(db, where, (connector, state))]
        return max(latest, key=lambda record: record.settled_at or 0.0, default=None)

    @reads
    def _any_open(self, db: sqlite3.Connection) -> bool:
        return db.execute(f"SELECT 1 FROM runs WHERE {OPEN} LIMIT 1").fetchone() is not None

    @writes(durable=True)
    def _settle_left(
        self, db: sqlite3.Connection, kept: Mapping[str, Mapping[str, Any]]
    ) -> list[RunRecord]:
        """Write what dead processes had kept, then settle what else they left."""
        catch_up(db, kept)
        settled: list[RunRecord] = []
        for (owner,) in db.execute(f"SELECT DISTINCT owner FROM runs WHERE {OPEN}").fetchall():
            if self._alive(owner):
                continue
            catch_up(db, endings.left_by(self.path, owner))
            for left in read(db, f"WHERE owner = ? AND {OPEN}", (owner,)):
                outcome, reason = _INTERRUPTED[left.state]
                settle(db, left.run, outcome, at=time.time(), code="upstream_error", reason=reason)
                settled += read(db, "WHERE run = ?", (left.run,))
        return settled

    @writes()
    def set_reply_address(self, db: sqlite3.Connection, run: str, reply_to: str) -> None:
        """Change where to answer; nothing comes back once it was forgotten."""
        db.execute(
            "UPDATE runs SET reply_to = ? WHERE run = ? AND reply_to IS NOT NULL", (reply_to, run)
        )

    @writes()
    def claim_unnotified(self, db: sqlite3.Connection, surface: str) -> list[RunRecord]:
        """Runs of dead processes whose askers still have to be told, now ours to tell."""
        where = "WHERE surface = ? AND reply_to IS NOT NULL AND settled_at IS NOT NULL"
        rows = self._of_the_dead(
            db,
            f"SELECT {RUN_COLUMNS}, owner FROM runs {where} AND at >= ? ORDER BY at",
            (surface, time.time() - ANSWER_SECONDS),
        )
        for run, *_ in rows:
            db.execute("UPDATE runs SET owner = ? WHERE run = ?", (self._owner_id(), run))
        return [RunRecord.of(row) for row in rows]

    @writes()
    def _prune_runs(self, db: sqlite3.Connection, before: float) -> int:
        return db.execute(
            "DELETE FROM runs WHERE run IN (SELECT run FROM runs "
            "WHERE at < ? AND settled_at IS NOT NULL ORDER BY at LIMIT ?)",
            (before, PRUNE_STEP),
        ).rowcount


def read(db: sqlite3.Connection, where: str, args: Sequence[Any]) -> list[RunRecord]:
    """The runs that a condition names."""
    return [
        RunRecord.of(row) for row in db.execute(f"SELECT {RUN_COLUMNS} FROM runs {where}", args)
    ]


def keyed(db: sqlite3.Connection, key: str) -> RunRecord | None:
    """The run a request's own key belongs to."""
    return next(iter(read(db, "WHERE key = ?", (key,))), None)


def accept(
    db: sqlite3.Connection, request: RunRequest, owner: str, default_plan: str
) -> tuple[RunRecord, bool]:
    """Journal a run; `default_plan` is the caller's where nobody has put them on one."""
    first = None if request.key is None else keyed(db, request.key)
    if first is not None:
        if first.fingerprint != request.fingerprint:
            raise IdempotencyMismatch(run=first.run)
        return first, False
    if request.refuse is not None:
        raise request.refuse
    day = day_of(request.at)
    (plan,) = db.execute(
        "INSERT INTO callers (caller, first_seen, last_seen) VALUES (?1, ?2, ?2) "
        "ON CONFLICT (caller) DO UPDATE SET last_seen = ?2 RETURNING plan",
        (request.caller, request.at),
    ).fetchone()
    plan = plan or default_plan
    if request.test:
        _refuse_another_test(db, request)
    elif plan == "free" and used(db, request.caller, request.action, day) >= FREE_LIMIT:
        raise QuotaSpent(resets_at=midnight_after(request.at))
    if request.guard:
        _refuse_repeat(db, request)
    row = db.execute(
        "INSERT INTO runs (run, at, day, action, connector, caller, surface, test, state, charged, "
        "key, rebind, fingerprint, reply_to, owner) "
        f"VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'accepted', ?, ?, ?, ?, ?, ?) RETURNING {RUN_COLUMNS}",
        (
            request.run, request.at, day, request.action, request.connector, request.caller,
            request.surface, request.test, not request.test, request.key, request.rebind,
            request.fingerprint, request.reply_to, owner,
        ),
    ).fetchone()  # fmt: skip
    return RunRecord.of(row), True


def used(db: sqlite3.Connection, caller: str, action: str, day: str) -> int:
    """How many runs count against a caller's quota of a day."""
    (count,) = db.execute(
        "SELECT count(*) FROM runs WHERE caller = ? AND action = ? AND day = ? AND charged = 1",
        (caller, action, day),
    ).fetchone()
    return int(count)


def _refuse_repeat(db: sqlite3.Connection, request: RunRequest) -> None:
    # What was refused or surely not sent may be tried again without a question.
    same = db.execute(
        "SELECT run FROM runs WHERE caller = ? AND at > ? AND at < ? AND action = ? "
        "AND fingerprint = ? AND test = ? "
        "AND state IN ('accepted', 'sending', 'sent', 'unknown') ORDER BY at DESC LIMIT 1",
        (
            request.caller, request.at - GUARD_SECONDS, request.at + GUARD_SECONDS, request.action,
            request.fingerprint, request.test,
        ),
    ).fetchone()  # fmt: skip
    if same is not None:
        raise Repeated(run=same[0])


def _refuse_another_test(db: sqlite3.Connection, request: RunRequest) -> None:
    if not request.test_gap:
        return
    (last,) = db.execute(
        # A clock that was set back must not make somebody wait for longer than the gap.
        "SELECT max(at) FROM runs WHERE action = ? AND test = 1 AND at > ? AND at <= ?",
        (request.action, request.at - request.test_gap, request.at + 1.0),
    ).fetchone()
    if last is not None:
        wait = max(1.0, last + request.test_gap - request.at)
        raise Busy(
            f"A test of {request.action} was just sent; one a minute is enough.",
            fix=f"Try again in {counted(round(wait), 'second')}.",
            reason="test_too_soon",
            retry_after=wait,
        )


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
        f"WHERE run = ?8 AND {OPEN} RETURNING action, surface",
        (state, at, attempts, ms, code, reason, json.dumps(receipt) if receipt else None, run),
    ).fetchone()
    if done is not None:
        # For /metrics: a counter must not fall when old runs are deleted.
        db.execute(
            "INSERT INTO run_counts (action, outcome, surface, runs) VALUES (?, ?, ?, 1) "
            "ON CONFLICT (action, outcome, surface) DO UPDATE SET runs = run_counts.runs + 1",
            (done[0], state, done[1]),
        )
    return done is not None


def catch_up(db: sqlite3.Connection, kept: Mapping[str, Mapping[str, Any]]) -> None:
    """Write what was kept of runs while the ledger could not take it."""
    for run, what in kept.items():
        ending = {name: value for name, value in what.items() if name != "told"}
        if "state" in ending:
            settle(db, run, **ending)
        if what.get("told"):
            forget_reply(db, run)


def forget_reply(db: sqlite3.Connection, run: str) -> None:
    """Forget where to answer."""
    db.execute("UPDATE runs SET reply_to = NULL WHERE run = ?", (run,))


def forget_old_replies(db: sqlite3.Connection, before: float) -> int:
    """Forget where to answer what is so old; returns how many are still waited for."""
    # The plus keeps SQLite to the index of the few that wait, off that of every run.
    old = "reply_to IS NOT NULL AND +at < ?"
    db.execute(f"UPDATE runs SET reply_to = NULL WHERE {old}", (before,))
    waiting = db.execute("SELECT count(*) FROM runs WHERE reply_to IS NOT NULL").fetchone()
    return int(waiting[0])
