"""What was asked, told, written and received, and what of it cannot all be true."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# How an asking may end: the first three hold nothing that arrived.
NOTHING = ("not_sent", "refused", "quota", "question")
ENDED = ("sent", "refused", "not_sent", "unknown")
FINAL = ("sent", "unknown", *NOTHING)
# Something follows; or the database was away, and this delivery of the message did nothing.
OPEN = ("pending", "trouble")
# It arrived twice; it did not, and was said to; it did, and was said not to; its asker was told
# nothing; the quota or the usage is wrong; it never ended.
KINDS = ("double", "loss", "wrong", "untold", "count", "unsettled")
# Surfaces that owe whoever asked a message of their own, not only an answer on a line.
TELLING = ("slack", "telegram")
FREE_LIMIT = 1


@dataclass(frozen=True)
class Told:
    """What an asker was told: one of FINAL or OPEN, or words that say nothing."""

    at: float
    what: str
    words: str = ""
    day: str | None = None  # whose quota is used up, where that was said


@dataclass
class Asked:
    """One message that somebody wanted sent, by its mark; asked again counts as the same.

    `heard` is whether the asker's side took it at all; where an answer was cut off on its
    way, `cut`, the asker knows that nobody knows.
    """

    mark: str
    surface: str
    person: str
    action: str
    at: float
    heard: bool = True
    cut: bool = False
    told: list[Told] = field(default_factory=list)

    @property
    def last(self) -> Told | None:
        """The last that was told of how it ended."""
        return next((each for each in reversed(self.told) if each.what not in OPEN), None)


@dataclass(frozen=True)
class Row:
    """A run as the database has it."""

    run: str
    mark: str
    state: str
    charged: bool
    free: bool
    owner: str  # whose quota
    action: str
    day: str
    owed: bool  # where to answer is kept still
    reason: str | None = None


@dataclass(frozen=True)
class Arrival:
    """A message that came to its service, and did something there."""

    mark: str
    at: float
    call: str


@dataclass(frozen=True)
class TestSend:
    """A test send as the database has it, and what the tray was told of it, if anything."""

    __test__ = False  # pytest

    run: str
    connector: str
    state: str
    told: str | None = None


@dataclass(frozen=True)
class Finding:
    """A promise that was broken."""

    kind: str  # one of KINDS
    mark: str
    what: str


@dataclass
class History:
    """Everything of one round."""

    asked: dict[str, Asked] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    tests: list[TestSend] = field(default_factory=list)
    test_arrivals: Counter[str] = field(default_factory=Counter)  # by connector
    # How many runs there are in each state, and what the usage report counts.
    states: Counter[str] = field(default_factory=Counter)
    usage: Counter[str] = field(default_factory=Counter)

    def story(self, mark: str) -> dict[str, Any]:
        """All that is known of one message."""
        asked = self.asked.get(mark)
        return {
            "asked": dataclasses.asdict(asked) if asked else None,
            "rows": [dataclasses.asdict(row) for row in self.rows if row.mark == mark],
            "arrivals": [dataclasses.asdict(one) for one in self.arrivals if one.mark == mark],
        }


def audit(history: History) -> list[Finding]:
    """Every promise that a round broke."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in history.rows:
        rows[row.mark].append(row)
    arrived = Counter(one.mark for one in history.arrivals)
    marks = sorted({*history.asked, *rows, *arrived})
    found: list[Finding] = []
    for mark in marks:
        found += _of_rows(mark, rows[mark], arrived[mark])
        if (asked := history.asked.get(mark)) is None:
            found.append(Finding("count", mark, "nobody asked for it"))
        else:
            found += _of_told(asked, rows[mark], arrived[mark])
    return [*found, *_of_quota(history, arrived), *_of_tests(history), *_of_usage(history)]


def _of_rows(mark: str, rows: list[Row], arrived: int) -> Iterator[Finding]:
    """What the database and the services say of each other."""
    if arrived > 1:
        yield Finding("double", mark, f"it arrived {arrived} times")
    states = Counter(row.state for row in rows)
    if open_ := states["accepted"] + states["sending"]:
        yield Finding("unsettled", mark, f"{open_} of its runs never ended")
    if arrived and not rows:
        yield Finding("loss", mark, "it arrived, and no run is in the database")
    sure, perhaps = states["sent"], states["unknown"] + open_
    if sure > arrived:
        yield Finding("loss", mark, f"the database has it as sent, and it arrived {arrived} times")
    if rows and arrived == 1 and not sure + perhaps:
        yield Finding("wrong", mark, f"it arrived, and the database has it as {_names(states)}")
    for row in rows:
        if row.charged != (row.state not in ("refused", "not_sent")):
            counts = "counts" if row.charged else "does not count"
            yield Finding("count", mark, f"a run that is {row.state} {counts}")


def _of_told(asked: Asked, rows: list[Row], arrived: int) -> Iterator[Finding]:
    """What the asker was told, and what is so."""
    for each in asked.told:
        if each.what not in (*FINAL, *OPEN):
            yield Finding("untold", asked.mark, f"words that say nothing: {each.words}")
    what = asked.last.what if asked.last else None
    if any(each.what == "sent" for each in asked.told) and not arrived:
        yield Finding("loss", asked.mark, "its asker was told sent, and it never arrived")
    if what in NOTHING and arrived:
        yield Finding("wrong", asked.mark, f"its asker was told {what}, and it arrived")
    states = {row.state for row in rows}
    if what in ("sent", "unknown") and not rows:
        yield Finding("loss", asked.mark, f"its asker was told {what}, and there is no run")
    if what == "sent" and rows and "sent" not in states:
        yield Finding("wrong", asked.mark, f"told sent, and the database has {sorted(states)}")
    if what is None:
        yield from _untold(asked, rows, arrived)


def _untold(asked: Asked, rows: list[Row], arrived: int) -> Iterator[Finding]:
    """Nothing final was told: that is a loss in silence, unless somebody owes it still."""
    owed = any(row.owed for row in rows)
    if any(each.what == "trouble" for each in asked.told):
        alone = len(asked.told) == 1 and not asked.cut
        if alone and (arrived or any(row.state != "not_sent" for row in rows)):
            yield Finding("wrong", asked.mark, "told that the database is away, and it was taken")
        if alone or not rows:
            return
    if asked.surface in TELLING:
        if not owed and (rows or asked.heard):
            state = " and ".join(row.state for row in rows) or "no run"
            yield Finding("untold", asked.mark, f"{state}, and its asker was never told")
    elif not asked.cut:
        yield Finding("untold", asked.mark, "no answer, and the line did not break")


def _of_quota(history: History, arrived: Counter[str]) -> Iterator[Finding]:
    """At most one free run a person, action and day; refused only who had one."""
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    theirs: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in history.rows:
        asked = history.asked.get(row.mark)
        if row.free:
            groups[row.owner, row.action, row.day].append(row)
        if asked:
            theirs[asked.person, row.action].append(row)
    for (owner, action, day), rows in groups.items():
        sent = sum(arrived[mark] for mark in {row.mark for row in rows})
        charged = sum(row.charged for row in rows)
        if sent > FREE_LIMIT or charged > FREE_LIMIT:
            what = f"{owner} has {sent} arrivals of {action} on {day}, {charged} counted"
            yield Finding("count", rows[-1].mark, what)
    for asked in history.asked.values():
        for day in {each.day for each in asked.told if each.what == "quota"}:
            others = theirs[asked.person, asked.action]
            if not any(_in_the_way(history, row, asked, day) for row in others):
                what = f"refused, and nothing used the quota of {day or 'any day'} up"
                yield Finding("count", asked.mark, what)


def _in_the_way(history: History, row: Row, asked: Asked, day: str | None) -> bool:
    """Whether a run may have used up what another was refused for."""
    if row.mark == asked.mark or not row.free or day not in (row.day, None):
        return False
    if row.charged:
        return True
    # It was given back: a reason only where that may have been later.
    other = history.asked[row.mark]
    return other.last is None or other.last.at >= asked.at


def _of_tests(history: History) -> Iterator[Finding]:
    """Test sends hold no mark: they are counted."""
    states = Counter((test.connector, test.state) for test in history.tests)
    for kind in {test.connector for test in history.tests} | set(history.test_arrivals):
        arrived, least = history.test_arrivals[kind], states[kind, "sent"]
        open_ = states[kind, "accepted"] + states[kind, "sending"]
        if open_:
            yield Finding("unsettled", "", f"{open_} test sends of {kind}")
        if not least <= arrived <= least + states[kind, "unknown"] + open_:
            worse = "loss" if arrived < least else "double"
            yield Finding(worse, "", f"{arrived} test sends of {kind} arrived: {dict(states)}")
    for test in history.tests:
        if test.told == "sent" and test.state != "sent":
            yield Finding("wrong", "", f"the tray was told {test.run} is sent: {test.state}")
        if test.told in NOTHING and test.state in ("sent", "unknown"):
            yield Finding("wrong", "", f"the tray was told {test.run} is {test.told}: {test.state}")


def _of_usage(history: History) -> Iterator[Finding]:
    for state in ENDED:
        if history.usage[state] != history.states[state]:
            what = f"usage has {history.usage[state]} {state}, the runs {history.states[state]}"
            yield Finding("count", "", what)


def _names(states: Iterable[str]) -> str:
    return " and ".join(sorted(states))
