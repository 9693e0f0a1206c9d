"""Lists of runs: which ones a filter means, page after page, on both engines."""

from itertools import product

import pytest

from core.ledger import listing
from core.ledger.listing import Place, RunFilter
from tests.support.engines import both
from tests.support.journal import accept, finish, order

ADA, BOB, CI = "cli:ada", "slack:T1:UBOB", "http:ci"
# Enough that a plan which reads all of them is told from one that does not.
MANY = 20_000


@pytest.fixture
def pro(ledger):
    for caller in (ADA, BOB, CI):
        ledger.set_plan(caller, "pro")
    return ledger


def pages(ledger, last, of=listing.EVERY_RUN, between=lambda: None):
    """Every page's IDs, as somebody gets them who asks for one after the other."""
    found, before = [], None
    while True:
        page = ledger.run_page(last, of, before)
        found.append([run.run for run in page.runs])
        if page.next is None:
            return found
        before = Place.parse(page.next)
        between()


@both
def test_pages_hold_each_run_once_while_new_ones_come(pro):
    moments = [100.0, 100.0, 100.0, 101.5, 101.5, 103.25, 104.0]
    there = [accept(pro, at=at)[0].run for at in moments]
    found = pages(pro, 2, between=lambda: accept(pro, at=200.0))
    assert [len(page) for page in found] == [2, 2, 2, 1]
    in_order = sorted(zip(moments, there, strict=True), reverse=True)
    assert [run for page in found for run in page] == [run for _, run in in_order]
    assert len(pro.runs()) == len(moments) + 3


@both
def test_a_page_that_ends_with_the_last_run_has_no_next(pro):
    for at in (1.0, 2.0):
        accept(pro, at=at)
    assert pro.run_page(2, listing.EVERY_RUN).next is None
    assert pro.run_page(2, RunFilter(since=2.0)).next is None


@both
def test_twenty_are_listed_where_nobody_says_how_many(pro):
    runs = [accept(pro, at=float(at))[0].run for at in range(21)]
    assert [entry.run for entry in pro.runs()] == runs[:0:-1]


FILTERS = [
    (RunFilter(), "abcdef"),
    (RunFilter(since=3.0), "cdef"),
    (RunFilter(callers=(ADA,)), "ace"),
    (RunFilter(callers=(BOB, ADA, BOB)), "abcdef"),
    (RunFilter(callers=(CI,)), ""),
    (RunFilter(connector="sample"), "abcde"),
    (RunFilter(connector="sample", action="sample.do"), "abce"),
    (RunFilter(outcome="sent"), "a"),
    (RunFilter(outcome="unknown"), "bd"),
    (RunFilter(outcome="open"), "ef"),
    (RunFilter(outcome="open", callers=(ADA,), since=2.0), "e"),
    (RunFilter(outcome="unknown", since=3.0), "d"),
    (RunFilter(until=3.0), "ab"),
    (RunFilter(outcome="open", until=6.0), "e"),
    (RunFilter(surface="web"), "c"),
    (RunFilter(surface="web", callers=(BOB,)), ""),
]


@both
def test_a_filter_means_the_runs_that_it_says(pro):
    made = {
        "a": finish(pro, "sent", at=1.0),
        "b": finish(pro, "unknown", at=2.0, caller=BOB),
        "c": finish(pro, "not_sent", at=3.0, surface="web"),
        "d": finish(pro, "unknown", at=4.0, caller=BOB, action="sample.more"),
        "e": accept(pro, at=5.0)[0],
        "f": accept(pro, at=6.0, caller=BOB, connector="other", action="other.do")[0],
    }
    names = {entry.run: name for name, entry in made.items()}
    for of, wanted in FILTERS:
        latest_first = "".join(names[run] for page in pages(pro, 2, of) for run in page)
        assert (of, latest_first) == (of, wanted[::-1])


# What a list can be narrowed to: a field of the filter, and what is asked for, or nothing.
NARROWED = {
    "connector": (None, "sample", "other"),
    "action": (None, "sample.more"),
    "outcome": (None, "sent", "refused", "unknown", "open"),
    "callers": (None, (ADA,), (BOB, CI, BOB)),
    "surface": (None, "web", "cli"),
    "span": ((None, None), (2.0, None), (3.0, 9.0)),
}


def means(of, entry):
    """Whether a filter means a run, said once more in plain words."""
    return (
        of.connector in (None, entry.connector)
        and of.action in (None, entry.action)
        and of.outcome in (None, "open" if entry.open else entry.state)
        and (of.callers is None or entry.caller in of.callers)
        and of.surface in (None, entry.surface)
        and (of.since is None or entry.at >= of.since)
        and (of.until is None or entry.at < of.until)
    )


@both
def test_filters_together_mean_the_runs_that_each_of_them_means(pro):
    made = [
        finish(pro, "sent", at=1.0),
        finish(pro, "refused", at=2.0, caller=BOB, surface="web"),
        finish(pro, "unknown", at=3.0, caller=BOB, action="sample.more"),
        finish(pro, "not_sent", at=3.0, connector="other", action="other.do"),
        finish(pro, "refused", at=4.0, caller=CI, connector="other", action="other.do"),
        finish(pro, "sent", at=5.0, caller=CI, surface="web", action="sample.more"),
        finish(pro, "sent", at=6.0, caller=BOB, connector="other", action="other.do"),
        accept(pro, at=7.0, caller=BOB, surface="web")[0],
        accept(pro, at=8.0, caller=CI, connector="other", action="other.do")[0],
    ]
    made = sorted(map(pro.run, (entry.run for entry in made)), key=Place.of, reverse=True)
    for *values, (since, until) in product(*NARROWED.values()):
        of = RunFilter(**dict(zip(NARROWED, values, strict=False)), since=since, until=until)
        wanted = [entry.run for entry in made if means(of, entry)]
        assert (of, [entry.run for entry in pro.runs(9, of)]) == (of, wanted)
        if len(wanted) > 1:
            later = pro.runs(9, of, Place.of(pro.run(wanted[0])))
            assert (of, [entry.run for entry in later]) == (of, wanted[1:])


PLANS = [
    (RunFilter(), "runs_at"),
    (RunFilter(since=10.0), "runs_at"),
    (RunFilter(since=10.0, until=9000.0), "runs_at"),
    (RunFilter(callers=(BOB,)), "runs_caller"),
    (RunFilter(callers=(BOB,), since=10.0), "runs_caller"),
    (RunFilter(callers=(CI,), surface="telegram", until=9000.0), "runs_caller"),
    (RunFilter(outcome="open"), "runs_open"),
    (RunFilter(outcome="open", callers=(CI,)), "runs_open"),
    (RunFilter(outcome="refused"), "runs_failed"),
    (RunFilter(outcome="not_sent", since=10.0, callers=(CI,)), "runs_failed"),
    (RunFilter(outcome="unknown", connector="sample", surface="web"), "runs_failed"),
    (RunFilter(connector="sample"), "runs_kind"),
    (RunFilter(surface="telegram", since=10.0), "runs_kind"),
    (RunFilter(connector="sample", action="sample.do", surface="telegram"), "runs_kind"),
    (RunFilter(connector="sample", surface="http", outcome="sent"), "runs_kind"),
]


class Plans:
    """A connection that explains what it reads; `plans` has each statement's."""

    def __init__(self, db, *, shared):
        self._db = db
        self._explain = "EXPLAIN" if shared else "EXPLAIN QUERY PLAN"
        self.plans = []

    def execute(self, sql, args):
        rows = self._db.execute(f"{self._explain} {sql}", args).fetchall()
        self.plans.append("\n".join(str(row[-1]) for row in rows))
        return self._db.execute(sql, args).fetchall()


@both
@pytest.mark.parametrize("before", [None, Place(500.0, "m")], ids=["first", "deep"])
def test_a_page_comes_out_of_an_index_however_deep_it_is(pro, before):
    _fill(pro)
    shared = pro.store.shared
    for of, index in PLANS:

        def explain(db, of=of):
            plans = Plans(db, shared=shared)
            listing.latest(plans, 50, of, before)
            return plans.plans

        # Beside it, what is open is read, and which connectors and interfaces there are.
        ordered = "Sort" if shared else "ORDER BY"
        pages = [
            plan
            for plan in pro.store.read(explain)
            if ordered in plan and (index == "runs_open" or "runs_open" not in plan)
        ]
        assert pages, of
        for plan in pages:
            assert index in plan, (of, plan)
            # All that is sorted are the runs of one moment, or the few that are open.
            assert index == "runs_open" or shared or "RIGHT PART OF ORDER BY" in plan, (of, plan)
            # What the index holds says which runs are read, but for those of that moment.
            told = plan.replace("Filter: (settled_at IS NOT NULL)", "")
            assert index == "runs_open" or before or "Filter" not in told, (of, plan)


def _fill(ledger):
    """Many runs, of which somebody made one in a hundred; a tenth came over what is used no more.

    An engine that goes by how many there are takes the latest ones to be like the first.
    """
    row = order(caller=CI)
    columns = (
        "run, at, day, action, connector, caller, surface, test, state, charged, rebind, "
        "fingerprint, owner, settled_at, quota_owner"
    )
    rows = (
        (
            f"{number:010}", float(number), "1970-01-01", row.action, row.connector,
            BOB if number % 100 == 0 else CI, "telegram" if number < MANY / 10 else "http",
            0, "refused" if number % 50 == 0 else "sent", 1, 0, b"", "x", 1.0, CI,
        )
        for number in range(MANY)
    )  # fmt: skip
    ledger.store.write(lambda db: db.load("runs", columns, rows))
    if ledger.store.shared:  # its plans go by statistics, which it makes by itself in time
        ledger.store.write(lambda db: db.execute("ANALYZE runs"))


def test_what_is_no_place_is_not_read_as_one():
    place = Place(1764190091.123457, "k7m2q9xw4t")
    assert Place.parse(str(place)) == place
    for text in ("", "k7m2q9xw4t", "1-a", "nan-a", "1.0-", "1.0-A", "1e3-a", " 1.0-a", "1.0-a "):
        with pytest.raises(ValueError, match="must be what the page before has as next"):
            Place.parse(text)
