"""Lists of runs: filtered, latest first, page after page.

A page ends at a place, a run's time and ID, and the next one goes on from there: what comes
meanwhile moves nothing, and the last page costs what the first one did.
"""

import heapq
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
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


def latest(
    db: Connection, last: int, of: RunFilter = EVERY_RUN, before: Place | None = None
) -> list[RunRecord]:
    """At most `last` runs, latest first; only those `before` a place."""
    is_open = of.outcome == "open"
    # What is open has an index of its own, off which SQLite goes for one on a bare column.
    at, by = ("(at + 0)", "caller || ''") if is_open else ("at", "caller")
    conditions = {
        f"{at} >= :since": of.since is not None,
        f"{at} < :until": of.until is not None,
        "surface = :surface": of.surface,
        "connector = :connector": of.connector,
        "action = :action": of.action,
        one_of("action", of.actions or ()): of.actions is not None,
        f"state IN {OPEN}" if is_open else "state = :outcome": of.outcome,
        # The first alone is what an index can look for.
        f"{at} <= :at AND ({at} < :at OR run < :run)": before,
    }
    args = {**asdict(of), **(before._asdict() if before else {}), "last": last}
    args |= parameters("action", of.actions or ())

    def look(caller: str | None) -> list[RunRecord]:
        wanted = [sql for sql, want in {**conditions, f"{by} = :caller": caller}.items() if want]
        where = f"WHERE {' AND '.join(wanted)} " if wanted else ""
        # An index has them in this order but for those of the very same moment.
        order = f"ORDER BY {at} DESC, run DESC LIMIT :last"
        return read(db, where + order, **args, caller=caller)

    if of.callers is None:
        return look(None)
    pages = map(look, dict.fromkeys(of.callers))
    return [*islice(heapq.merge(*pages, key=Place.of, reverse=True), last)]


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
