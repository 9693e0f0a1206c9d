"""Accepting a run: its key, its caller's quota, and what was asked a moment ago."""

from typing import Any

from core.errors import (
    Busy,
    Fault,
    IdempotencyMismatch,
    InvalidInput,
    QuotaSpent,
    Repeated,
    Throttled,
)
from core.ledger.records import RUN_COLUMNS, RunRecord, RunRequest, day_of, midnight_after
from core.ledger.standing import Standing, lock
from core.ledger.store import Connection
from core.ledger.targets import find_target
from core.plain import counted

# A person who asks for the same again this soon is asked whether they mean it.
GUARD_SECONDS = 60.0
FREE_LIMIT = 1
RATE_SECONDS = 3600.0


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
    at = db.now() if request.at is None else request.at
    # Who has no limit, and no question of whether this was asked before, needs no lock.
    unlimited = request.key is None and not request.guard and not request.test
    who = lock(db, request.caller, at, unlimited=default_plan if unlimited else None)
    if request.authorize is not None:
        request.authorize(who)
    for first in _earlier(db, request, again=again):
        if first.run == request.run:
            # A COMMIT of this very request, whose answer was lost.
            same = first.fingerprint == request.fingerprint and first.caller == request.caller
            return (first, True) if same else None
        # A run from before the home's key was lost has no fingerprint to compare.
        if first.fingerprint not in (b"", request.fingerprint):
            raise IdempotencyMismatch(run=first.run)
        return first, False
    if request.target is not None and find_target(db, request.target.name) != request.target:
        raise InvalidInput(
            [Fault("target", "was just changed or removed")], fix="Send it once more."
        )
    if request.refuse is not None:
        raise request.refuse
    free = (who.plan or default_plan) == "free" and not request.test
    if free and used(db, who.quota_owner, request.action, day_of(at)) >= FREE_LIMIT:
        raise QuotaSpent(resets_at=midnight_after(at))
    _refuse_too_many(db, who, at)
    if request.test:
        _refuse_another_test(db, request, at)
    if request.guard:
        _refuse_repeat(db, request, who, at)
    row = {name: getattr(request, name) for name in _REQUESTED} | _NEW
    row |= {"at": at, "day": day_of(at), "charged": not request.test, "free": free}
    row |= {"quota_owner": who.quota_owner, "owner": owner}
    db.execute(_INSERT, row)
    return RunRecord.of(tuple(map(row.get, _COLUMNS))), True


_REQUESTED = (
    "run", "action", "connector", "caller", "surface", "test", "key", "rebind", "fingerprint",
    "reply_to", "account",
)  # fmt: skip
_NEW = {"state": "accepted", "attempts": 0}
_GIVEN = (*_REQUESTED, *_NEW, "at", "day", "charged", "free", "quota_owner", "owner")
_INSERT = f"INSERT INTO runs ({', '.join(_GIVEN)}) VALUES (:{', :'.join(_GIVEN)})"
# The record is made of what was written: to have it returned takes a fifth of accepting.
_COLUMNS = RUN_COLUMNS.split(", ")


def _earlier(db: Connection, request: RunRequest, *, again: bool) -> list[RunRecord]:
    """The run that a request has already: by its key, and its own where it was tried before."""
    if again:
        return read(db, "WHERE run = :run OR key = :key", run=request.run, key=request.key)
    return [] if request.key is None else read(db, "WHERE key = :key", key=request.key)


def used(db: Connection, owner: str, action: str, day: str) -> int:
    """How many runs count against a person's quota of a day."""
    (count,) = db.execute(
        "SELECT (SELECT count(*) FROM runs WHERE quota_owner = :owner AND action = :action "
        "AND day = :day AND charged = 1) + (SELECT count(*) FROM quota_shares s JOIN runs r "
        "ON r.run = s.run WHERE s.owner = :owner AND s.action = :action AND s.day = :day "
        "AND r.charged = 1 AND r.quota_owner <> :owner)",
        {"owner": owner, "action": action, "day": day},
    ).fetchone()
    return int(count)


def share_today(db: Connection, used_by: str, owner: str) -> None:
    """Let what one has used of a quota today count as another's too, as long as it counts."""
    db.execute(
        "INSERT INTO quota_shares (owner, action, day, run) "
        "SELECT :owner, action, day, run FROM runs "
        "WHERE quota_owner = :used_by AND day >= :day AND charged = 1 "
        "UNION SELECT :owner, action, day, run FROM quota_shares "
        "WHERE owner = :used_by AND day >= :day ON CONFLICT DO NOTHING",
        {"owner": owner, "used_by": used_by, "day": day_of(db.now())},
    )


def forget_keys(db: Connection, caller: str) -> None:
    """Let nobody who comes by this name later be told what was answered until now."""
    db.execute("UPDATE runs SET key = NULL WHERE caller = :c AND key IS NOT NULL", {"c": caller})


def _refuse_too_many(db: Connection, who: Standing, at: float) -> None:
    if who.token is None or who.token.per_hour is None:
        return
    # Who waited for the lock began earlier than others whose runs are there by now. A clock that
    # was set back must make nobody wait for longer than the hour, and let nobody through.
    nth = db.execute(
        "SELECT at FROM runs WHERE caller = :caller AND at > :after AND at < :before "
        "AND at >= :made ORDER BY at DESC LIMIT 1 OFFSET :most",
        {
            "caller": who.caller,
            "after": at - RATE_SECONDS,
            "before": at + RATE_SECONDS,
            "made": who.token.created_at if who.token.created_at <= at else 0.0,
            "most": who.token.per_hour - 1,
        },
    ).fetchone()
    if nth is not None:
        label, wait = who.token.label, min(max(1.0, nth[0] + RATE_SECONDS - at), RATE_SECONDS)
        raise Throttled(
            f"The token {label} may send {counted(who.token.per_hour, 'run')} an hour; "
            "this one was not sent.",
            fix=f"Send it again in {counted(-int(-wait // 60), 'minute')}. An admin can allow "
            f"more: levqor token set {label} --per-hour N",
            retry_after=wait,
        )


def _refuse_repeat(db: Connection, request: RunRequest, who: Standing, at: float) -> None:
    # What was refused or surely not sent may be tried again without a question.
    same = db.execute(
        "SELECT run FROM runs WHERE caller IN (SELECT :caller UNION SELECT caller FROM callers "
        "WHERE person = :person) AND at > :after AND at < :before "
        "AND action = :action AND fingerprint = :fingerprint AND test = :test "
        "AND state IN ('accepted', 'sending', 'sent', 'unknown') ORDER BY at DESC LIMIT 1",
        {
            "caller": who.caller,
            "person": who.person,
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
