"""A queue by itself: who works on what, how long one waits, and what a stop hands back."""

import threading
import time
from dataclasses import replace

import pytest

from core.engine.queues import PLACES, THREADS, WAIT_SECONDS, WORKERS, Queue
from core.timers import at
from tests.support.asking import ADA, HELLO
from tests.support.threads import no_more_threads
from tests.support.waiting import wait_for

SOON = 30  # seconds after which what was to come does not come


@pytest.fixture
def jobs(pro):
    """So many runs that are one but for their name."""
    job = pro.accept("slack.send", HELLO, ADA).job
    return lambda count, first=0: [replace(job, run=f"run{first + n}") for n in range(count)]


class Held:
    """Work that goes on until it is let go; where `sent` is set, what it sends is sent by then."""

    def __init__(self, *, sent=False):
        self.began, self.late, self.go = [], [], threading.Semaphore(0)
        self._sent = sent

    def __call__(self, job, sent):
        self.began.append(job.run)
        if self._sent:
            sent()
        assert self.go.acquire(timeout=60)

    def let_go(self, count=1):
        self.go.release(count)


@pytest.fixture
def made():
    """Make queues, and end their work with the test."""
    all_made = []

    def make(*, sent=False, **more):
        held = Held(sent=sent)
        queue = Queue("slow", held, held.late.append, **more)
        all_made.append((queue, held))
        return queue, held

    yield make
    for queue, held in all_made:
        queue.drain()
        held.let_go(1000)


def test_a_queue_has_so_many_workers_and_places_and_no_more(made, jobs):
    queue, held = made()
    runs = jobs(WORKERS + PLACES)
    assert all(map(queue.offer, runs[:WORKERS]))
    wait_for(lambda: len(held.began) == WORKERS, SOON)
    assert queue.load() == (WORKERS, 0)
    assert all(map(queue.offer, runs[WORKERS:]))
    assert queue.load() == (WORKERS, PLACES)
    assert not any(map(queue.offer, jobs(2, first=1000)))
    assert queue.load() == (WORKERS, PLACES)
    assert queue.drain() == runs[WORKERS:]
    assert queue.load() == (WORKERS, 0)
    assert not any(map(queue.offer, jobs(1, first=2000)))
    held.let_go(WORKERS)
    wait_for(lambda: queue.load() == (0, 0), SOON)
    assert sorted(held.began) == sorted(run.run for run in runs[:WORKERS])


def named(queue):
    return {t.name for t in threading.enumerate() if t.name.startswith(f"levqor-{queue}-")}


def test_a_queue_starts_a_thread_only_where_none_is_idle_and_each_has_its_name(jobs):
    done = []
    queue = Queue("own", lambda job, sent: done.append(job.run), done.append)
    for number, run in enumerate(jobs(3), 1):
        assert queue.offer(run)
        wait_for(lambda number=number: len(done) == number and queue._idle == 1, SOON)
    assert named("own") == {"levqor-own-1"}
    assert all(t.daemon for t in threading.enumerate() if t.name in named("own"))
    assert queue.drain() == []
    wait_for(lambda: not named("own"), SOON)


def test_a_queue_counts_who_is_idle(made, jobs):
    queue, held = made()
    for _ in range(2):
        assert all(map(queue.offer, jobs(2)))
        wait_for(lambda: queue.load() == (2, 0), SOON)
        held.let_go(2)
        wait_for(lambda: (queue.load(), queue._idle) == ((0, 0), 2), SOON)
    assert queue._threads == 2


def test_a_queue_takes_those_who_wait_in_order_one_for_each_that_ends(made, jobs):
    queue, held = made()
    runs = jobs(WORKERS + 3)
    assert all(map(queue.offer, runs))
    names = [run.run for run in runs]
    for ended in range(4):
        wait_for(lambda ended=ended: len(held.began) == WORKERS + ended, SOON)
        assert set(held.began) == set(names[: WORKERS + ended])
        assert queue.load() == (WORKERS, 3 - ended)
        if ended < 3:
            held.let_go()


def test_a_queue_lets_the_next_be_sent_once_one_has_sent_and_is_not_over(made, jobs):
    queue, held = made(sent=True)
    assert all(map(queue.offer, jobs(THREADS + 1)))
    wait_for(lambda: len(held.began) == THREADS, SOON)
    assert queue.load() == (0, 1)
    assert len(named("slow")) >= THREADS
    held.let_go()
    wait_for(lambda: len(held.began) == THREADS + 1, SOON)
    assert held.late == []


def test_a_queue_gives_back_who_waits_too_long_and_nobody_else(made, jobs):
    queue, held = made(wait_seconds=0.2)
    runs = jobs(WORKERS + 3)
    assert all(map(queue.offer, runs[:WORKERS]))
    wait_for(lambda: len(held.began) == WORKERS, SOON)
    assert all(map(queue.offer, runs[WORKERS:-1]))
    wait_for(lambda: len(held.late) == 2, SOON)
    assert held.late == runs[WORKERS:-1]
    assert queue.load() == (WORKERS, 0)
    held.let_go()
    wait_for(lambda: queue.load() == (WORKERS - 1, 0), SOON)
    assert queue.offer(runs[-1])
    wait_for(lambda: len(held.began) == WORKERS + 1, SOON)
    assert held.late == runs[WORKERS:-1]


def test_a_queue_gives_back_who_waits_for_those_that_are_not_over(made, jobs):
    queue, held = made(sent=True, wait_seconds=0.2)
    runs = jobs(THREADS + 1)
    for number, run in enumerate(runs[:-1], 1):
        assert queue.offer(run)
        wait_for(lambda number=number: len(held.began) == number, SOON)
    assert queue.offer(runs[-1])
    wait_for(lambda: held.late == runs[-1:], SOON)


def test_a_queue_lets_two_minutes_pass_before_one_who_waits_is_late(made, jobs):
    assert WAIT_SECONDS == 120.0
    queue, held = made()
    assert all(map(queue.offer, jobs(WORKERS + 1)))
    threading.Event().wait(0.2)
    assert (held.late, queue.load()) == ([], (WORKERS, 1))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_queue_goes_on_after_work_that_failed(jobs):
    done = []

    def work(job, sent):
        done.append(job.run)
        raise ValueError

    queue = Queue("failing", work, done.append)
    for number, run in enumerate(jobs(THREADS + 1), 1):
        assert queue.offer(run)
        wait_for(lambda number=number: len(done) == number, SOON)
        wait_for(lambda: queue.load() == (0, 0), SOON)
    queue.drain()
    wait_for(lambda: not named("failing"), SOON)  # their errors are this test's


def test_a_queue_takes_nothing_where_no_thread_can_be_had_and_waits_where_one_is_there(made, jobs):
    at(time.monotonic(), lambda: None)  # the watchdog has its thread already
    queue, held = made()
    first, second, third = jobs(3)
    with no_more_threads():
        assert not queue.offer(first)
        assert queue.load() == (0, 0)
    assert queue.offer(second)
    wait_for(lambda: held.began == [second.run], SOON)
    with no_more_threads():
        assert queue.offer(third)
        assert queue.load() == (1, 1)
    held.let_go()
    wait_for(lambda: held.began == [second.run, third.run], SOON)


def test_a_queue_starts_a_thread_for_who_waits_where_all_there_are_have_sent_or_send(jobs):
    say, go, began = threading.Semaphore(0), threading.Semaphore(0), []

    def work(job, sent):
        began.append(job.run)
        say.acquire(timeout=60)
        sent()
        go.acquire(timeout=60)

    queue = Queue("more", work, began.append)
    assert all(map(queue.offer, jobs(WORKERS + 1)))
    wait_for(lambda: len(began) == WORKERS, SOON)
    say.release()
    wait_for(lambda: len(began) == WORKERS + 1, SOON)
    queue.drain()
    for gate in (say, go):
        gate.release(1000)
