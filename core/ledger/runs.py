"""The journal of runs, as plain SQL: this is the hot path."""

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import InvalidInput, LedgerError
from core.ledger import listing
from core.ledger.accept import accept, read
from core.ledger.listing import EVERY_RUN, Place, RunFilter
from core.ledger.people import People
from core.ledger.records import RUN_COLUMNS, RunRecord, RunRequest
from core.ledger.store import (
    ANSWER_SECONDS,
    PATIENCE,
    Conflict,
    Connection,
    random_code,
    reads,
    writes,
)
from core.reports import RunPage

# A million runs deleted at once would hold everybody else up for longer than they wait.
PRUNE_STEP = 2000
# A refusal by an index is somebody else's row, which the next try finds.
_TRIES = 5

_THEIRS = (
    "(caller = :caller OR caller IN (SELECT caller FROM callers WHERE person = "
    "(SELECT person FROM callers WHERE caller = :caller)))"
)
OPEN = "state IN ('accepted', 'sending')"


class Runs(People):
    """Runs from the moment they are accepted until they have an outcome."""

    def accept(self, request: RunRequest, *, patience: float = PATIENCE) -> tuple[RunRecord, bool]:
        """Journal a run and reserve its quota, flushed to disk.

        Returns (record, True), or (the key's first run, False). Raises IdempotencyMismatch,
        `request.refuse`, Busy (test sends), QuotaSpent, Repeated.
        """
        owner, plan = self.store.owner(), self._begins_on(request.caller)
        tried = False

        def work(db: Connection) -> tuple[RunRecord, bool] | None:
            nonlocal tried
            again, tried = tried, True
            return accept(db, request, owner, plan, again=again)

        for _ in range(_TRIES):
            try:
                accepted = self.store.write(work, durable=True, patience=patience)
            except Conflict:
                continue
            if accepted is not None:
                return accepted
            # Two runs drew the same ten letters: one pair in 10**14.
            request = dataclasses.replace(request, run=random_code(len(request.run)))
        raise LedgerError(f"{self.store.place} refuses new runs; nothing was sent.")

    @writes(durable=True)
    def sending(self, db: Connection, run: str) -> bool:
        """Commit that a run of this process is on its way.

        False where it was settled meanwhile, or where this process counts as dead.
        """
        return begin(db, run, self.store.owner())

    @reads
    def run(self, db: Connection, run: str, caller: str | None = None) -> RunRecord | None:
        """The run of an id, or of the beginning of one if only one begins so.

        With `caller` only the runs of that person are looked at, so that a beginning tells
        nothing about anybody else's.
        """
        where = "run >= :run AND run < :run || '~'" + (f" AND {_THEIRS}" if caller else "")
        begun = read(db, f"WHERE {where} LIMIT 2", run=run, caller=caller)
        begun = [record for record in begun if record.run == run] or begun
        return begun[0] if len(begun) == 1 and len(run) >= 4 else None

    @reads
    def repeated(self, db: Connection, entry: RunRecord) -> RunRecord | None:
        """The caller's own run of just before that a run repeats; whoever is asked, was."""
        return listing.repeated(db, entry)

    @reads
    def keyed(self, db: Connection, key: str) -> RunRecord | None:
        """The run a request's own key belongs to."""
        return next(iter(read(db, "WHERE key = :key", key=key)), None)

    def runs(
        self, last: int = 20, of: RunFilter = EVERY_RUN, before: Place | None = None
    ) -> list[RunRecord]:
        """The latest runs, latest first; only those `before` a place in an earlier list."""
        return self.store.read(lambda db: listing.latest(db, last, of, before), long=of.scans)

    def run_page(self, last: int, of: RunFilter, before: Place | None = None) -> RunPage:
        """The same, and where the next page begins if there is one."""
        entries = self.runs(last + 1, of, before)
        return RunPage(
            runs=tuple(entry.report() for entry in entries[:last]),
            next=str(Place.of(entries[last - 1])) if len(entries) > last else None,
        )

    @reads
    def runs_named(self, db: Connection, runs: Sequence[str]) -> list[RunRecord]:
        """The runs with these IDs."""
        return listing.named(db, runs)

    @reads
    def last(
        self, db: Connection, connector: str, account: str, states: Sequence[str]
    ) -> RunRecord | None:
        """An account's latest run with one of these outcomes, but for a person's own mistake."""
        # A test send has nothing that a person wrote: its wrong input is a setting's.
        one = (
            "SELECT run FROM (SELECT run FROM runs WHERE connector = :connector "
            "AND account = :account AND state = :{0} AND settled_at IS NOT NULL "
            f"AND (code IS NULL OR code <> '{InvalidInput.code}' OR test = 1) "
            "ORDER BY settled_at DESC LIMIT 1) AS {0}"
        )
        named = listing.parameters("state", states)
        each = " UNION ALL ".join(map(one.format, named))
        latest = read(db, f"WHERE run IN ({each})", connector=connector, account=account, **named)
        return max(latest, key=lambda record: record.settled_at or 0.0, default=None)

    @writes()
    def set_reply_address(self, db: Connection, run: str, reply_to: str) -> None:
        """Change where to answer; nothing comes back once it was forgotten."""
        db.execute(
            "UPDATE runs SET reply_to = :reply_to WHERE run = :run AND reply_to IS NOT NULL",
            {"run": run, "reply_to": reply_to},
        )

    def claim_unnotified(self, surface: str) -> list[RunRecord]:
        """Runs of dead processes whose askers still have to be told, now ours to tell."""
        rows = self._claim(
            surface,
            f"SELECT {RUN_COLUMNS}, coalesce(teller, owner) FROM runs WHERE surface = :surface "
            "AND reply_to IS NOT NULL AND settled_at IS NOT NULL AND at >= :after ORDER BY at",
            "UPDATE runs SET teller = :me "
            "WHERE run = :key AND reply_to IS NOT NULL AND coalesce(teller, owner) IN (:was, :me)",
            after_seconds=ANSWER_SECONDS,
        )
        return [RunRecord.of(row) for row in rows]

    @writes()
    def _prune_runs(self, db: Connection, before: float) -> int:
        gone = Counter(
            db.execute(
                "DELETE FROM runs WHERE run IN (SELECT run FROM runs "
                "WHERE at < :before AND settled_at IS NOT NULL ORDER BY at LIMIT :step) "
                "RETURNING action, state, surface",
                {"before": before, "step": PRUNE_STEP},
            ).fetchall()
        )
        for (action, state, surface), count in sorted(gone.items()):
            db.execute(
                "INSERT INTO run_counts (action, outcome, surface, runs) "
                "VALUES (:action, :state, :surface, :count) ON CONFLICT (action, outcome, surface) "
                "DO UPDATE SET runs = run_counts.runs + :count",
                {"action": action, "state": state, "surface": surface, "count": count},
            )
        return gone.total()

    def counts(self) -> list[tuple[str, str, str, int]]:
        """How many runs ever ended, for each action, outcome and surface.

        Deleted runs were counted when they went: a settle that counts would be a row that all
        bots wait for.
        """
        sql = (
            "SELECT action, outcome, surface, sum(runs) FROM ("
            "SELECT action, outcome, surface, runs FROM run_counts UNION ALL "
            "SELECT action, state, surface, count(*) FROM runs "
            "WHERE settled_at IS NOT NULL GROUP BY action, state, surface"
            ") AS counted GROUP BY action, outcome, surface ORDER BY action, outcome, surface"
        )
        rows = self.store.read(lambda db: db.execute(sql).fetchall(), long=True)
        return [(action, outcome, surface, int(count)) for action, outcome, surface, count in rows]


def begin(db: Connection, run: str, owner: str) -> bool:
    """Let a run be sent, where it is open and its owner's, and the owner lives."""
    done = db.execute(
        f"UPDATE runs SET state = 'sending' WHERE run = :run AND owner = :owner AND {OPEN} "
        "AND NOT EXISTS (SELECT 1 FROM bots WHERE owner = :owner AND (dead = 1 OR until < :now))",
        {"run": run, "owner": owner, "now": db.now()},
    )
    return done.rowcount == 1


def settle(
    db: Connection,
    run: str,
    state: str,
    *,
    at: float | None = None,
    attempts: int = 0,
    ms: float | None = None,
    code: str | None = None,
    reason: str | None = None,
    receipt: dict[str, Any] | None = None,
    tries: Sequence[Sequence[Any]] = (),
    left: str | None = None,
) -> bool:
    """Write a run's outcome, keep, give back or hold its quota; False where it had one.

    With `left`, only a run that is in that state. Who sent a run may know better than whoever
    found it interrupted, and is believed.
    """
    done = db.execute(
        "UPDATE runs SET state = :state, settled_at = :at, attempts = :attempts, ms = :ms, "
        "code = :code, reason = :reason, receipt = :receipt, tries = :tries"
        # What stays is not written: its indexes would be, too.
        + (", charged = 0" if state in ("refused", "not_sent") else "")
        + (_FREED if state == "not_sent" else "")
        + " WHERE run = :run AND "
        + ("state = :left" if left else OPEN if reason == "interrupted" else _UNSETTLED),
        {
            "run": run,
            "state": state,
            "at": db.now() if at is None else at,
            "attempts": attempts,
            "ms": ms,
            "code": code,
            "reason": reason,
            "receipt": json.dumps(receipt) if receipt else None,
            "tries": json.dumps(tries) if tries else None,
            "left": left,
        },
    )
    return done.rowcount == 1


_FREED = ", key = CASE WHEN rebind = 1 THEN NULL ELSE key END"
_UNSETTLED = f"({OPEN} OR (state = 'unknown' AND reason IN ('interrupted', 'restored')))"


def catch_up(db: Connection, kept: Mapping[str, Mapping[str, Any]]) -> None:
    """Write what was kept of runs while the ledger could not take it."""
    for run, what in kept.items():
        ending = {name: value for name, value in what.items() if name != "told"}
        if "state" in ending and not settle(db, run, **ending):
            _await(db, run)
            settle(db, run, **ending)
        if what.get("told"):
            forget_reply(db, run)


def _await(db: Connection, run: str) -> None:
    """Wait for a transaction that may still write a run: its COMMIT was lost on its way."""
    # Nothing else waits for a row that nobody else can see yet.
    db.execute(
        "INSERT INTO runs (run, at, day, action, connector, caller, surface, test, state, "
        "charged, rebind, fingerprint, owner, quota_owner) VALUES "
        "(:run, 0, '', '', '', '', '', 1, 'not_sent', 0, 0, :none, '', '') "
        "ON CONFLICT (run) DO NOTHING",
        {"run": run, "none": b""},
    )
    db.execute("DELETE FROM runs WHERE run = :run AND owner = ''", {"run": run})


def has_fingerprints(db: Connection) -> bool:
    """Whether any run can be compared with another."""
    sql = "SELECT EXISTS (SELECT 1 FROM runs WHERE length(fingerprint) > 0)"
    return bool(db.execute(sql).fetchone()[0])


def settle_restored(db: Connection) -> int:
    """Call unknown what was open when a backup was made: its process went on; returns how many."""
    left = db.execute(f"SELECT run FROM runs WHERE {OPEN}").fetchall()
    for (run,) in left:
        settle(db, run, "unknown", code="upstream_error", reason="restored")
    return len(left)


def open_owners(db: Connection) -> list[str]:
    """Whose runs have no outcome yet."""
    return [owner for (owner,) in db.execute(f"SELECT DISTINCT owner FROM runs WHERE {OPEN}")]


def forget_reply(db: Connection, run: str) -> None:
    """Forget where to answer."""
    db.execute("UPDATE runs SET reply_to = NULL WHERE run = :run", {"run": run})


def forget_old_replies(db: Connection, before: float) -> int:
    """Forget where to answer what is so old; returns how many are still waited for."""
    # The sum keeps SQLite to the index of the few that wait, off that of every run.
    old = "reply_to IS NOT NULL AND at + 0 < :before"
    db.execute(f"UPDATE runs SET reply_to = NULL WHERE {old}", {"before": before})
    waiting = db.execute("SELECT count(*) FROM runs WHERE reply_to IS NOT NULL").fetchone()
    return int(waiting[0])
