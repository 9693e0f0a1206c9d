"""Attempts of several calls: what one of them left in doubt, no other can deny."""

from __future__ import annotations

import pytest

from core.contract import unknown
from core.outbound import Outbound
from tests.support.rawserver import answering, closed_port, in_turn, serving
from tests.support.ways_out import deliver, ended, failing, getting, posting


@pytest.fixture
def outbound():
    made = Outbound(attempt_seconds=0.5)
    yield made
    made.close()


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
        failed = failing(outbound, posting(server.url, effect="none"), attempts=2)

        assert ended(failed) == ("not_sent", "dropped_before", 2)
        assert len(server.requests) == 2


def test_a_lookup_that_fails_after_a_write_in_doubt_is_unknown(outbound):
    with serving(answering(503)) as server:

        def send(out):
            out.post(server.url, json={})
            out.get(f"http://127.0.0.1:{closed_port()}/")
            raise AssertionError

        failed = failing(outbound, send)

    assert ended(failed) == ("unknown", "dropped", 1)


def test_a_lookup_that_finds_no_way_after_a_write_in_doubt_is_unknown(outbound, monkeypatch):
    with serving(answering(503)) as server:

        def send(out):
            out.post(server.url, json={})
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file.pem")
            out.get("https://service.example/")
            raise AssertionError

        failed = failing(outbound, send)

    assert (ended(failed), len(server.requests)) == (("unknown", "dropped", 1), 1)


def test_a_lookup_that_fails_after_a_write_was_refused_is_not_sent(outbound):
    with serving(answering(401)) as server:

        def send(out):
            out.post(server.url, json={})
            out.get(f"http://127.0.0.1:{closed_port()}/")
            raise AssertionError

        failed = failing(outbound, send, attempts=1)

    assert ended(failed) == ("not_sent", "unreachable", 1)


def test_unknown_without_a_write_is_not_sent_and_tried_again(outbound):
    row = unknown("odd", "An odd answer.", "Look.")
    with serving(answering(500)) as server:

        def send(out):
            out.get(server.url)
            raise row.error()

        failed = failing(outbound, send, attempts=2)

        assert ended(failed) == ("not_sent", "odd", 2)
        assert (failed.error.message, failed.error.fix) == ("An odd answer.", "Look.")
        assert len(server.requests) == 2


def test_our_own_mistake_after_a_write_is_unknown_and_its_text_stays_unsaid(outbound, caplog):
    with serving(answering(200)) as server:

        def send(out):
            out.post(server.url, json={})
            raise KeyError("PAYLOAD")

        failed = failing(outbound, send)

    assert ended(failed) == ("unknown", "mishandled", 1)
    assert failed.error.__cause__ is None
    assert "run run-1: KeyError at core/test_outbound_doubt.py:" in caplog.text
    assert "PAYLOAD" not in caplog.text


def test_our_own_mistake_before_a_write_is_raised_as_it_is(outbound):
    with pytest.raises(KeyError):
        deliver(outbound, lambda _out: {}["id"])
