"""Each connector's queue, and stopping."""

import contextlib
import os
import threading
import time
from dataclasses import replace

import pytest
from filelock import lock_descriptor

from core.engine import Engine
from core.engine import queues as places
from core.errors import Busy, LedgerError, Stopping
from core.outbound.sockets import resolve
from core.timers import Watchdog, at
from tests.support.asking import ADA, BOB, HELLO
from tests.support.engines import both
from tests.support.journal import charged
from tests.support.sandbox import Delay, Hang
from tests.support.threads import no_more_threads
from tests.support.waiting import wait_for

pytestmark = both


@pytest.fixture
def no_threads():
    """Let no thread be started until what this yields is called."""
    at(time.monotonic(), lambda: None)  # the watchdog has its thread already
    with contextlib.ExitStack() as block:
        block.enter_context(no_more_threads())
        yield block.close


def test_starting_twice_sends_once(pro, sandbox):
    accepted = pro.accept("slack.send", HELLO, ADA)
    assert pro.start(accepted).result(10) is pro.start(accepted).result(10)
    assert len(sandbox.slack.writes) == 1


def test_a_future_that_is_waited_for_cannot_be_cancelled(pro, sandbox):
    sandbox.slack.next(Delay(0.2))
    future = pro.start(pro.accept("slack.send", HELLO, ADA))
    assert future.cancel() is False
    assert future.result(10).outcome == "sent"


def test_a_hanging_connector_does_not_delay_another(pro, sandbox):
    sandbox.notion.always(Hang())
    hanging = [
        pro.start(pro.accept("notion.create", {"props": {"Name": f"n{n}"}}, ADA))
        for n in range(places.WORKERS + 4)
    ]
    began = time.monotonic()
    email = {"to": "delivered@resend.dev", "subject": "s", "text": "t"}
    assert pro.run("email.send", email, BOB).outcome == "sent"
    assert time.monotonic() - began < 8
    running, waiting = pro.queues()["notion"]
    assert (running, waiting) == (places.WORKERS, 4)
    pro.close(timeout=0.1)
    assert {future.result(1).outcome for future in hanging} <= {"unknown", "not_sent"}


def test_a_full_queue_answers_busy_and_gives_the_quota_back(pro, sandbox):
    sandbox.slack.always(Hang())
    full = places.WORKERS + places.PLACES
    futures = [pro.start(pro.accept("slack.send", {"text": f"n{n}"}, ADA)) for n in range(full + 3)]
    busy = [f.result(5) for f in futures[full:]]
    assert {(b.outcome, b.error.code, b.http, b.exit) for b in busy} == {
        ("not_sent", "busy", 503, 6)
    }
    assert busy[0].error.retry_after == 30
    assert charged(pro.ledger) == full
    pro.close(timeout=0.1)
    assert sum(f.result(1).outcome == "not_sent" for f in futures) >= places.PLACES


def test_a_run_that_waited_too_long_is_busy(pro, sandbox):
    late = []
    job = pro.accept("slack.send", HELLO, ADA).job
    hold = threading.Event()
    slow = places.Queue("slow", lambda *_: hold.wait(10), late.append, wait_seconds=0.2)
    jobs = [replace(job, run=f"run{n}") for n in range(places.WORKERS + 1)]
    assert all(map(slow.offer, jobs))
    deadline = time.monotonic() + 10
    while not late and time.monotonic() < deadline:
        time.sleep(0.02)
    hold.set()
    assert late == jobs[-1:]


def test_a_run_whose_worker_has_not_taken_it_yet_is_handed_back_at_the_end(pro):
    job, began = pro.accept("slack.send", HELLO, ADA).job, []
    queue = places.Queue("slow", lambda job, _: began.append(job), began.append)
    with queue._ready:  # without it no worker takes anything
        assert queue.offer(job)
        assert queue.drain() == [job]
    assert not queue.offer(job)
    assert (began, queue.load()) == ([], (0, 0))


def test_a_run_that_is_being_settled_holds_no_worker(pro, sandbox):
    job, hold, sending = pro.accept("slack.send", HELLO, ADA).job, threading.Event(), []

    def work(job, sent):
        sending.append(job.run)
        sent()
        hold.wait(60)

    queue = places.Queue("slow", work, lambda job: None)
    jobs = [replace(job, run=f"run{n}") for n in range(places.THREADS + 1)]
    assert all(map(queue.offer, jobs))
    wait_for(lambda: len(sending) == places.THREADS)
    assert queue.load() == (0, 1)  # what is not settled keeps others waiting in the end
    hold.set()
    wait_for(lambda: len(sending) == len(jobs))


def test_no_more_are_sent_at_once_than_there_are_workers(pro, sandbox):
    job, hold, sending = pro.accept("slack.send", HELLO, ADA).job, threading.Semaphore(0), []

    def work(job, sent):
        sending.append(queue.load()[0])
        hold.acquire(timeout=60)
        sent()

    queue = places.Queue("slow", work, lambda job: None)
    jobs = [replace(job, run=f"run{n}") for n in range(3 * places.WORKERS)]
    assert all(map(queue.offer, jobs))
    for done in range(len(jobs)):
        wait_for(lambda done=done: len(sending) == min(len(jobs), places.WORKERS + done))
        hold.release()
    assert max(sending) == places.WORKERS


def test_a_run_that_no_worker_took_in_time_is_busy_and_gives_its_quota_back(settings, sandbox):
    sandbox.slack.always(Hang())
    with Engine.open(settings, wait_seconds=0.3) as engine:
        engine.ledger.set_plan(str(ADA), "pro")
        for n in range(places.WORKERS):
            engine.start(engine.accept("slack.send", {"text": f"n{n}"}, ADA))
        late = engine.start(engine.accept("slack.send", HELLO, ADA)).result(30)
        assert (late.outcome, late.error.reason, late.error.retry_after) == ("not_sent", "busy", 30)
        assert late.error.message == "Too much is waiting for Slack; it was not sent."
        assert late.error.fix == "Send it again in a moment."
        assert charged(engine.ledger) == places.WORKERS
        assert engine.queues()["slack"] == (places.WORKERS, 0)
        engine.close(timeout=0.1)


def test_a_run_that_waits_goes_as_soon_as_a_worker_is_free(pro, sandbox):
    sandbox.slack.always(Delay(0.3))
    runs = [pro.accept("slack.send", {"text": f"n{n}"}, ADA) for n in range(places.WORKERS + 2)]
    started = [pro.start(run) for run in runs]
    assert {future.result(30).outcome for future in started} == {"sent"}
    assert len(sandbox.slack.writes) == len(runs)


def test_stopping_sends_nothing_new_and_settles_what_hangs(pro, sandbox):
    sandbox.slack.always(Hang())
    out = [pro.start(pro.accept("slack.send", {"text": str(n)}, ADA)) for n in range(20)]
    waiting = pro.accept("slack.send", {"text": "late"}, ADA)
    time.sleep(0.5)
    pro.close(timeout=0.3)
    ends = [future.result(1) for future in out]
    assert [e.outcome for e in ends].count("unknown") == places.WORKERS
    assert [e.outcome for e in ends].count("not_sent") == 4
    assert pro.start(waiting).result(1).error.reason == "interrupted_before"
    with pytest.raises(Busy, match="stopping"):
        pro.accept("slack.send", HELLO, BOB)


def test_who_asks_again_of_one_that_stops_is_told_what_became_of_it(pro, sandbox):
    first = pro.run("slack.send", HELLO, ADA, key="asked")
    pro.drain(0.1)
    again = pro.accept("slack.send", HELLO, ADA, key="asked")
    assert (again.run, again.first, again.settled.outcome) == (first.run, False, "sent")
    for key in ("new", None):
        with pytest.raises(Stopping):
            pro.accept("slack.send", HELLO, BOB, key=key)
    assert [record.run for record in pro.ledger.runs()] == [first.run]


def test_what_is_called_back_by_a_run_may_start_the_next(pro, sandbox):
    sandbox.slack.next(Delay(0.2))
    first, second = (pro.accept("slack.send", {"text": text}, ADA) for text in "ab")
    started = []
    future = pro.start(first)
    future.add_done_callback(lambda _: started.append(pro.start(second)))
    assert future.result(10).outcome == "sent"
    assert pro.start(second).result(10).outcome == "sent"
    assert len(started) == 1


# On the other engine a process that owns runs has a thread for that, and cannot begin to.
@pytest.mark.databases("sqlite")
def test_without_a_thread_to_be_had_a_run_is_busy_and_not_lost(pro, no_threads):
    accepted = pro.accept("slack.send", HELLO, ADA)
    settled = pro.start(accepted).result(5)
    assert (settled.outcome, settled.error.code) == ("not_sent", "busy")
    assert pro.ledger.run(accepted.run).state == "not_sent"
    no_threads()
    assert pro.run("slack.send", HELLO, ADA).outcome == "sent"


def test_a_name_is_found_again_once_threads_can_be_had_again(no_threads):
    with pytest.raises(OSError, match="thread"):
        resolve("localhost", 80, time.monotonic() + 1)
    no_threads()
    assert resolve("localhost", 80, time.monotonic() + 10)


def test_the_watchdog_starts_once_threads_can_be_had_again(no_threads):
    dog, rang = Watchdog(), threading.Event()
    with pytest.raises(RuntimeError, match="thread"):
        dog.at(time.monotonic(), rang.set)
    no_threads()
    dog.at(time.monotonic(), rang.set)
    assert rang.wait(10)


def test_a_stop_waits_for_the_log_lines_of_what_has_ended(pro, home):
    (home / "logs").mkdir()
    guard = os.open(home / "logs" / ".connectors.lock", os.O_RDWR | os.O_CREAT)
    try:
        assert lock_descriptor(guard, blocking=False)
        run = pro.run("slack.send", HELLO, ADA).run
        pro.close()
        assert f'"run":"{run}"' in pro.log.file.read_text()
    finally:
        os.close(guard)


@pytest.mark.databases("postgres")
def test_without_a_thread_nobody_becomes_an_owner_and_nothing_is_journaled(pro, no_threads):
    with pytest.raises(LedgerError) as caught:
        pro.accept("slack.send", HELLO, ADA)
    assert (caught.value.reason, caught.value.outcome) == ("ledger_threads", "not_sent")
    assert pro.ledger.runs() == []
    no_threads()
    assert pro.run("slack.send", HELLO, ADA).outcome == "sent"
