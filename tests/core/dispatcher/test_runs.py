"""What a dispatcher makes of a run: its outcome, its row, and who is told, delivery by delivery."""

import re
import threading
from dataclasses import replace

import pytest

from core.contract import Receipt
from core.engine import reasons
from core.engine.queues import WORKERS
from core.engine.results import Settled
from core.engine.validation import credential_digest
from core.errors import (
    Fault,
    InternalError,
    InvalidInput,
    NotSent,
    Refused,
)
from core.ledger import Ledger
from core.ledger.records import TargetRecord
from core.outbound import Delivery, retry
from core.timers import uptime
from tests.support.asking import ADA
from tests.support.dispatching import ENDING, ONE, SOON, TWO, Lasting, ended
from tests.support.holding import rows_held
from tests.support.journal import row
from tests.support.waiting import wait_for


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
    place = rf"run {one.run}: KeyError at support/dispatching\.py:\d+"
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
    # The thread that had the error: pytest would count it as the next test's.
    wait_for(lambda: "levqor-slack-1" not in {t.name for t in threading.enumerate()}, SOON)


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
