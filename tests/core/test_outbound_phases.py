"""How far one request got decides whether it was not sent or is unknown."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import time
from concurrent.futures import Future

import pytest

from core.outbound import TRANSPORT, Outbound, sockets
from core.outbound.connection import RequestProgress
from core.outbound.sockets import direct, first
from tests.support.rawserver import answering, closed_port, serving
from tests.support.ways_out import deliver, ended, failing, posting


@pytest.fixture
def outbound():
    made = Outbound(attempt_seconds=0.5)
    yield made
    made.close()


def test_a_refused_connection_is_not_sent_after_three_attempts(outbound):
    failed = failing(outbound, posting(f"http://127.0.0.1:{closed_port()}/"))

    assert ended(failed) == ("not_sent", "unreachable", 3)


def test_a_process_that_may_open_no_more_files_is_told_so(outbound):
    with serving(answering(200)) as server:
        deliver(outbound, posting(server.url))
        outbound.close()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with socket.socket() as highest:
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest.fileno(), hard))
        held = []
        try:
            with contextlib.suppress(OSError):
                while True:
                    held.append(os.dup(0))
            failed = failing(outbound, posting(server.url), attempts=1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for each in held:
                os.close(each)

    assert ended(failed) == ("not_sent", "no_files", 1)


def test_a_name_that_does_not_resolve_is_not_sent(outbound):
    failed = failing(outbound, posting("http://nowhere.invalid/"), attempts=1)

    assert failed.error.outcome == "not_sent"
    assert failed.error.reason in ("name_not_found", "timed_out_before")


def test_a_name_no_resolver_can_ask_for_is_not_sent(outbound):
    failed = failing(outbound, posting("http://" + "a" * 70 + ".invalid/"), attempts=1)

    assert failed.error.outcome == "not_sent"


def test_a_name_server_that_hangs_is_not_sent_in_time(outbound):
    # What a lookup that never ends looks like to those who wait for it.
    sockets._lookups["slow.example", 80] = Future()
    started = time.monotonic()
    try:
        failed = failing(outbound, posting("http://slow.example/"), attempts=1)
    finally:
        del sockets._lookups["slow.example", 80]

    assert ended(failed) == ("not_sent", "timed_out_before", 1)
    assert time.monotonic() - started < 8


def test_a_second_address_is_tried_where_the_first_refuses():
    exchange = RequestProgress(time.monotonic() + 5)
    with serving(lambda peer: peer.hold()) as server:
        found = [
            (socket.AF_INET, ("127.0.0.1", closed_port())),
            (socket.AF_INET, ("127.0.0.1", server.port)),
        ]
        first(found, exchange.remaining, direct).close()


def test_a_dropped_connection_after_the_request_is_unknown(outbound):
    with serving(lambda peer: peer.request()) as server:
        failed = failing(outbound, posting(server.url))

        assert ended(failed) == ("unknown", "dropped", 1)
        assert len(server.requests) == 1


def test_a_reset_after_the_request_is_unknown(outbound):
    def script(peer):
        peer.request()
        peer.reset()

    with serving(script) as server:
        failed = failing(outbound, posting(server.url))

        assert ended(failed) == ("unknown", "dropped", 1)


def test_a_connection_dropped_before_it_was_read_is_not_claimed_unsent(outbound):
    with serving(lambda peer: peer.reset()) as server:
        failed = failing(outbound, posting(server.url), attempts=1)

        # Whether the reset came before the first byte left is the kernel's secret.
        assert failed.error.outcome in ("unknown", "not_sent")
        assert server.requests == []


def test_an_answer_that_hangs_is_unknown(outbound):
    with serving(lambda peer: (peer.request(), peer.hold())) as server:
        failed = failing(outbound, posting(server.url))

        assert ended(failed) == ("unknown", "timed_out", 1)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", id="cut amid its body"),
        pytest.param(b"HTTP/1.1 404 Not Found\r\nContent-Le", id="cut amid its headers"),
        pytest.param(b"220 mail.example ESMTP\r\n\r\n", id="no HTTP"),
    ],
)
def test_an_answer_that_is_cut_or_none_at_all_is_unknown(outbound, said):
    def script(peer):
        peer.request()
        peer.say(said)

    with serving(script) as server:
        failed = failing(outbound, posting(server.url))

        assert ended(failed) == ("unknown", "dropped", 1)


def test_headers_without_end_are_cut_off(outbound):
    def script(peer):
        peer.request()
        peer.say(b"HTTP/1.1 200 OK\r\n")
        for number in range(90):
            peer.say(f"X-{number}: {'x' * 1000}\r\n".encode())
        peer.say(b"Content-Length: 0\r\n\r\n")

    with serving(script) as server:
        failed = failing(outbound, posting(server.url))

        assert ended(failed) == ("unknown", "dropped", 1)


def test_a_header_that_cannot_be_sent_is_not_sent(outbound):
    with serving(answering(200)) as server:
        wide = failing(outbound, posting(server.url, headers={"X": "\u20ac"}), attempts=1)
        broken = failing(outbound, posting(server.url, headers={"X": "a\r\nb"}), attempts=1)

        assert ended(wide) == ("not_sent", "not_sendable", 1)
        assert ended(broken) == ("not_sent", "not_sendable", 1)
        assert server.requests == []


def test_an_address_that_is_none_is_not_sent(outbound):
    for url in ("nowhere", "http://", "http://[::1/", "ftp://127.0.0.1/", "http://h:99999/"):
        failed = failing(outbound, posting(url), attempts=1)

        assert ended(failed) == ("not_sent", "not_sendable", 1), url


def test_no_error_holds_the_address_or_its_token(outbound):
    secret = "12345:SECRET"
    with serving(lambda peer: peer.request()) as server:
        urls = [f"http://127.0.0.1:{closed_port()}/bot{secret}", f"{server.url}/bot{secret}"]
        errors = [failing(outbound, posting(url), attempts=1) for url in urls]

    for failed in errors:
        chain = [failed.error, failed.error.__cause__, failed.error.__context__]
        assert secret not in repr([(e, vars(e)) for e in chain if e])
        assert "127.0.0.1" not in repr([(e, vars(e)) for e in chain if e])


def test_every_transport_failure_says_what_happened_and_what_to_do():
    reasons = [row.reason for row in TRANSPORT]

    assert len(set(reasons)) == len(reasons)
    for row in TRANSPORT:
        assert row.message.endswith("."), row.reason
        assert row.fix.endswith("."), row.reason
