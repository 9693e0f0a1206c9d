"""Linking: a one-time code by which two callers become one person, once its maker says so."""

from collections.abc import Callable, Sequence

from core.callers import LABEL
from core.errors import Busy, Fault, InvalidInput, NotFound
from core.ledger.accept import share_today
from core.ledger.audit import State
from core.ledger.membership import callers_named, find_person, join, named
from core.ledger.people import People
from core.ledger.standing import Standing, callers_of, seen, standing
from core.ledger.store import Connection, digest, random_code, reads, writes
from core.plain import counted

LINK_SECONDS = 600.0
TRIES, TRIES_SECONDS = 5, 3600.0
# A flood of codes would make guessing easier; a maker's older ones give way.
_PENDING = 3
_LETTERS = 8

# Whoever asks, as each of their callers: raises Forbidden where they may not.
Check = Callable[[Sequence[Standing]], object]
# The role and the plan of two who become one; raises Forbidden where they may not.
Joined = Callable[[Sequence[Standing], Sequence[Standing]], tuple[str, str | None]]


class Linking(People):
    """Codes that callers make and redeem; all bots on a database agree on them."""

    @writes(durable=True)
    def link_code(self, db: Connection, maker: str, check: Check) -> str:
        """Make a code, which works once within ten minutes."""
        code, now = random_code(_LETTERS), db.now()
        seen(db, maker, now)
        check(_whole(db, maker))
        db.execute("DELETE FROM link_codes WHERE expires_at <= :now", {"now": now})
        db.execute(
            "INSERT INTO link_codes (hash, maker, expires_at) VALUES (:hash, :maker, :expires)",
            {"hash": digest(code), "maker": maker, "expires": now + LINK_SECONDS},
        )
        db.execute(
            "DELETE FROM link_codes WHERE maker = :maker AND hash NOT IN (SELECT hash "
            "FROM link_codes WHERE maker = :maker ORDER BY expires_at DESC LIMIT :most)",
            {"maker": maker, "most": _PENDING},
        )
        return code

    @writes(durable=True)
    def link_redeem(self, db: Connection, caller: str, code: str, check: Check) -> str | None:
        """Give somebody's code, whose maker is returned; None where it is wrong, used or late.

        Raises Busy after too many tries, InvalidInput for the maker's own.
        """
        now = db.now()
        given = {"hash": digest(code.strip().lower()), "caller": caller, "now": now}
        seen(db, caller, now)
        check(mine := _whole(db, caller))
        row = db.execute(
            "SELECT maker, redeemer FROM link_codes WHERE hash = :hash AND expires_at > :now", given
        ).fetchone()
        maker, redeemer = row or ("", None)
        if redeemer == caller:
            return str(maker)
        _count_try(db, caller, now)
        if row is None or redeemer is not None:
            return None
        if maker in (each.caller for each in mine):
            raise InvalidInput(
                [Fault("code", "is your own")],
                "That is your own code.",
                fix="Write it on the interface on which Levqor does not know you as yourself yet.",
            )
        # Its maker has ten minutes from now on.
        used = db.execute(
            "UPDATE link_codes SET redeemer = :caller, expires_at = :until "
            "WHERE hash = :hash AND redeemer IS NULL",
            {**given, "until": now + LINK_SECONDS},
        )
        return str(maker) if used.rowcount == 1 else None

    @reads
    def link_waiting(self, db: Connection, maker: str) -> list[str]:
        """Who gave a maker's codes and waits for a yes."""
        rows = db.execute(
            "SELECT DISTINCT redeemer FROM link_codes "
            "WHERE maker = :maker AND redeemer IS NOT NULL AND expires_at > :now ORDER BY redeemer",
            {"maker": maker, "now": db.now()},
        )
        return [redeemer for (redeemer,) in rows]

    @writes(durable=True)
    def link_drop(self, db: Connection, maker: str) -> None:
        """Forget a maker's codes, and who waits."""
        db.execute("DELETE FROM link_codes WHERE maker = :maker", {"maker": maker})

    def link_confirm(self, maker: str, redeemer: str, joined: Joined) -> str:
        """Make a maker and who gave their code one person; its name.

        Raises NotFound where the redeemer does not wait. What either used of a quota today
        counts for both.
        """
        names: list[str] = []

        def work(db: Connection) -> tuple[State, State]:
            names.clear()
            for each in sorted((maker, redeemer)):
                named(db, each)
            ours, theirs = _whole(db, maker), _whole(db, redeemer)
            waits = {"maker": maker, "redeemer": redeemer, "now": db.now()}
            if ours[0].person is not None and ours[0].person == theirs[0].person:
                names.append(ours[0].person)
                return None, None
            taken = db.execute(
                "DELETE FROM link_codes WHERE maker = :maker AND redeemer = :redeemer "
                "AND expires_at > :now",
                waits,
            )
            if not taken.rowcount:
                raise NotFound(
                    f"{redeemer} did not give a code of yours in the last ten minutes.",
                    fix="Make a new code, and give it there.",
                )
            role, plan = joined(ours, theirs)
            name = _united(db, maker, ours, theirs)
            names.append(name)
            db.execute(
                "UPDATE people SET role = :role, plan = :plan WHERE name = :name",
                {"role": role, "plan": plan, "name": name},
            )
            before = {
                "person": [ours[0].quota_owner, theirs[0].quota_owner],
                "role": [ours[0].role, theirs[0].role],
                "plan": [ours[0].plan, theirs[0].plan],
            }
            after = {"person": [name], "role": role, "plan": plan}
            return before, {**after, "callers": callers_named(db, name)}

        self._audited(maker, "link", redeemer, work)
        return names[0]


def _whole(db: Connection, caller: str) -> list[Standing]:
    """Every caller of a person, the one that asks first."""
    who = standing(db, caller)
    others = [each for each in callers_of(db, who) if each != caller]
    return [who, *(standing(db, each) for each in sorted(others))]


def _count_try(db: Connection, caller: str, now: float) -> None:
    """Count a try of a code; raises Busy, which counts none, where there were too many."""
    (tries, until) = db.execute(
        "INSERT INTO leases (name, owner, term, until) VALUES (:name, '', 1, :until) "
        "ON CONFLICT (name) DO UPDATE "
        "SET term = CASE WHEN leases.until > :now THEN leases.term + 1 ELSE 1 END, "
        "until = CASE WHEN leases.until > :now THEN leases.until ELSE :until END "
        "RETURNING term, until",
        {"name": f"link {caller}", "now": now, "until": now + TRIES_SECONDS},
    ).fetchone()
    if tries > TRIES:
        minutes = max(1, round((until - now) / 60))
        raise Busy(
            "You gave too many codes; nothing was linked.",
            fix=f"Try again in {counted(minutes, 'minute')}, or ask an admin to link you.",
            reason="link_tries",
            retry_after=until - now,
        )


def _united(
    db: Connection, maker: str, ours: Sequence[Standing], theirs: Sequence[Standing]
) -> str:
    """Make two one person: the maker's where there is one, else the other's, else a new one."""
    mine, other = ours[0].person, theirs[0].person
    for name in sorted(filter(None, (mine, other))):
        find_person(db, name)
    name = mine or other or _added(db, maker)
    if mine is not None and other is not None:
        share_today(db, other, mine)
        who = {"name": mine, "other": other}
        db.execute("UPDATE callers SET person = :name WHERE person = :other", who)
        db.execute("DELETE FROM people WHERE name = :other", who)
    for each in (*ours, *theirs):
        join(db, name, each.caller)
    return name


def _added(db: Connection, maker: str) -> str:
    """Add a person named after a caller, or by a random name."""
    ident = maker.partition(":")[2]
    name = ident if LABEL.fullmatch(ident) else f"member-{random_code(4)}"
    while not db.execute(
        "INSERT INTO people (name, created_at) VALUES (:name, :now) ON CONFLICT DO NOTHING",
        {"name": name, "now": db.now()},
    ).rowcount:
        name = f"member-{random_code(4)}"
    return name
