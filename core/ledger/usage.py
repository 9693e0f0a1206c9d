"""Counting runs, by the hour and by who asked: the SELECTs that read them for history.py."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.ledger.listing import RunFilter, one_of, parameters
from core.ledger.store import Connection

# Times are counted in steps of 1 to 2.5 % of theirs: each by the nearest step, so that none is
# told more than 2.5 % off, hours can be added up, and a time of two digits is told as it is.
_STEPS = [(0.05, 1.0)] + [
    (top * share, top) for ten in range(5) for top, share in
    ((2.0 * 10**ten, 0.025), (5.0 * 10**ten, 0.02), (10.0 * 10**ten, 0.025))
]  # fmt: skip
# What was never tried (busy, interrupted) took no time that would tell anything of the service.
_COUNT = f"""
SELECT {{by}}, state, round(ms / width) * width AS about, count(*) FROM (
    SELECT {{by}}, state, CASE WHEN attempts > 0 THEN ms END AS ms,
        CASE {" ".join(f"WHEN ms < {top} THEN {width}" for width, top in _STEPS)} ELSE 2500.0 END
        AS width
    FROM runs WHERE at >= :since AND at < :until AND settled_at IS NOT NULL AND test = 0{{those}}
) AS timed GROUP BY {{by}}, state, about
"""
_PEOPLE = (
    "SELECT action, quota_owner, state, count(*) FROM runs WHERE at >= :since AND at < :until "
    "AND settled_at IS NOT NULL AND test = 0 GROUP BY action, quota_owner, state"
)
# An index has these in this order; the sums keep SQLite to it, off that of `at`.
_KIND = "SELECT connector, state, account FROM runs WHERE settled_at IS NOT NULL AND "
_KIND_ORDER = "ORDER BY connector, state, account LIMIT 1"
# SQLite looks for no three columns at once that are more than others.
_NEXT_KIND = " UNION ALL ".join(
    f"SELECT * FROM ({_KIND} {more} {_KIND_ORDER}) AS {name}"
    for name, more in (
        ("accounts", "connector = :connector AND state = :state AND account > :account"),
        ("states", "connector = :connector AND state > :state"),
        ("connectors", "connector > :connector"),
    )
)
_NEXT_KIND += f" {_KIND_ORDER}"
_CHANGED = (
    "SELECT DISTINCT day FROM runs WHERE connector = :connector "
    "AND state IN ('sent', 'refused', 'not_sent', 'unknown') AND account = :account "
    "AND settled_at >= :since AND at + 0 >= :first AND at + 0 < :until"
)
OUTCOMES = ("sent", "refused", "not_sent", "unknown")


@dataclass
class Tally:
    """Runs counted by outcome, and by about how many milliseconds they took."""

    counts: list[int] = field(default_factory=lambda: [0] * len(OUTCOMES))
    times: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Count another's runs too."""
        self.counts = [mine + more for mine, more in zip(self.counts, other.counts, strict=True)]
        if not self.times:
            self.times = dict(other.times)
            return
        times = self.times
        for ms, runs in other.times.items():
            times[ms] = times.get(ms, 0) + runs

    def count(self, outcome: str, runs: int, ms: float | None = None) -> None:
        """Count so many more, of which each took so long."""
        self.counts[OUTCOMES.index(outcome)] += runs
        if ms is not None:
            name = f"{ms:.6g}"
            self.times[name] = self.times.get(name, 0) + runs

    def named(self) -> dict[str, int]:
        """Every outcome's count."""
        return dict(zip(OUTCOMES, self.counts, strict=True))

    def percentile(self, share: float) -> float | None:
        """The time that this share of the runs needed at most; None where none is known."""
        left = math.ceil(sum(self.times.values()) * share)
        for ms in sorted(self.times, key=float):
            left -= self.times[ms]
            if left <= 0:
                return float(ms)
        return None


# By connector and action, or by action and person.
Tallies = dict[tuple[str, str], Tally]


def add(to: Tallies, more: Tallies) -> None:
    """Count others' runs too, each by its name."""
    for name, tally in more.items():
        to.setdefault(name, Tally()).add(tally)


def count(db: Connection, since: float, until: float) -> Tallies:
    """The runs of a span that ended, by connector and action; test sends left out."""
    sql = _COUNT.format(by="connector, action", those="")
    return _tallies(db, sql, {"since": since, "until": until})


def count_days(db: Connection, since: float, until: float, of: RunFilter) -> Tallies:
    """The same runs by day and connector, of those that `of` means."""
    args: dict[str, Any] = {"since": max(since, of.since or since), "until": until}
    those = ""
    for column, values in (("caller", of.callers), ("action", of.actions)):
        if values is not None:
            those += f" AND {one_of(column, values)}"
            args |= parameters(column, values)
    return _tallies(db, _COUNT.format(by="day, connector", those=those), args)


def _tallies(db: Connection, sql: str, args: Mapping[str, Any]) -> Tallies:
    tallies: Tallies = {}
    for one, other, state, ms, runs in db.execute(sql, args):
        tallies.setdefault((one, other), Tally()).count(state, runs, ms)
    return tallies


def count_people(db: Connection, since: float, until: float) -> Tallies:
    """The same runs by action and by whose quota they used."""
    tallies: Tallies = {}
    for action, person, state, runs in db.execute(_PEOPLE, {"since": since, "until": until}):
        tallies.setdefault((action, person), Tally()).count(state, runs)
    return tallies


def accounts(db: Connection, only: str = "") -> list[tuple[str, str]]:
    """The connectors and accounts of which any run ended, each found from the one before.

    With `only`, those of that connector.
    """
    found: set[tuple[str, str]] = set()
    kind = (only, "", "")
    while kind := db.execute(
        _NEXT_KIND, dict(zip(("connector", "state", "account"), kind, strict=True))
    ).fetchone():
        if only not in ("", kind[0]):
            break
        found.add((kind[0], kind[2]))
    return sorted(found)


def days_changed(
    db: Connection, since: float, first: float, until: float, only: str = ""
) -> set[str]:
    """The days in a span of which a run ended, or ended otherwise, `since` then."""
    args = {"since": since, "first": first, "until": until}
    return {
        str(day)
        for connector, account in accounts(db, only)
        for (day,) in db.execute(_CHANGED, {**args, "connector": connector, "account": account})
    }


def first_run(db: Connection, since: float) -> float | None:
    """When the first run from then on was accepted, of those that ended."""
    sql = "SELECT at FROM runs WHERE at >= :since AND settled_at IS NOT NULL ORDER BY at LIMIT 1"
    row = db.execute(sql, {"since": since}).fetchone()
    return row and float(row[0])
