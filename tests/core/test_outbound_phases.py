"""How far a request got decides what a failure means."""

from __future__ import annotations

import socket
import time
from concurrent.futures import Future

import pytest

from core.contract import Receipt
from core.errors import Refusal
from core.outbound import TRANSPORT, Outbound, resolve
from core.outbound.connection import Exchange, WatchedConnection, _first
from tests.support.rawserver import answering, certificate, closed_port, in_turn, serving
from tests.support.ways_out import deliver, failing, getting, posting


@pytest.fixture
def outbound():
    made = Outbound(attempt_seconds=0.5)
    yield made
    made.close()


@pytest.fixture
def tls(tmp_path, monkeypatch):
    public, context = certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(public))
    return context


def ended(error):
    return error.outcome, error.reason, error.attempts


def test_a_refused_connection_is_not_sent_after_three_attempts(outbound):
    error = failing(outbound, posting(f"http://127.0.0.1:{closed_port()}/"))

    assert ended(error) == ("not_sent", "unreachable", 3)


def test_a_name_that_does_not_resolve_is_not_sent(outbound):
    error = failing(outbound, posting("http://nowhere.invalid/"), attempts=1)

    assert error.outcome == "not_sent"
    assert error.reason in ("name_not_found", "timed_out_before")


def test_a_name_no_resolver_can_ask_for_is_not_sent(outbound):
    error = failing(outbound, posting("http://" + "a" * 70 + ".invalid/"), attempts=1)

    assert error.outcome == "not_sent"


def test_a_name_server_that_hangs_is_not_sent_in_time(outbound):
    # What a lookup that never ends looks like to those who wait for it.
    resolve._lookups["slow.example", 80] = Future()
    started = time.monotonic()
    try:
        error = failing(outbound, posting("http://slow.example/"), attempts=1)
    finally:
        del resolve._lookups["slow.example", 80]

    assert ended(error) == ("not_sent", "timed_out_before", 1)
    assert time.monotonic() - started < 8


def test_a_second_address_is_tried_where_the_first_refuses():
    exchange = Exchange(time.monotonic() + 5)
    with serving(lambda peer: peer.hold()) as server:
        found = [
            (socket.AF_INET, ("127.0.0.1", closed_port())),
            (socket.AF_INET, ("127.0.0.1", server.port)),
        ]
        _first(found, exchange, ()).close()


def test_a_hung_tls_handshake_is_not_sent(outbound, tls):
    with serving(lambda peer: peer.hold()) as server:
        error = failing(outbound, posting(server.tls_url), attempts=2)

        assert ended(error) == ("not_sent", "timed_out_before", 2)
        assert server.connections == 2


def test_a_certificate_nobody_trusts_is_not_sent(outbound, tmp_path):
    _, context = certificate(tmp_path)

    def script(peer):
        peer.start_tls(context)
        peer.request()

    with serving(script) as server:
        error = failing(outbound, posting(server.tls_url), attempts=1)

        assert ended(error) == ("not_sent", "tls_failed", 1)
        assert server.requests == []


def test_a_certificate_for_another_host_is_not_sent(outbound, tmp_path, monkeypatch):
    public, context = certificate(tmp_path, "elsewhere.example")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(public))

    def script(peer):
        peer.start_tls(context)
        peer.request()

    with serving(script) as server:
        error = failing(outbound, posting(server.tls_url), attempts=1)

        assert ended(error) == ("not_sent", "tls_failed", 1)
        assert server.requests == []


def test_a_server_that_speaks_no_tls_is_not_sent(outbound, tls):
    with serving(lambda peer: peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        error = failing(outbound, posting(server.tls_url), attempts=1)

        assert ended(error) == ("not_sent", "tls_failed", 1)


def test_a_missing_certificate_file_is_named_by_its_setting(outbound, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/at/all.pem")

    error = failing(outbound, posting("https://127.0.0.1:1/"), attempts=1)

    assert ended(error) == ("not_sent", "ca_missing", 1)
    assert error.fix == "Correct or remove REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE)."


def test_a_certificate_file_of_nonsense_is_not_sent(outbound, tmp_path, monkeypatch):
    (tmp_path / "bundle.pem").write_text("no certificate")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "bundle.pem"))

    error = failing(outbound, posting("https://127.0.0.1:1/"), attempts=1)

    assert ended(error) == ("not_sent", "ca_missing", 1)


def test_a_sound_tls_server_is_delivered_to(outbound, tls):
    def script(peer):
        peer.start_tls(tls)
        answering(200, b"ok")(peer)

    with serving(script) as server:
        assert deliver(outbound, posting(server.tls_url)) == (Receipt("sent", id="200"), 1)


def test_tls_that_breaks_after_the_request_was_read_is_unknown(outbound, tls):
    def script(peer):
        peer.start_tls(tls)
        peer.request()
        peer.break_tls()
        peer.hold()

    with serving(script) as server:
        error = failing(outbound, posting(server.tls_url))

        assert ended(error) == ("unknown", "dropped", 1)
        assert len(server.requests) == 1


def test_a_dropped_connection_after_the_request_is_unknown(outbound):
    with serving(lambda peer: peer.request()) as server:
        error = failing(outbound, posting(server.url))

        assert ended(error) == ("unknown", "dropped", 1)
        assert len(server.requests) == 1


def test_a_reset_after_the_request_is_unknown(outbound):
    def script(peer):
        peer.request()
        peer.reset()

    with serving(script) as server:
        error = failing(outbound, posting(server.url))

        assert ended(error) == ("unknown", "dropped", 1)


def test_a_connection_dropped_before_it_was_read_is_not_claimed_unsent(outbound):
    with serving(lambda peer: peer.reset()) as server:
        error = failing(outbound, posting(server.url), attempts=1)

        # Whether the reset came before the first byte left is the kernel's secret.
        assert error.outcome in ("unknown", "not_sent")
        assert server.requests == []


def test_a_connection_that_never_came_up_has_no_answer_to_read():
    connection = WatchedConnection("127.0.0.1", 9)
    with pytest.raises(ConnectionResetError):
        connection.getresponse()


def test_an_answer_that_hangs_is_unknown(outbound):
    with serving(lambda peer: (peer.request(), peer.hold())) as server:
        error = failing(outbound, posting(server.url))

        assert ended(error) == ("unknown", "timed_out", 1)
        assert len(server.requests) == 1


def test_a_read_that_fails_in_any_way_is_not_sent(outbound):
    drop = lambda peer: peer.request()  # noqa: E731
    hang = lambda peer: (peer.request(), peer.hold())  # noqa: E731

    with serving(in_turn(drop, hang)) as server:
        first = failing(outbound, getting(server.url), attempts=1)
        second = failing(outbound, getting(server.url), attempts=1)

    assert ended(first) == ("not_sent", "dropped_before", 1)
    assert ended(second) == ("not_sent", "timed_out_before", 1)


def test_a_post_without_effect_is_not_sent_when_it_is_dropped(outbound):
    with serving(lambda peer: peer.request()) as server:
        error = failing(outbound, posting(server.url, effect="none"), attempts=2)

        assert ended(error) == ("not_sent", "dropped_before", 2)
        assert len(server.requests) == 2


def test_an_answer_cut_amid_its_body_is_unknown(outbound):
    def script(peer):
        peer.request()
        peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    with serving(script) as server:
        error = failing(outbound, posting(server.url))

        assert ended(error) == ("unknown", "dropped", 1)


def test_an_answer_cut_amid_its_headers_is_unknown(outbound):
    def script(peer):
        peer.request()
        peer.say(b"HTTP/1.1 404 Not Found\r\nContent-Le")

    with serving(script) as server:
        error = failing(outbound, posting(server.url))

        assert ended(error) == ("unknown", "dropped", 1)


def test_an_answer_that_is_no_http_is_unknown(outbound):
    def script(peer):
        peer.request()
        peer.say(b"220 mail.example ESMTP\r\n\r\n")

    with serving(script) as server:
        error = failing(outbound, posting(server.url))

        assert ended(error) == ("unknown", "dropped", 1)


def test_headers_without_end_are_cut_off(outbound):
    def script(peer):
        peer.request()
        peer.say(b"HTTP/1.1 200 OK\r\n")
        for number in range(90):
            peer.say(f"X-{number}: {'x' * 1000}\r\n".encode())
        peer.say(b"Content-Length: 0\r\n\r\n")

    with serving(script) as server:
        error = failing(outbound, posting(server.url))

        assert ended(error) == ("unknown", "dropped", 1)


def test_a_lookup_that_fails_after_a_write_in_doubt_is_unknown(outbound):
    with serving(answering(503)) as server:

        def send(out):
            out.post(server.url, json={})
            out.get(f"http://127.0.0.1:{closed_port()}/")
            raise AssertionError

        error = failing(outbound, send)

    assert ended(error) == ("unknown", "dropped", 1)


def test_a_lookup_that_finds_no_way_after_a_write_in_doubt_is_unknown(outbound, monkeypatch):
    with serving(answering(503)) as server:

        def send(out):
            out.post(server.url, json={})
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file.pem")
            out.get("https://service.example/")
            raise AssertionError

        error = failing(outbound, send)

    assert (ended(error), len(server.requests)) == (("unknown", "dropped", 1), 1)


def test_a_lookup_that_fails_after_a_write_was_refused_is_not_sent(outbound):
    with serving(answering(401)) as server:

        def send(out):
            out.post(server.url, json={})
            out.get(f"http://127.0.0.1:{closed_port()}/")
            raise AssertionError

        error = failing(outbound, send, attempts=1)

    assert ended(error) == ("not_sent", "unreachable", 1)


def test_unknown_without_a_write_is_not_sent_and_tried_again(outbound):
    row = Refusal("odd", "unknown", "An odd answer.", "Look.")
    with serving(answering(500)) as server:

        def send(out):
            out.get(server.url)
            raise row.error()

        error = failing(outbound, send, attempts=2)

        assert ended(error) == ("not_sent", "odd", 2)
        assert (error.message, error.fix) == ("An odd answer.", "Look.")
        assert len(server.requests) == 2


def test_our_own_mistake_after_a_write_is_unknown_and_its_text_stays_unsaid(outbound, caplog):
    with serving(answering(200)) as server:

        def send(out):
            out.post(server.url, json={})
            raise KeyError("PAYLOAD")

        error = failing(outbound, send)

    assert ended(error) == ("unknown", "mishandled", 1)
    assert error.__cause__ is None
    assert "run run-1: KeyError at core/test_outbound_phases.py:" in caplog.text
    assert "PAYLOAD" not in caplog.text


def test_our_own_mistake_before_a_write_is_raised_as_it_is(outbound):
    with pytest.raises(KeyError):
        deliver(outbound, lambda _out: {}["id"])


def test_a_header_that_cannot_be_sent_is_not_sent(outbound):
    with serving(answering(200)) as server:
        wide = failing(outbound, posting(server.url, headers={"X": "\u20ac"}), attempts=1)
        broken = failing(outbound, posting(server.url, headers={"X": "a\r\nb"}), attempts=1)

        assert ended(wide) == ("not_sent", "not_sendable", 1)
        assert ended(broken) == ("not_sent", "not_sendable", 1)
        assert server.requests == []


def test_an_address_that_is_none_is_not_sent(outbound):
    for url in ("nowhere", "http://", "http://[::1/", "ftp://127.0.0.1/", "http://h:99999/"):
        error = failing(outbound, posting(url), attempts=1)

        assert ended(error) == ("not_sent", "not_sendable", 1), url


def test_no_error_holds_the_address_or_its_token(outbound):
    secret = "12345:SECRET"
    with serving(lambda peer: peer.request()) as server:
        urls = [f"http://127.0.0.1:{closed_port()}/bot{secret}", f"{server.url}/bot{secret}"]
        errors = [failing(outbound, posting(url), attempts=1) for url in urls]

    for error in errors:
        chain = [error, error.__cause__, error.__context__]
        assert secret not in repr([(e, vars(e)) for e in chain if e])
        assert "127.0.0.1" not in repr([(e, vars(e)) for e in chain if e])


def test_every_transport_failure_says_what_happened_and_what_to_do():
    reasons = [row.reason for row in TRANSPORT]

    assert len(set(reasons)) == len(reasons)
    for row in TRANSPORT:
        assert row.message.endswith("."), row.reason
        assert row.fix.endswith("."), row.reason
