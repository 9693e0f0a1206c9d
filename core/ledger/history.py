"""What is kept of runs when they are deleted: closed hours and days, counted.

One bot of many writes it now and then, never a run's own transaction. `closed` is how far it
goes; what is later, and the days of which a run ended otherwise since, is counted from the runs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from core import reports
from core.ledger import usage
from core.ledger.listing import RunFilter
from core.ledger.records import DAY, day_of, start_of
from core.ledger.store import Connection, Stored, reads, writes
from core.ledger.usage import Tallies, Tally

HOUR = 3600
SHARES = (0.50, 0.95)
# An hour is closed once nothing accepted in it is still waiting or being sent.
_SETTLED_SECONDS = 300
# What ended is noticed by a clock that was ahead, or was set back since, by up to this much; so is
# a transaction that was committed long after it asked for the time.
_CLOCK_SECONDS = 1800.0
GIVE_WAY_SECONDS = 0.03
_DAYS = "start >= :first AND start < :until"


class _Marks(NamedTuple):
    term: float = 0.0  # counted up by each who writes; an earlier one stops
    seen: float = 0.0  # what ended before was looked at
    closed: float = 0.0  # the hours before are written
    deleted: float = 0.0  # the runs of the days before are being deleted: nothing is counted anew


class _Day(NamedTuple):
    start: int
    hours: dict[int, Tallies]
    people: Tallies


class RunHistory(Stored):
    """The roll-up of runs, written after their ends and before they are deleted."""

    def roll_up(self, before: float = 0.0) -> float | None:
        """Write the hours that closed or changed; returns up to when runs may be deleted.

        That is `before` or an earlier midnight: whatever began until then is counted once more,
        and never again. None where another process has begun to write.
        """
        term = self._begin_pass()
        marks, now = self.store.read(_marks), self.store.read(lambda db: db.now())
        # What a clock that is ahead has closed stays closed.
        closed = max((now - _SETTLED_SECONDS) // HOUR * HOUR, marks.closed)
        before = min(before, closed) // DAY * DAY
        for start in self.store.read(lambda db: _due(db, marks, closed, before), long=True):
            day = self.store.read(partial(_day, start=start, closed=closed), long=True)
            if not self._write_day(term, day, closed):
                return None
            time.sleep(GIVE_WAY_SECONDS)
        done = _Marks(term, now, closed, max(before, marks.deleted))
        return before if self._end_pass(done) else None

    @writes()
    def _begin_pass(self, db: Connection) -> float:
        row = db.execute(
            "INSERT INTO history_marks (name, value) VALUES ('term', 1) "
            "ON CONFLICT (name) DO UPDATE SET value = history_marks.value + 1 RETURNING value"
        ).fetchone()
        return float(row[0])

    @writes()
    def _write_day(self, db: Connection, term: float, day: _Day, closed: float) -> bool:
        if not _mine(db, term):
            return False
        spans = [(HOUR, start, tallies) for start, tallies in day.hours.items()]
        if day.start + DAY <= closed:
            whole: Tallies = {}
            for tallies in day.hours.values():
                usage.add(whole, tallies)
            spans.append((DAY, day.start, whole))
        span = {"first": day.start, "until": day.start + DAY}
        db.execute(f"DELETE FROM history WHERE seconds IN ({HOUR}, {DAY}) AND {_DAYS}", span)
        db.execute(f"DELETE FROM history_people WHERE {_DAYS}", span)
        for seconds, start, tallies in spans:
            for (connector, action), tally in tallies.items():
                row = {"seconds": seconds, "start": start, "connector": connector}
                row |= {"action": action, "times": json.dumps(tally.times), **tally.named()}
                db.execute(
                    "INSERT INTO history (seconds, start, connector, action, sent, refused, "
                    "not_sent, unknown, times) VALUES (:seconds, :start, :connector, :action, "
                    ":sent, :refused, :not_sent, :unknown, :times)",
                    row,
                )
        for (action, person), tally in day.people.items():
            db.execute(
                "INSERT INTO history_people (start, action, person, sent, refused, not_sent, "
                "unknown) VALUES (:start, :action, :person, :sent, :refused, :not_sent, :unknown)",
                {"start": day.start, "action": action, "person": person, **tally.named()},
            )
        return True

    @writes()
    def _end_pass(self, db: Connection, marks: _Marks) -> bool:
        if not _mine(db, marks.term):
            return False
        for name in ("seen", "closed", "deleted"):
            db.execute(
                "INSERT INTO history_marks (name, value) VALUES (:name, :value) "
                "ON CONFLICT (name) DO UPDATE SET value = :value",
                {"name": name, "value": getattr(marks, name)},
            )
        return True

    def usage(
        self, days: int, of: RunFilter | None = None, until: float | None = None, only: str = ""
    ) -> list[reports.UsageDay]:
        """Runs by connector, or of `only` one, and UTC day; with `of`, of those kept still."""

        def count(db: Connection) -> list[reports.UsageDay]:
            first, end = _span(db, days, until)
            tallies = {} if of is None else usage.count_days(db, first, end, of)
            for start, (connector, _), tally in () if of else _tallies(db, first, end, DAY, only):
                tallies.setdefault((day_of(start), connector), Tally()).add(tally)
            ordered = sorted(tallies.items(), key=lambda item: item[0][1])
            ordered.sort(key=lambda item: item[0][0], reverse=True)
            return [
                reports.UsageDay(connector, day, *tally.counts, *map(tally.percentile, SHARES))
                for (day, connector), tally in ordered
            ]

        return self.store.read(count, long=True)

    def usage_by_action(self, days: int, until: float | None = None) -> Tallies:
        """Runs by connector and action over the same days."""

        def count(db: Connection) -> Tallies:
            tallies: Tallies = {}
            for _, name, tally in _tallies(db, *_span(db, days, until), DAY):
                tallies.setdefault(name, Tally()).add(tally)
            return tallies

        return self.store.read(count, long=True)

    def history(
        self, connector: str, since: float, until: float, step: int = HOUR
    ) -> reports.History:
        """A connector's runs, counted in steps of whole hours that begin with the hour of `since`.

        `History.since` is the day of the first run that anything is known of, of any connector.
        """

        def count(db: Connection) -> reports.History:
            first = since // HOUR * HOUR
            # Days are read where no step ends within one.
            unit = DAY if step % DAY == 0 and first % DAY == 0 else HOUR
            steps = [Tally() for _ in range(max(0, -int((first - until) // step)))]
            end = first + len(steps) * step
            for start, _, tally in _tallies(db, first, end, unit, connector):
                steps[int((start - first) // step)].add(tally)
            known = _since(db)
            return reports.History(
                connector=connector,
                since=None if known is None else reports.moment(known),
                steps=tuple(
                    reports.HistoryStep(
                        reports.moment(first + n * step), *t.counts, *map(t.percentile, SHARES)
                    )
                    for n, t in enumerate(steps)
                ),
            )

        return self.store.read(count, long=True)

    @reads
    def usage_by_person(
        self, db: Connection, days: int, until: float | None = None
    ) -> list[reports.PersonUsage]:
        """Runs by person and action over the same days; of who is still known."""
        first, stop = _span(db, days, until)
        marks = _marks(db)
        fresh, tallies = _fresh_days(db, marks, first), Tallies()
        end = min(_midnight(marks.closed), int(stop))
        not_these = ", ".join(map(str, {-1, *fresh}))
        rows = db.execute(
            "SELECT action, person, sum(sent), sum(refused), sum(not_sent), sum(unknown) "
            f"FROM history_people WHERE {_DAYS} AND start NOT IN ({not_these}) "
            "GROUP BY action, person",
            {"first": first, "until": end},
        )
        for action, person, *counts in rows:
            usage.add(tallies, {(action, person): Tally([*map(int, counts)])})
        late = range(int(max(end, first)), int(min(stop, db.now() + 1)), DAY)
        for start in sorted({*(day for day in fresh if day < stop), *late}):
            usage.add(tallies, usage.count_people(db, start, start + DAY))
        return [
            reports.PersonUsage(person, action, *tally.counts)
            for (action, person), tally in sorted(tallies.items(), key=lambda item: item[0][::-1])
        ]


def _tallies(
    db: Connection, first: float, until: float, unit: int, only: str = ""
) -> Iterator[tuple[float, tuple[str, str], Tally]]:
    """What is known of a span: the start of an hour or day, connector and action, their count."""
    marks = _marks(db)
    fresh = _fresh_days(db, marks, first, only)
    # The day that has not closed is read in hours.
    cut = max(first, min(marks.closed, _midnight(marks.closed) if unit == DAY else marks.closed))
    for seconds, begin, end in ((unit, first, cut), (HOUR, cut, marks.closed)):
        rows = db.execute(
            "SELECT start, connector, action, sent, refused, not_sent, unknown, times FROM history "
            f"WHERE seconds = :seconds AND {_DAYS} AND (:only = '' OR connector = :only)",
            {"seconds": seconds, "first": begin, "until": min(end, until), "only": only},
        )
        for start, connector, action, *counts, times in rows:
            if _midnight(start) not in fresh:
                yield start, (connector, action), Tally(counts, json.loads(times))
    late = [
        hour
        for day in sorted(fresh)
        for hour in range(day, day + DAY, HOUR)
        if first <= hour < min(marks.closed, until)
    ]
    at = max(first, marks.closed)
    # Hours without a run are passed over.
    while (run := usage.first_run(db, at)) is not None and run < until:
        late.append(int(run // HOUR * HOUR))
        at = late[-1] + HOUR
    for hour in late:
        for name, tally in usage.count(db, hour, hour + HOUR).items():
            if only in ("", name[0]):
                yield hour, name, tally


def _due(db: Connection, marks: _Marks, closed: float, before: float) -> list[int]:
    """The days to be written: what ended since, what closed since, what is going to be deleted."""
    days = set(map(start_of, _changed(db, marks, closed)))
    if 0 < marks.closed < closed:
        days |= {*range(_midnight(marks.closed), int(closed), DAY)}
    at = marks.deleted
    while (run := usage.first_run(db, at)) is not None and run < before:
        days.add(_midnight(run))
        at = _midnight(run) + DAY
    return sorted(days)


def _changed(db: Connection, marks: _Marks, until: float, only: str = "") -> set[str]:
    return usage.days_changed(db, marks.seen - _CLOCK_SECONDS, marks.deleted, until, only)


def _fresh_days(db: Connection, marks: _Marks, first: float, only: str = "") -> set[int]:
    """The days that are written already, and of which a run has ended since."""
    changed = _changed(db, marks, marks.closed, only) if marks.closed else ()
    return {start for day in changed if (start := start_of(day)) + DAY > first}


def _day(db: Connection, start: int, closed: float) -> _Day:
    hours = {
        hour: tallies
        for hour in range(start, min(start + DAY, int(closed)), HOUR)
        if (tallies := usage.count(db, hour, hour + HOUR))
    }
    # Who sent it is written for whole days alone.
    whole = start + DAY <= closed
    return _Day(start, hours, usage.count_people(db, start, start + DAY) if whole else {})


def _marks(db: Connection) -> _Marks:
    return _Marks(**dict(db.execute("SELECT name, value FROM history_marks").fetchall()))


def _mine(db: Connection, term: float) -> bool:
    """Whether nobody else has begun to write; none does until this is committed."""
    sql = "UPDATE history_marks SET value = value WHERE name = 'term' AND value = :term"
    return db.execute(sql, {"term": term}).rowcount == 1


def _since(db: Connection) -> float | None:
    (kept,) = db.execute(f"SELECT min(start) FROM history WHERE seconds = {HOUR}").fetchone()
    known = [at for at in (kept, usage.first_run(db, 0.0)) if at is not None]
    return _midnight(min(known)) if known else None


def _span(db: Connection, days: int, until: float | None) -> tuple[float, float]:
    """So many days: the last ones, or those before a midnight."""
    end = _midnight(db.now()) + DAY if until is None else until
    return end - days * DAY, end


def _midnight(at: float) -> int:
    return int(at // DAY * DAY)
