"""Accepting a run: its key, its caller's quota, and what was asked a moment ago."""

from typing import Any

from core.errors import Busy, IdempotencyMismatch, QuotaSpent, Repeated
from core.ledger.records import RUN_COLUMNS, RunRecord, RunRequest, day_of, midnight_after
from core.ledger.store import Connection
from core.plain import counted

# A person who asks for the same again this soon is asked whether they mean it.
GUARD_SECONDS = 60.0
FREE_LIMIT = 1
# Whoever needs no lock on a caller's row writes that they were seen this often.
_SEEN_SECONDS = 60.0


def read(db: Connection, where: str, **args: Any) -> list[RunRecord]:
    """The runs that a condition names."""
    rows = db.execute(f"SELECT {RUN_COLUMNS} FROM runs {where}", args)
    return [RunRecord.of(row) for row in rows]


def accept(
    db: Connection, request: RunRequest, owner: str, default_plan: str, *, again: bool
) -> tuple[RunRecord, bool] | None:
    """Journal a run, maybe `again`; None where its id is another run's.

    `default_plan` is the caller's where nobody has put them on one. Whatever depends on other
    rows is read once the caller's row is locked: until then they may still change.
    """
    plan = _lock(db, request, default_plan)
    at = db.now() if request.at is None else request.at
    for first in _earlier(db, request, again=again):
        if first.run == request.run:
            # A COMMIT of this very request, whose answer was lost.
            same = first.fingerprint == request.fingerprint and first.caller == request.caller
            return (first, True) if same else None
        # A run from before the home's key was lost has no fingerprint to compare.
        if first.fingerprint not in (b"", request.fingerprint):
            raise IdempotencyMismatch(run=first.run)
        return first, False
    if request.refuse is not None:
        raise request.refuse
    free = plan == "free" and not request.test
    if request.test:
        _refuse_another_test(db, request, at)
    elif free and used(db, request.caller, request.action, day_of(at)) >= FREE_LIMIT:
        raise QuotaSpent(resets_at=midnight_after(at))
    if request.guard:
        _refuse_repeat(db, request, at)
    row = {
        **{name: getattr(request, name) for name in _REQUESTED},
        "at": at,
        "day": day_of(at),
        "state": "accepted",
        "charged": not request.test,
        "free": free,
        "quota_owner": request.caller,
        "owner": owner,
    }
    return RunRecord.of(db.execute(_INSERT, row).fetchone()), True


_REQUESTED = (
    "run", "action", "connector", "caller", "surface", "test", "key", "rebind", "fingerprint",
    "reply_to",
)  # fmt: skip
_GIVEN = (*_REQUESTED, "at", "day", "state", "charged", "free", "quota_owner", "owner")
_INSERT = (
    f"INSERT INTO runs ({', '.join(_GIVEN)}) VALUES ({', '.join(f':{name}' for name in _GIVEN)}) "
    f"RETURNING {RUN_COLUMNS}"
)


def _earlier(db: Connection, request: RunRequest, *, again: bool) -> list[RunRecord]:
    """The run that a request has already: by its key, and its own where it was tried before."""
    if again:
        return read(db, "WHERE run = :run OR key = :key", run=request.run, key=request.key)
    return [] if request.key is None else read(db, "WHERE key = :key", key=request.key)


def _lock(db: Connection, request: RunRequest, default_plan: str) -> str:
    """Write that the caller was seen, which locks their row; their plan.

    Who has no limit, and no question of whether this was asked before, needs no lock.
    """
    now = db.now() if request.at is None else request.at
    who = {"caller": request.caller, "now": now}
    if request.key is None and not request.guard and not request.test:
        known = db.execute("SELECT plan, last_seen FROM callers WHERE caller = :caller", who)
        plan, seen = known.fetchone() or (None, 0.0)
        if (plan or default_plan) == "pro" and seen > now - _SEEN_SECONDS:
            return "pro"
    (plan,) = db.execute(
        "INSERT INTO callers (caller, first_seen, last_seen) VALUES (:caller, :now, :now) "
        "ON CONFLICT (caller) DO UPDATE SET last_seen = :now RETURNING plan",
        who,
    ).fetchone()
    return str(plan or default_plan)


def used(db: Connection, caller: str, action: str, day: str) -> int:
    """How many runs count against a caller's quota of a day."""
    (count,) = db.execute(
        "SELECT count(*) FROM runs WHERE quota_owner = :caller AND action = :action "
        "AND day = :day AND charged = 1",
        {"caller": caller, "action": action, "day": day},
    ).fetchone()
    return int(count)


def _refuse_repeat(db: Connection, request: RunRequest, at: float) -> None:
    # What was refused or surely not sent may be tried again without a question.
    same = db.execute(
        "SELECT run FROM runs WHERE caller = :caller AND at > :after AND at < :before "
        "AND action = :action AND fingerprint = :fingerprint AND test = :test "
        "AND state IN ('accepted', 'sending', 'sent', 'unknown') ORDER BY at DESC LIMIT 1",
        {
            "caller": request.caller,
            "after": at - GUARD_SECONDS,
            "before": at + GUARD_SECONDS,
            "action": request.action,
            "fingerprint": request.fingerprint,
            "test": request.test,
        },
    ).fetchone()
    if same is not None:
        raise Repeated(run=same[0])


def _refuse_another_test(db: Connection, request: RunRequest, at: float) -> None:
    if not request.test_gap:
        return
    # Tests of an action are counted whoever sends them: its own row is what they lock.
    db.execute(
        "INSERT INTO leases (name, owner, term, until) VALUES (:name, '', 0, 0) "
        "ON CONFLICT (name) DO UPDATE SET term = 0",
        {"name": f"test {request.action}"},
    )
    (last,) = db.execute(
        # A clock that was set back must not make somebody wait for longer than the gap.
        "SELECT max(at) FROM runs "
        "WHERE action = :action AND test = 1 AND at > :after AND at <= :until",
        {"action": request.action, "after": at - request.test_gap, "until": at + 1.0},
    ).fetchone()
    if last is not None:
        wait = max(1.0, last + request.test_gap - at)
        raise Busy(
            f"A test of {request.action} was just sent; one a minute is enough.",
            fix=f"Try again in {counted(round(wait), 'second')}.",
            reason="test_too_soon",
            retry_after=wait,
        )
