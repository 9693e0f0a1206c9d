"""Lists of runs: filtered, latest first, page after page.

A page ends at a place, a run's time and ID, and the next one goes on from there: what comes
meanwhile moves nothing, and the last page costs what the first one did.
"""

import heapq
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Literal, NamedTuple, Self

from core.ledger.accept import GUARD_SECONDS, read
from core.ledger.records import OPEN, RunRecord
from core.ledger.store import Connection
from core.reports import Outcome

# An outcome, or that there is none yet.
Wanted = Literal[Outcome, "open"]
PLACE = re.compile(r"([0-9]{1,12}\.[0-9]{1,12})-([0-9a-z]{1,64})")


class Place(NamedTuple):
    """Where a page of runs ended; as a text `1767225600.25-k7m2q9xw4t`."""

    at: float
    run: str

    def __str__(self) -> str:
        return f"{self.at!r}-{self.run}"

    @classmethod
    def of(cls, entry: RunRecord) -> Self:
        """The place of a run."""
        return cls(entry.at, entry.run)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a place; raises ValueError."""
        if not (match := PLACE.fullmatch(text)):
            raise ValueError("must be what the page before has as next")
        return cls(float(match[1]), match[2])


@dataclass(frozen=True)
class RunFilter:
    """Which runs are meant; what is left out narrows nothing."""

    since: float | None = None
    callers: tuple[str, ...] | None = None
    connector: str | None = None
    action: str | None = None
    outcome: Wanted | None = None
    actions: tuple[str, ...] | None = None  # of these alone
    surface: str | None = None
    until: float | None = None  # before then

    @property
    def scans(self) -> bool:
        """Whether many runs may have to be looked at to find a few."""
        narrow = self.connector or self.action or self.outcome or self.surface
        return bool(narrow or self.actions is not None)


EVERY_RUN = RunFilter()
# The few that an index of their own has; most runs are sent.
_FAILED = ("refused", "not_sent", "unknown")


def latest(
    db: Connection, last: int, of: RunFilter = EVERY_RUN, before: Place | None = None
) -> list[RunRecord]:
    """At most `last` runs, latest first; only those `before` a place.

    What they are narrowed to says which index has them in this order, and is written so that
    neither engine takes another: what its statistics make of a person who sent much once, or of
    an interface that is used no more, is wrong by a million runs.
    """
    merged = heapq.merge(*_pages(db, last, of, before), key=Place.of, reverse=True)
    # One that was open a moment ago may be among those that ended as well.
    return [*islice({each.run: each for each in merged}.values(), last)]


def _pages(
    db: Connection, last: int, of: RunFilter, before: Place | None
) -> Iterator[list[RunRecord]]:
    """What a list is merged of. Alone or with others, what is narrow says which index has it."""
    callers = (None,) if of.callers is None else of.callers
    if of.outcome == "open":
        # What is open has an index of its own, off which SQLite goes for a bare column's.
        for caller in callers:
            fixed = {} if caller is None else {"caller || ''": caller}
            yield _page(db, last, of, before, fixed, at="(at + 0)")
    elif of.outcome in _FAILED:
        for caller in callers:
            yield _page(db, last, of, before, {"state": of.outcome}, caller=caller)
    elif of.callers is not None:
        for caller in of.callers:
            yield _page(db, last, of, before, {"caller": caller})
    elif of.connector or of.surface:
        if of.outcome is None:
            yield latest(db, last, replace(of, outcome="open"), before)
        for kind in _kinds(db, of):
            yield _page(db, last, of, before, kind)
    else:
        yield _page(db, last, of, before, {})


def _kinds(db: Connection, of: RunFilter) -> Iterator[dict[str, str]]:
    """The connectors and surfaces that are meant, of runs that ended: each from the one before."""
    kind = {"connector": of.connector or "", "surface": of.surface or ""}
    if of.connector and of.surface:
        yield kind
        return
    column, more = "connector", "connector > :connector"
    if of.connector:
        column, more = "surface", "connector = :connector AND surface > :surface"
    where = f"WHERE settled_at IS NOT NULL AND {more} ORDER BY {column} LIMIT 1"
    while found := read(db, where, **kind):
        kind[column] = getattr(found[0], column)
        yield kind


def _page(
    db: Connection,
    last: int,
    of: RunFilter,
    before: Place | None,
    fixed: Mapping[str, str],
    *,
    at: str = "at",
    caller: str | None = None,
) -> list[RunRecord]:
    """The latest of those runs that have `fixed` in the columns with which an index begins."""
    ends = [end for end in (of.until, before and before.at) if end is not None]
    args = asdict(of) | parameters("action", of.actions or ())
    args |= parameters("fixed", [*fixed.values()]) | (before._asdict() if before else {})
    args |= {"caller": caller, "top": min(ends, default=None), "last": last}
    *equal, lowest = [*fixed] or [""]
    conditions = {
        " AND ".join(f"{each} = :fixed_{n}" for n, each in enumerate(equal)): equal,
        _bound(lowest, ">=", len(equal), at, of.since is not None and ":since"): True,
        _bound(lowest, "<=", len(equal), at, ends and ":top"): True,
        f"{at} < :until": of.until is not None,
        f"({at} < :at OR run < :run)": before,
        # From here on an index only tells which of its runs are meant.
        "settled_at IS NOT NULL": "surface" in fixed,
        f"state IN {OPEN}": of.outcome == "open",
        f"state NOT IN {(*OPEN, 'sent')}": of.outcome in _FAILED,
        "state = :outcome": of.outcome == "sent",
        "connector = :connector": of.connector and "connector" not in fixed,
        "surface = :surface": of.surface and "surface" not in fixed,
        "action = :action": of.action,
        one_of("action", of.actions or ()): of.actions is not None,
        "caller >= :caller AND caller <= :caller": caller is not None,
    }
    where = " AND ".join(sql for sql, wanted in conditions.items() if sql and wanted)
    # An index has them in this order but for those of the very same moment.
    order = ", ".join(f"{column} DESC" for column in (lowest, at, "run") if column)
    return read(db, f"{where and f'WHERE {where}'} ORDER BY {order} LIMIT :last", **args)


def _bound(column: str, sign: str, number: int, at: str, moment: object) -> str:
    """The condition that keeps to one end of a fixed column, or of a moment in it.

    Were it said that the column equals its value, PostgreSQL could take what is in order by time
    alone for an index of both.
    """
    pairs = {column: f":fixed_{number}"} if column else {}
    if moment:
        pairs[at] = str(moment)
    return f"({', '.join(pairs)}) {sign} ({', '.join(pairs.values())})" if pairs else ""


def one_of(column: str, values: Sequence[str]) -> str:
    """The condition that a column is one of some values, which are its `parameters`."""
    listed = ", ".join(f":{name}" for name in parameters(column, values))
    return f"{column} IN ({listed})" if values else "1 = 0"


def parameters(column: str, values: Sequence[str]) -> dict[str, str]:
    """The parameters of `one_of`."""
    return {f"{column}_{number}": value for number, value in enumerate(values)}


def named(db: Connection, runs: Sequence[str]) -> list[RunRecord]:
    """The runs with these IDs, of which there are few."""
    return [record for run in runs for record in read(db, "WHERE run = :run", run=run)]


def repeated(db: Connection, entry: RunRecord) -> RunRecord | None:
    """The caller's own latest run that a run is the same as, of those that are asked about."""
    where = (
        "WHERE caller = :caller AND at > :after AND at < :at AND action = :action "
        "AND fingerprint = :fingerprint AND length(fingerprint) > 0 AND test = :test "
        "AND state IN ('sent', 'unknown') ORDER BY at DESC LIMIT 1"
    )
    args = {name: getattr(entry, name) for name in ("caller", "at", "action", "fingerprint")}
    args |= {"after": entry.at - GUARD_SECONDS, "test": int(entry.test)}
    return next(iter(read(db, where, **args)), None)
