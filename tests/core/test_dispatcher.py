"""What a dispatcher makes of a run: its outcome, its row, and who is told, delivery by delivery."""

import re
import threading
import time
from collections import deque
from dataclasses import replace

import pytest

from core.contract import Receipt
from core.engine import reasons
from core.engine.dispatcher import Dispatcher
from core.engine.queues import WORKERS
from core.engine.results import Settled
from core.engine.validation import credential_digest
from core.errors import (
    Fault,
    InternalError,
    InvalidInput,
    LedgerError,
    NotSent,
    Refused,
    Unwritten,
)
from core.ledger import Ledger
from core.ledger.records import TargetRecord
from core.ledger.store import PATIENCE
from core.outbound import Delivery, Outbound, Try, retry
from core.timers import uptime
from tests.support.asking import ADA
from tests.support.holding import rows_held
from tests.support.journal import row
from tests.support.waiting import wait_for

ONE, TWO = (Try(0, 5, None),), (Try(0, 5, "odd"), Try(9, 4, None))
SENT = Delivery(ONE, Receipt("sent"))
SOON = 30  # seconds after which what was to come does not come


class Ways(Outbound):
    """A way out on which deliveries end as they are told to, and whose next one can be held."""

    def __init__(self):
        super().__init__()
        self.ends, self.asked = deque(), []
        self.open = threading.Event()
        self.open.set()

    def deliver(self, *what, **how):
        self.asked.append((what, how))
        assert self.open.wait(60)
        end = self.ends.popleft() if self.ends else SENT
        if isinstance(end, Exception):
            raise end
        return end


class Lasting:
    """A ledger's store whose runs have so many seconds after their owner's death."""

    def __init__(self, store, grace):
        self._store, self.grace = store, grace

    def __getattr__(self, name):
        return getattr(self._store, name)


@pytest.fixture
def ways():
    ways = Ways()
    yield ways
    ways.open.set()


@pytest.fixture
def told():
    return []


@pytest.fixture
def dispatching(pro, ways, told):
    """Make a dispatcher on the engine's ledger."""
    made = []

    def make(ledger=pro.ledger, ended=lambda job, settled: told.append((job, settled)), **more):
        made.append(Dispatcher(
            ledger, ways, pro.connectors, restore=pro.settled, ended=ended, **more
        ))  # fmt: skip
        return made[-1]

    yield make
    ways.open.set()
    for each in made:
        each.close(0)


@pytest.fixture
def dispatcher(dispatching):
    return dispatching()


@pytest.fixture
def job(pro):
    """Accept a run of Ada's; what `more` makes of it."""
    numbers = iter(range(1000))

    def job(**more):
        accepted = pro.accept("slack.send", {"text": f"n{next(numbers)}"}, ADA)
        return replace(accepted.job, **more)

    return job


def ended(dispatcher, job):
    settled = dispatcher.start(job).result(SOON)
    wait_for(lambda: dispatcher.out(job.run) is None, SOON)
    return settled


ENDING = "state, attempts, code, reason, receipt, tries"


def test_a_dispatcher_delivers_a_run_once_and_writes_down_how_it_ended(
    dispatcher, pro, ways, told, job
):
    one, began = job(sandbox_page=None), uptime()
    settled = ended(dispatcher, one)
    assert settled == Settled(
        one.run, "slack.send", "sent", Receipt("sent"), ms=settled.ms, attempts=1, tries=ONE
    )
    assert 0 < settled.ms < 1000 * (uptime() - began)
    assert told == [(one, settled)]
    digest = credential_digest(one.config)
    ((what, how),) = ways.asked
    assert what == ("slack", digest, one.run, one.send)
    assert began <= how.pop("began") <= uptime()
    assert how == {"seconds": retry.SECONDS}
    assert row(pro.ledger, one.run, ENDING) == ("sent", 1, None, None, '{"status": "sent"}', None)
    assert row(pro.ledger, one.run, "ms")[0] == settled.ms
    assert dispatcher.start(one) is one.future
    assert len(ways.asked) == 1
    assert set(dispatcher.load().values()) == {(0, 0)}
    assert (dispatcher._out, dispatcher._ending) == ({}, set())


def test_a_dispatcher_writes_down_why_a_run_failed_and_each_of_several_attempts(
    dispatcher, pro, ways, job
):
    for error, outcome in (
        (Refused("gone", "It is gone."), "refused"),
        (NotSent("busy", "It is busy."), "not_sent"),
        (InternalError("Odd.", reason="odd"), "refused"),
    ):
        ways.ends.append(Delivery(TWO, error=error))
        one = job(test=True)
        settled = ended(dispatcher, one)
        assert (settled.outcome, settled.error.reason) == (outcome, error.reason)
        assert (settled.attempts, settled.tries, settled.test) == (2, TWO, True)
        assert settled.ms > 0
        assert row(pro.ledger, one.run, ENDING) == (
            outcome, 2, error.code, error.reason, None, '[[0, 5, "odd"], [9, 4, null]]',
        )  # fmt: skip


def test_a_dispatcher_makes_unknown_of_a_mistake_of_our_own(dispatcher, pro, ways, job, caplog):
    ways.ends.append(KeyError("PAYLOAD"))
    one = job()
    settled = ended(dispatcher, one)
    assert (settled.outcome, settled.error.reason) == ("unknown", "internal")
    assert isinstance(settled.error, InternalError)
    assert settled.error.fix == reasons.row("internal").fix
    assert settled.ms > 0
    assert row(pro.ledger, one.run, "state, code") == ("unknown", InternalError.code)
    place = rf"run {one.run}: KeyError at core/test_dispatcher\.py:\d+"
    assert [bool(re.fullmatch(place, said)) for said in caplog.messages] == [True]


PAGE = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("page", "receipt", "then"),
    [
        (PAGE, Receipt("sent", link="https://a/b"), Receipt("sent", note=f"{PAGE}/")),
        (
            PAGE,
            Receipt("sent", link="https://a/b", note="Look."),
            Receipt("sent", note=f"{PAGE}/\nLook."),
        ),
        (PAGE, Receipt("sent", note="Look."), Receipt("sent", note="Look.")),
        (PAGE, None, None),
        (None, Receipt("sent", link="https://a/b"), Receipt("sent", link="https://a/b")),
    ],
)
def test_a_dispatcher_sends_people_to_the_sandbox_where_there_is_one(
    dispatcher, ways, job, page, receipt, then
):
    ways.ends.append(Delivery(ONE, receipt))
    assert ended(dispatcher, job(sandbox_page=page)).receipt == then


def test_a_dispatcher_tells_the_target_that_was_named(dispatcher, job):
    one = job()
    target = TargetRecord("builds", "slack.send", None, {}, 1.0)
    named = replace(one, request=replace(one.request, target=target))
    assert ended(dispatcher, named).target == "builds"


def test_a_dispatcher_conceals_where_a_target_leads_from_its_asker_alone(
    dispatcher, ways, told, job
):
    receipt = Receipt("sent", id="x", note="Look.")
    for conceal in (False, True):
        ways.ends.append(Delivery(ONE, receipt))
        seen = ended(dispatcher, job(conceal=conceal, sandbox_page=None)).receipt
        assert seen == (Receipt("sent") if conceal else receipt)
        assert told[-1][1].receipt == receipt


def test_a_dispatcher_tells_who_may_not_see_the_target_nothing_but_what_is_the_same_for_all(
    dispatcher, pro, ways, job
):
    known = job().connector.answers.find("too_fast")
    ways.ends.append(Delivery(ONE, error=NotSent("too_fast", "In the channel #board.")))
    assert ended(dispatcher, job(conceal=True)).error.message == known.error().message
    page = pro.accept("notion.create", {"props": {"Name": "n"}}, ADA).job
    ways.ends.append(Delivery(ONE, error=InvalidInput([Fault("props.name", "is not there")])))
    faults = ended(dispatcher, replace(page, conceal=True)).error.faults
    assert [fault.field for fault in faults] == ["props.Name"]


@pytest.mark.parametrize(("grace", "seconds"), [(0.0, 30.0), (30.0, 20.0), (60.0, 30.0)])
def test_a_dispatcher_is_done_with_a_run_before_others_may_call_it_unknown(
    dispatching, pro, ways, job, grace, seconds
):
    dispatcher = dispatching(Ledger(Lasting(pro.ledger.store, grace)))
    ended(dispatcher, job())
    assert ways.asked[0][1]["seconds"] == seconds


def test_a_dispatcher_starts_a_run_once_while_it_is_out(dispatcher, ways, told, job):
    ways.open.clear()
    one = job()
    future = dispatcher.start(one)
    wait_for(lambda: ways.asked, SOON)
    assert dispatcher.start(one) is future
    assert dispatcher.out(one.run) is future
    assert dispatcher.out("another") is None
    assert dispatcher.load()["slack"] == (1, 0)
    threading.Event().wait(0.03)
    ways.open.set()
    assert future.result(SOON).outcome == "sent"
    assert future.result(SOON).ms >= 30
    assert dispatcher.start(one) is future
    wait_for(lambda: dispatcher.out(one.run) is None, SOON)
    assert (len(ways.asked), len(told)) == (1, 1)


def test_a_dispatcher_that_stops_sends_nothing_more_and_calls_unknown_what_is_out(
    dispatcher, pro, ways, told, job
):
    ways.open.clear()
    out = [dispatcher.start(job()) for _ in range(WORKERS)]
    wait_for(lambda: len(ways.asked) == WORKERS, SOON)
    waiting, late = job(), job()
    dispatcher.start(waiting)
    dispatcher.close(0.05)
    ends = [future.result(0) for future in (*out, waiting.future, dispatcher.start(late))]
    reasons_ = [(end.outcome, end.error.reason) for end in ends]
    assert (
        reasons_
        == [("unknown", "interrupted")] * WORKERS + [("not_sent", "interrupted_before")] * 2
    )
    assert ends[-1].run == late.run
    states = [row(pro.ledger, end.run, "state, reason") for end in ends]
    assert states == reasons_
    assert len(told) == len(ends)
    ways.open.set()  # what comes of it now is too late
    wait_for(lambda: dispatcher.load()["slack"] == (0, 0), SOON)
    assert len(told) == len(ends)
    assert len(ways.asked) == WORKERS


def test_a_dispatcher_that_stops_waits_for_what_ends_in_time_and_for_its_log_lines(
    dispatching, ways, told, job
):
    def slowly(*what):
        wait_for(lambda: dispatcher.stopping, SOON)
        threading.Event().wait(0.2)
        told.append(what)

    dispatcher = dispatching(ended=slowly)
    ways.open.clear()
    one = job()
    dispatcher.start(one)
    wait_for(lambda: ways.asked, SOON)
    threading.Timer(0.1, ways.open.set).start()
    dispatcher.close(SOON)
    assert one.future.result(0).outcome == "sent"
    assert len(told) == 1


def test_a_dispatcher_says_busy_where_no_place_is_left_or_none_was_free_in_time(
    dispatching, ways, job
):
    dispatcher = dispatching(wait_seconds=0.1)
    ways.open.clear()
    out = [dispatcher.start(job()) for _ in range(WORKERS)]
    late, none_left = job(), job()
    busy = [dispatcher.start(late).result(SOON)]
    ways.open.set()
    for future in out:
        assert future.result(SOON).outcome == "sent"
    dispatcher._queues["slack"].drain()
    busy.append(dispatcher.start(none_left).result(0))
    for settled, one in zip(busy, (late, none_left), strict=True):
        assert (settled.run, settled.outcome, settled.error.code) == (one.run, "not_sent", "busy")
        assert settled.error.message == "Too much is waiting for Slack; it was not sent."
        assert settled.error.fix == "Send it again in a moment."
        assert (settled.error.reason, settled.error.retry_after) == ("busy", 30.0)
        assert (settled.ms, settled.attempts) == (0.0, 0)
    assert len(ways.asked) == WORKERS


def test_a_dispatcher_tells_what_others_made_of_a_run_before_it_began(
    dispatcher, pro, ways, told, job
):
    refused, restored, dead, gone = job(), job(), job(), job()
    ending = {"code": "upstream_error", "ms": 3.0, "at": 1.0}
    pro.ledger.settle(refused.run, "refused", reason="gone", **ending)
    pro.ledger.settle(restored.run, "unknown", reason="restored", **ending)
    pro.ledger.settle(dead.run, "not_sent", reason="interrupted", **ending)
    sql = "DELETE FROM runs WHERE run = :run"
    pro.ledger.store.write(lambda db: db.execute(sql, {"run": gone.run}))
    ends = [ended(dispatcher, each) for each in (refused, restored, dead, gone)]
    before = ("not_sent", "interrupted_before")
    assert [(end.outcome, end.error.reason) for end in ends] == [
        ("refused", "gone"), ("unknown", "restored"), before, before,
    ]  # fmt: skip
    assert ends[0].ms == 3.0
    columns = "state, reason, ms, settled_at"
    assert row(pro.ledger, refused.run, columns) == ("refused", "gone", 3.0, 1.0)
    assert row(pro.ledger, restored.run, columns) == ("unknown", "restored", 3.0, 1.0)
    assert ways.asked == []
    assert len(told) == 4


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dispatcher_lets_go_of_a_run_whose_observer_failed(dispatching, job):
    def broken(*_):
        raise ValueError

    dispatcher = dispatching(ended=broken)
    one = job()
    assert ended(dispatcher, one).outcome == "sent"
    assert dispatcher.start(one).result(0).outcome == "sent"


def test_a_dispatcher_keeps_what_the_ledger_does_not_take_and_offers_it_again(
    dispatcher, pro, ways, job
):
    ways.open.clear()
    one, other = job(), job()
    future = dispatcher.start(one)
    wait_for(lambda: ways.asked, SOON)
    file = pro.ledger.store.files
    away = file.rename(file.with_suffix(".away"))
    ways.ends.append(Delivery(TWO, Receipt("sent")))
    ways.open.set()
    assert future.result(SOON).outcome == "sent"
    assert dispatcher.start(other).result(SOON).outcome == "not_sent"
    wait_for(lambda: not dispatcher._out, SOON)
    assert dispatcher.out(one.run) is future
    lost = dispatcher.unwritten(0.1)
    assert isinstance(lost, Unwritten)
    assert (lost.run, lost.reason) == (one.run, "ledger_replaced")
    assert set(pro.ledger.kept()) == {one.run, other.run}
    threading.Timer(0.1, lambda: away.rename(file)).start()
    assert dispatcher.unwritten(60) is None
    assert dispatcher.out(one.run) is None
    assert row(pro.ledger, one.run, ENDING) == (
        "sent", 2, None, None, '{"status": "sent"}', '[[0, 5, "odd"], [9, 4, null]]',
    )  # fmt: skip
    assert row(pro.ledger, other.run, "state") == ("not_sent",)


def test_a_dispatcher_has_a_queue_for_each_account_whose_threads_are_named_for_it(
    dispatcher, ways, job
):
    ways.open.clear()
    one = job()
    theirs = replace(job(), request=replace(one.request, account="ops"))
    for each in (one, theirs):
        dispatcher.start(each)
    wait_for(lambda: len(ways.asked) == 2, SOON)
    names = ["slack", one.connector.account_id("ops")]
    assert [dispatcher.load()[name] for name in names] == [(1, 0), (1, 0)]
    threads = {thread.name for thread in threading.enumerate()}
    assert {f"levqor-{name}-1" for name in names} <= threads
    ways.open.set()
    assert [each.future.result(SOON).outcome for each in (one, theirs)] == ["sent"] * 2


class Asked(Lasting):
    """A ledger's store, and how long each write had."""

    def __init__(self, store):
        super().__init__(store, store.grace)
        self.patience = []

    def write(self, work, **how):
        self.patience.append(how.get("patience"))
        return self._store.write(work, **how)


def test_a_dispatcher_offers_what_others_kept_and_forgets_what_others_wrote(dispatching, pro, job):
    ledger = Ledger(Asked(pro.ledger.store))
    dispatcher, one, other = dispatching(ledger), job(), job()
    dispatcher.catch_up(2.0)
    assert ledger.store.patience == []
    ledger.keep(one.run, state="not_sent", at=1.0)
    dispatcher.catch_up(2.0)
    assert ledger.store.patience == [2.0]
    assert row(ledger, one.run, "state") == ("not_sent",)
    dispatcher._unwritten[other.run] = other.future
    dispatcher.catch_up(2.0)
    assert dispatcher.out(other.run) is None


def test_a_dispatcher_has_nothing_more_to_say_of_what_never_went_out(dispatcher, pro, job):
    one = job()
    file = pro.ledger.store.files
    away = file.rename(file.with_suffix(".away"))
    settled = dispatcher.start(one).result(SOON)
    assert (settled.error.reason, settled.ms > 0) == ("ledger_replaced", True)
    wait_for(lambda: not dispatcher._out, SOON)
    assert dispatcher.unwritten(0.0) is None
    away.rename(file)
    assert dispatcher.unwritten(60) is None
    assert row(pro.ledger, one.run, "state") == ("not_sent",)


def test_a_dispatcher_that_stops_does_not_wait_for_ever_for_a_log_that_hangs(dispatching, job):
    stopped = threading.Event()
    dispatcher = dispatching(ended=lambda *_: stopped.wait(60))
    assert dispatcher.start(job()).result(SOON).outcome == "sent"
    dispatcher.close(0)
    stopped.set()


def test_a_dispatcher_that_stops_offers_once_more_what_the_ledger_did_not_take(
    dispatcher, pro, ways, told, job
):
    file = pro.ledger.store.files
    one = job()
    ways.open.clear()
    dispatcher.start(one)
    wait_for(lambda: ways.asked, SOON)
    away = file.rename(file.with_suffix(".away"))
    ways.open.set()
    wait_for(lambda: told and not dispatcher._out, SOON)
    away.rename(file)
    dispatcher.close(0)
    assert pro.ledger.kept() == []
    assert row(pro.ledger, one.run, "state") == ("sent",)


def test_a_dispatcher_that_stops_keeps_what_the_ledger_does_not_take_then_either(
    dispatcher, pro, ways, told, job
):
    file = pro.ledger.store.files
    one, other = job(), job()
    ways.open.clear()
    dispatcher.start(one)
    wait_for(lambda: ways.asked, SOON)
    away = file.rename(file.with_suffix(".away"))
    ways.open.set()
    wait_for(lambda: told and not dispatcher._out, SOON)
    dispatcher.close(0)
    assert dispatcher.start(other).result(0).outcome == "not_sent"
    assert pro.ledger.kept() == [one.run, other.run]
    assert abs(time.time() - pro.ledger.store.endings.kept[other.run]["at"]) < 60
    away.rename(file)
    dispatcher.catch_up(PATIENCE)
    states = [row(pro.ledger, each.run, "state, reason") for each in (one, other)]
    assert states == [("sent", None), ("not_sent", "interrupted_before")]


def test_a_dispatcher_that_stopped_offers_nothing_later(dispatcher):
    dispatcher.close(0)
    dispatcher.offer_later()
    assert not dispatcher._offering


class Hasty(Asked):
    """A ledger's store that takes nothing which was kept."""

    def write(self, work, **how):
        written = super().write(work, **how)
        if "patience" in how:
            raise LedgerError("Held.", reason="held")
        return written


def test_a_dispatcher_ends_a_run_though_what_others_left_is_not_taken(dispatching, pro, job):
    ledger = Ledger(Hasty(pro.ledger.store))
    dispatcher, one, other = dispatching(ledger), job(), job()
    ledger.keep(other.run, state="not_sent", at=1.0)
    assert ended(dispatcher, one).outcome == "sent"
    assert [each for each in ledger.store.patience if each] == [PATIENCE]
    assert row(ledger, one.run, "state") == ("sent",)


def test_a_dispatcher_believes_the_first_who_knows_how_a_run_ended(
    dispatcher, ways, told, job, home
):
    one = job()
    ways.open.clear()
    dispatcher.start(one)
    wait_for(lambda: ways.asked, SOON)
    with rows_held(home, None) as release:
        ways.open.set()
        wait_for(lambda: one.run in dispatcher._ending, SOON)
        threading.Timer(0.2, release).start()
        dispatcher.close(0)
    assert one.future.result(SOON).outcome == "sent"
    wait_for(lambda: not dispatcher._out, SOON)
    assert len(told) == 1


def test_a_dispatcher_settles_who_waited_too_long_on_a_thread_of_its_own(dispatching, ways, job):
    threads = []
    dispatcher = dispatching(
        ended=lambda *_: threads.append(threading.current_thread()), wait_seconds=0.1
    )
    ways.open.clear()
    for _ in range(WORKERS + 1):
        dispatcher.start(job())
    wait_for(lambda: threads, SOON)
    assert [(thread.name, thread.daemon) for thread in threads] == [("levqor-late", True)]


def test_a_dispatcher_offers_later_until_the_ledger_has_taken_it(dispatching, pro, job):
    ledger = Ledger(Asked(pro.ledger.store))
    dispatcher, one = dispatching(ledger), job()
    ledger.keep(one.run, state="not_sent", at=1.0)
    file = pro.ledger.store.files
    away = file.rename(file.with_suffix(".away"))
    dispatcher._offer()
    assert dispatcher._offering
    away.rename(file)
    dispatcher._offer()
    assert not dispatcher._offering
    assert ledger.store.patience == [PATIENCE, PATIENCE]
    assert row(ledger, one.run, "state") == ("not_sent",)
