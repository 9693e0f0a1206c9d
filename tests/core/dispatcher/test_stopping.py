"""A dispatcher that stops: what it still sends, waits for, keeps and says."""

import threading
import time

from core.engine.queues import WORKERS
from core.ledger.store import PATIENCE
from tests.support.dispatching import SOON, untaken
from tests.support.journal import row
from tests.support.waiting import wait_for


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
    away = untaken(dispatcher, ways, told, one, file)
    away.rename(file)
    dispatcher.close(0)
    assert pro.ledger.kept() == []
    assert row(pro.ledger, one.run, "state") == ("sent",)


def test_a_dispatcher_that_stops_keeps_what_the_ledger_does_not_take_then_either(
    dispatcher, pro, ways, told, job
):
    file = pro.ledger.store.files
    one, other = job(), job()
    away = untaken(dispatcher, ways, told, one, file)
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
