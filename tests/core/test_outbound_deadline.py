"""An attempt's seconds bound all of it, whatever a server does."""

from __future__ import annotations

import threading
import time

import pytest

from core.contract import Receipt
from core.outbound import Outbound
from core.timers import Watchdog, at, uptime
from tests.support.rawserver import answering, certificate, serving
from tests.support.ways_out import deliver, ended, failing, getting, posting, took


@pytest.fixture
def outbound():
    made = Outbound(attempt_seconds=0.5)
    yield made
    made.close()


def drip_headers(peer):
    peer.request()
    peer.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: yes\r\n" * 1000)


def drip_body(peer):
    peer.request()
    peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    peer.drip(b"x" * 1000)


def drip_unframed_body(peer):
    peer.request()
    peer.say(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    peer.drip(b"x" * 1000)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (drip_headers, "timed_out"),
        (drip_body, "too_slow"),
        (drip_unframed_body, "too_slow"),
    ],
)
def test_a_dripped_answer_is_cut_off_and_unknown(outbound, script, reason):
    with serving(script) as server:
        failed, seconds = took(lambda: failing(outbound, posting(server.url)))

    assert ended(failed) == ("unknown", reason, 1)
    assert seconds < 5


def test_a_dripped_answer_over_tls_is_cut_off_too(outbound, tmp_path, monkeypatch):
    public, context = certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(public))

    def script(peer):
        peer.start_tls(context)
        drip_body(peer)

    with serving(script) as server:
        failed, seconds = took(lambda: failing(outbound, posting(server.tls_url)))

    assert (failed.error.outcome, failed.error.reason) == ("unknown", "too_slow")
    assert seconds < 5


def test_ten_seconds_bound_an_attempt_by_default():
    outbound = Outbound()
    with serving(drip_body) as server:
        failed, seconds = took(lambda: failing(outbound, posting(server.url)))
    outbound.close()

    assert (failed.error.outcome, failed.error.reason) == ("unknown", "too_slow")
    assert 9.5 < seconds < 20


def test_all_calls_of_an_attempt_share_its_seconds(outbound):
    def script(peer):
        while peer.request():
            time.sleep(0.3)
            peer.answer(200)

    def send(out):
        for _ in range(10):
            out.get(server.url)
        return Receipt("sent")

    with serving(script) as server:
        failed = failing(outbound, send, attempts=1)

        # Ten of them would be three seconds.
        assert len(server.requests) <= 3
    assert (failed.error.outcome, failed.error.reason) == ("not_sent", "timed_out_before")


def test_a_runs_seconds_bound_its_last_attempt():
    outbound = Outbound(attempt_seconds=10)
    with serving(lambda peer: peer.hold()) as server:
        failed, seconds = took(lambda: failing(outbound, getting(server.url), seconds=0.5))
    outbound.close()

    assert (failed.error.outcome, failed.error.reason) == ("not_sent", "timed_out_before")
    assert seconds < 5


def test_no_request_begins_once_a_runs_seconds_are_over_since_it_was_asked_for(outbound):
    with serving(answering(200)) as server:
        failed = failing(outbound, posting(server.url), began=uptime() - 60, attempts=1)

        assert ended(failed) == ("not_sent", "timed_out_before", 1)
        assert server.requests == []


def test_a_probe_has_its_own_seconds():
    outbound = Outbound(attempt_seconds=10)
    with serving(lambda peer: peer.hold()) as server:

        def probe():
            with pytest.raises(Exception, match="did not answer in time"):
                outbound.probe("service", b"c", lambda out: out.get(server.url), seconds=0.2)

        _, seconds = took(probe)

        assert server.connections == 1
    outbound.close()

    assert seconds < 5


def test_a_connection_outlives_the_deadline_of_an_answered_request(outbound):
    with serving(answering(200)) as server:
        deliver(outbound, posting(server.url))
        time.sleep(0.7)
        deliver(outbound, posting(server.url))

        assert server.connections == 1


def test_deadlines_call_back_in_order_and_cancelled_ones_never():
    called, done = [], threading.Event()
    now = time.monotonic()

    at(now + 0.15, done.set)
    at(now + 0.10, lambda: called.append("second"))
    cancelled = at(now + 0.07, lambda: called.append("cancelled"))
    at(now + 0.05, lambda: called.append("first"))
    cancelled.cancel()
    cancelled.cancel()

    assert done.wait(20)
    assert called == ["first", "second"]


def test_a_failing_callback_does_not_end_the_others_deadlines(caplog):
    done = threading.Event()
    watchdog = Watchdog()

    watchdog.at(time.monotonic(), lambda: {}["missing"])
    watchdog.at(time.monotonic() + 0.05, done.set)

    assert done.wait(20)
    assert "a deadline's callback failed" in caplog.text


def test_cancelled_deadlines_do_not_pile_up():
    watchdog = Watchdog()
    for _ in range(10_000):
        watchdog.at(time.monotonic() + 60, lambda: None).cancel()

    assert watchdog._scheduler.empty()


def test_all_deadlines_share_one_thread():
    at(time.monotonic() + 30, lambda: None).cancel()
    before = threading.active_count()

    for _ in range(50):
        at(time.monotonic() + 30, lambda: None).cancel()

    assert threading.active_count() == before
