"""How long is waited before another attempt, and who else waits then."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import pytest

from core.contract import Receipt
from core.outbound import Outbound
from tests.support.rawserver import answering, closed_port, in_turn, serving
from tests.support.talking import once, talking
from tests.support.ways_out import deliver, ended, failing, posting, took


@pytest.fixture
def outbound():
    made = Outbound(attempt_seconds=5)
    yield made
    made.close()


def at_once(number, call):
    with ThreadPoolExecutor(number) as pool:
        return [each.result() for each in [pool.submit(call) for _ in range(number)]]


@pytest.mark.parametrize(
    ("body", "headers", "least"),
    [
        (b"", ("Retry-After: 1",), 1.0),
        (b'{"retry_after": 0.4}', (), 0.4),
        (b'{"retry_after": 0.4}', ("Retry-After: 60",), 0.4),
    ],
)
def test_retry_after_is_waited_for(outbound, body, headers, least):
    with serving(in_turn(once(429, body, *headers), once(200))) as server:
        (_, attempts), seconds = took(lambda: deliver(outbound, talking(server.url)))

    assert attempts == 2
    assert least <= seconds


def test_retry_after_as_a_date_is_waited_for(outbound):
    # A date has whole seconds: three from now is at least two.
    until = formatdate(time.time() + 3, usegmt=True)
    with serving(in_turn(once(429, b"", f"Retry-After: {until}"), once(200))) as server:
        (_, attempts), seconds = took(lambda: deliver(outbound, talking(server.url)))

    assert attempts == 2
    assert seconds > 1.9


def test_a_wait_that_does_not_fit_ends_the_run_at_once(outbound):
    with serving(answering(429, b"", "Retry-After: 3600")) as server:
        failed, seconds = took(lambda: failing(outbound, talking(server.url)))

        assert (failed.error.outcome, failed.attempts, failed.error.retry_after) == (
            "not_sent",
            1,
            3600,
        )
        assert seconds < 10
        assert len(server.requests) == 1


def test_a_back_off_that_does_not_fit_ends_the_run_at_once(outbound):
    url = f"http://127.0.0.1:{closed_port()}/"
    failed, seconds = took(lambda: failing(outbound, posting(url), seconds=0.001, attempts=50))

    assert failed.attempts < 50
    assert failed.error.retry_after is not None
    assert seconds < 10


def test_everybody_with_the_credential_waits(outbound):
    with serving(answering(429, b"", "Retry-After: 3600")) as server:
        failing(outbound, talking(server.url))
        errors = at_once(4, lambda: failing(outbound, talking(server.url)))

        assert len(server.requests) == 1
    for failed in errors:
        assert ended(failed) == ("not_sent", "too_fast", 0)
        assert (failed.error.message, failed.error.fix) == ("Too many messages.", "Wait a little.")
        assert 3590 < failed.error.retry_after <= 3600


def test_another_credential_does_not_wait(outbound):
    with serving(in_turn(once(429, b"", "Retry-After: 3600"), once(200))) as server:
        failing(outbound, talking(server.url))

        other = outbound.deliver("service", b"other", "run-2", talking(server.url)).get()

        assert other == Receipt("sent")


def test_a_short_parking_is_waited_out_before_the_first_attempt(outbound):
    with serving(in_turn(once(429, b'{"retry_after": 0.4}'), once(200))) as server:
        failing(outbound, talking(server.url), attempts=1)
        (_, attempts), seconds = took(lambda: deliver(outbound, talking(server.url)))

        assert attempts == 1
        assert seconds > 0.3


def test_many_who_were_told_to_wait_are_all_served(outbound):
    """A service that takes one message every 0.2 seconds, and ten runs at once."""
    lock = threading.Lock()
    free_at = [0.0]

    def script(peer):
        while peer.request():
            with lock:
                early = time.monotonic() < free_at[0]
                if not early:
                    free_at[0] = time.monotonic() + 0.2
            if early:
                peer.answer(429, b'{"retry_after": 0.2}')
            else:
                peer.answer(200)

    with serving(script) as server:
        delivered = at_once(10, lambda: deliver(outbound, talking(server.url)))

    assert [receipt for receipt, _ in delivered] == [Receipt("sent")] * 10


def test_closing_ends_the_wait_for_another_attempt(outbound):
    with serving(answering(429, b"", "Retry-After: 20")) as server:
        errors = []
        thread = threading.Thread(
            target=lambda: errors.append(failing(outbound, talking(server.url)))
        )
        thread.start()
        while not server.requests:
            time.sleep(0.01)
        time.sleep(0.05)
        outbound.close()
        thread.join(2)

        assert not thread.is_alive()
    assert (errors[0].error.outcome, errors[0].attempts) == ("not_sent", 1)
