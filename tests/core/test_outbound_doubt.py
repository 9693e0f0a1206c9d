"""Attempts of several calls: what one of them left in doubt, no other can deny."""

from __future__ import annotations

import re
import time

import pytest

from core.contract import Receipt, unknown
from core.errors import InvalidInput, NotSent, Refused, Unknown
from core.outbound import Outbound
from core.timers import uptime
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
    place = r"run run-1: KeyError at core/test_outbound_doubt\.py:\d+"
    assert [bool(re.fullmatch(place, said)) for said in caplog.messages] == [True]


def test_our_own_mistake_before_a_write_is_raised_as_it_is(outbound):
    with pytest.raises(KeyError):
        deliver(outbound, lambda _out: {}["id"])


def test_our_own_mistake_after_a_write_was_refused_is_raised_as_it_is(outbound):
    with serving(answering(401)) as server:

        def send(out):
            out.post(server.url, json={})
            raise KeyError

        with pytest.raises(KeyError):
            outbound.deliver("service", b"c", "run-1", send)


@pytest.mark.parametrize("reason", ["odd", ""])
def test_what_an_unknown_error_says_stays_where_nothing_was_written(outbound, reason):
    def send(_out):
        raise Unknown(reason, "An odd answer.", fix="Look.", retry_after=60.0)

    error = failing(outbound, send, attempts=1).error

    assert (error.outcome, error.reason, error.message) == ("not_sent", reason, "An odd answer.")
    assert (error.fix, error.retry_after) == ("Look.", 60.0)


def test_each_attempt_says_when_it_began_and_why_it_failed(outbound):
    errors = [NotSent("busy", retry_after=0.01), NotSent("", retry_after=0.0), None]

    def send(out):
        assert out.run == "run-1"
        if error := errors.pop(0):
            raise error
        return Receipt("sent")

    began = uptime() - 5000
    tries = outbound.deliver("service", b"c", "run-1", send, began=began).tries
    assert [each.reason for each in tries] == ["busy", NotSent.code, None]
    until = 1000 * (uptime() - began) + 1
    assert 5_000_000 <= tries[0].at <= tries[1].at <= tries[2].at <= until
    assert all(each.ms >= 0 for each in tries)

    def slow(_out):
        time.sleep(0.03)
        raise InvalidInput

    began = uptime()
    (once,) = failing(outbound, slow).tries
    assert once.reason == InvalidInput.code
    assert 30 <= once.at + once.ms <= 1000 * (uptime() - began) + 1


def test_each_credential_keeps_what_it_learned(outbound):
    def asking(answer):
        return lambda out: out.remember("name", lambda: (answer, 60.0))

    def asked(name, credential, answer):
        return outbound.deliver(name, credential, "run-1", asking(answer)).get()

    assert asked("slack", b"a", "first") == "first"
    assert asked("slack", b"b", "second") == "second"
    assert asked("notion", b"a", "third") == "third"
    assert asked("slack", b"a", "again") == "first"


def test_after_a_stop_nothing_is_tried_again(outbound):
    outbound.close()
    failed = failing(outbound, getting(f"http://127.0.0.1:{closed_port()}/"))
    assert ended(failed) == ("not_sent", "unreachable", 1)


def test_only_what_may_be_tried_again_keeps_others_waiting(outbound):
    def send(_out):
        raise Refused("gone", retry_after=60.0)

    assert ended(failing(outbound, send)) == ("refused", "gone", 1)
    assert deliver(outbound, lambda _out: Receipt("sent")) == (Receipt("sent"), 1)
