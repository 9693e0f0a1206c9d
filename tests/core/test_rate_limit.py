"""The wait that a service asked for: who waits for it, in which order, and what they hear."""

import threading
import time

import pytest

from core.errors import NotSent
from core.outbound import Outbound
from core.outbound.rate_limit import RateLimitGate, _Waiters
from tests.support.waiting import wait_for

TOLD = NotSent("too_fast", "Too many messages.", fix="Wait a little.", retry_after=30.0)


def soon(seconds=60.0):
    return time.monotonic() + seconds


@pytest.fixture
def gate():
    gate = RateLimitGate()
    yield gate
    gate.close()


def waiting(gate, name, order, *, turned_away=False, seconds=60.0):
    """Wait in a thread until the turn comes, and write down that it came."""

    def wait():
        order.append((name, gate.wait("a", soon(seconds), turned_away=turned_away)))

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_nobody_waits_for_what_no_service_said(gate):
    gate.done("a")
    assert gate.wait("a", soon(), turned_away=False) is None


def test_who_cannot_wait_that_long_hears_at_once_why_and_when_to_come_again(gate):
    gate.block("a", TOLD)
    refusal = gate.wait("a", soon(10), turned_away=False)
    assert (refusal.reason, refusal.message, refusal.fix) == (
        "too_fast", "Too many messages.", "Wait a little.",
    )  # fmt: skip
    assert 20 < refusal.retry_after <= 30
    assert gate.wait("b", soon(10), turned_away=False) is None


def test_whose_time_ends_with_the_wait_hears_it_at_once(gate):
    gate.block("a", NotSent("", "Too fast.", retry_after=30.0))
    refusal = gate.wait("a", gate._waiters["a"].until, turned_away=False)
    assert (refusal.reason, refusal.message) == ("", "Too fast.")
    assert refusal.retry_after > 1


@pytest.mark.parametrize(
    ("until", "queue", "wanted"),
    [(4.0, [], False), (5.0, [], False), (5.5, [], True), (4.0, ["one"], True)],
)
def test_a_credential_is_kept_while_anybody_waits_or_must(until, queue, wanted):
    waiters = _Waiters()
    assert not waiters.wanted(5.0)
    waiters.until = until
    waiters.queue.extend(queue)
    assert waiters.wanted(5.0) is wanted


def test_of_two_waits_the_longer_one_stands_with_its_reason(gate):
    gate.block("a", TOLD)
    gate.block("a", NotSent("other", "Other.", retry_after=1.0))
    assert gate.wait("a", soon(10), turned_away=False).reason == "too_fast"
    gate.block("a", NotSent("longer", "Longer.", retry_after=600.0))
    refusal = gate.wait("a", soon(100), turned_away=False)
    assert refusal.reason == "longer"
    assert refusal.retry_after > 500


def test_a_wait_of_no_length_is_over_and_forgotten_with_the_attempt(gate):
    for named in (None, 0.0):
        gate.block("a", TOLD.replace(retry_after=named))
        assert gate.wait("a", soon(10), turned_away=False) is None
        gate.done("a")
    assert gate._waiters == {}


def test_what_is_left_of_a_wait_is_never_said_to_be_less_than_a_second(gate):
    gate.block("a", TOLD.replace(retry_after=0.9))
    assert gate.wait("a", soon(0.05), turned_away=False).retry_after == 1.0


def test_after_the_wait_they_go_one_after_the_other_those_turned_away_first(gate):
    for seconds in (0.3, 3.0, 30.0):  # on a busy machine all three may not be there in time
        gate.block("a", TOLD.replace(retry_after=seconds))
        until, order, threads = gate._waiters["a"].until, [], []
        for number, name in enumerate(("first", "second", "again"), 1):
            threads.append(waiting(gate, name, order, turned_away=name == "again"))
            wait_for(lambda n=number, o=order: len(gate._waiters["a"].queue) + len(o) == n)
        in_time = time.monotonic() < until
        for number in (1, 2, 3):
            wait_for(lambda number=number, order=order: len(order) >= number)
            gate.done("a")
        for thread in threads:
            thread.join()
        if in_time:
            break
    assert order == [("again", None), ("first", None), ("second", None)]
    assert gate._waiters == {}


def test_the_next_goes_after_a_second_where_the_attempt_before_it_takes_long(gate):
    gate.block("a", TOLD.replace(retry_after=0.1))
    order, began = [], time.monotonic()
    threads = [waiting(gate, name, order) for name in ("one", "other")]
    for thread in threads:
        thread.join()
    assert [refusal for _, refusal in order] == [None, None]
    assert time.monotonic() - began >= 1.1


def test_whose_turn_does_not_come_in_time_hears_to_come_again(gate):
    gate.block("a", TOLD.replace(retry_after=0.1))
    assert gate.wait("a", soon(), turned_away=False) is None
    # The attempt before it is not over, and it has less time than it is given at most.
    refusal = gate.wait("a", soon(0.3), turned_away=False)
    assert (refusal.reason, refusal.retry_after) == ("too_fast", 1.0)


def test_a_stop_ends_every_wait(gate):
    gate.block("a", TOLD)
    order = []
    thread = waiting(gate, "one", order)
    wait_for(lambda: gate._waiters["a"].queue)
    gate.close()
    thread.join()
    assert order[0][1].reason == "too_fast"
    assert gate.wait("a", soon(), turned_away=False).reason == "too_fast"


def test_of_many_credentials_those_are_kept_that_somebody_has_to_wait_for(gate):
    for number in range(255):
        gate.block(number, TOLD.replace(retry_after=0.0))
    gate.block("a", TOLD)
    assert len(gate._waiters) == 256
    gate.block("b", TOLD)
    assert set(gate._waiters) == {"a", "b"}


def test_a_probe_waits_for_what_its_own_credential_was_told_and_for_no_other():
    outbound, runs = Outbound(), []

    def ask(http):
        runs.append(http.run)
        raise TOLD.replace()

    def asked(name, credential):
        with pytest.raises(NotSent) as told:
            outbound.probe(name, credential, ask, seconds=2.0)
        return told.value

    for name, credential in (("slack", b"a"), ("slack", b"b"), ("notion", b"a")):
        assert asked(name, credential).reason == "too_fast"
    assert runs == ["probe"] * 3
    assert asked("slack", b"a").reason == "too_fast"
    assert runs == ["probe"] * 3
    outbound.close()


def test_who_was_turned_away_goes_before_those_who_wait_for_the_first_time():
    outbound, order = Outbound(), []
    entered, go = threading.Event(), threading.Event()

    def turned_away(http):
        if entered.is_set():
            order.append("again")
            return
        entered.set()
        go.wait(30)
        raise TOLD.replace(retry_after=0.5)

    def refuse(http):
        raise TOLD.replace(retry_after=2.0)

    def start(send):
        thread = threading.Thread(target=outbound.deliver, args=("slack", b"a", "run", send))
        thread.start()
        return thread

    again = start(turned_away)
    assert entered.wait(30)
    outbound.deliver("slack", b"a", "run", refuse, attempts=1)
    waiters = outbound._rate_limits._waiters["slack", b"a"]
    first = start(lambda _: order.append("first"))
    wait_for(lambda: waiters.queue)
    go.set()
    for thread in (again, first):
        thread.join(30)
    assert order == ["again", "first"]
    assert outbound._rate_limits._waiters == {}
    outbound.close()


def test_a_shorter_wait_that_is_told_later_changes_nothing(gate):
    gate.block("a", TOLD)
    gate.block("a", TOLD.replace(retry_after=0.01, message="Too soon."))
    assert gate.wait("a", soon(1), turned_away=False).message == TOLD.message


def test_after_a_day_one_asks_again_however_long_the_service_said(gate):
    year, day = 365 * 86400.0, 86400.0
    gate.block("a", TOLD.replace(retry_after=year))
    refusal = gate.wait("a", soon(day - 100), turned_away=False)
    assert year - 100 < refusal.retry_after <= year
    waiters = gate._waiters["a"]
    assert day - 100 < waiters.until - time.monotonic() <= day
    waiters.until = time.monotonic()  # a day later
    assert gate.wait("a", soon(), turned_away=False) is None
