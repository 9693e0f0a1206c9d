"""What may be tried again, when, and what is said at the end."""

from __future__ import annotations

import pytest

from core.contract import Probe, Receipt, refused
from core.errors import InvalidInput, NotSent
from core.outbound import Outbound
from tests.support.rawserver import answering, in_turn, serving
from tests.support.talking import drop, once, talking
from tests.support.ways_out import deliver, ended, failing


@pytest.fixture
def outbound():
    made = Outbound(attempt_seconds=5)
    yield made
    made.close()


def test_what_was_not_sent_is_tried_again_until_it_is(outbound):
    with serving(in_turn(once(429), once(429), once(200))) as server:
        assert deliver(outbound, talking(server.url)) == (Receipt("sent"), 3)
        assert len(server.requests) == 3


def test_three_attempts_are_all(outbound):
    with serving(answering(429)) as server:
        failed = failing(outbound, talking(server.url))

        assert ended(failed) == ("not_sent", "too_fast", 3)
        assert len(server.requests) == 3


def test_a_refusal_is_not_tried_again(outbound):
    with serving(answering(400)) as server:
        failed = failing(outbound, talking(server.url))

        assert ended(failed) == ("refused", "gone", 1)
        assert len(server.requests) == 1


def test_unknown_makes_exactly_one_write(outbound):
    with serving(answering(500)) as server:
        failed = failing(outbound, talking(server.url))

        assert ended(failed) == ("unknown", "failed", 1)
        assert len(server.requests) == 1


def test_input_that_turns_out_wrong_is_not_tried_again(outbound):
    def send(_out):
        raise InvalidInput

    failed = failing(outbound, send)

    assert (failed.error.code, failed.attempts) == ("validation_error", 1)


def test_a_keyed_write_is_repeated_with_the_same_run_id(outbound):
    with serving(in_turn(drop, once(500), once(200))) as server:
        assert deliver(outbound, talking(server.url, "keyed")) == (Receipt("sent"), 3)
        assert server.bodies() == [b'{"run": "run-1"}'] * 3


def test_a_keyed_write_once_in_doubt_stays_unknown(outbound):
    with serving(in_turn(drop, once(429, b'{"retry_after": 0.1}'))) as server:
        failed = failing(outbound, talking(server.url, "keyed"))

        assert ended(failed) == ("unknown", "dropped", 3)
        assert failed.error.retry_after == 0.1
        assert len(server.requests) == 3


def test_a_keyed_write_in_doubt_stays_so_when_the_repeat_is_refused(outbound):
    with serving(in_turn(drop, once(400))) as server:
        failed = failing(outbound, talking(server.url, "keyed"))

        assert ended(failed) == ("unknown", "dropped", 2)


def test_two_writes_are_repeatable_only_when_both_are_keyed(outbound):
    with serving(in_turn(once(500), drop)) as server:

        def send(out):
            out.post(server.url, json={})
            out.post(server.url, json={}, effect="keyed")

        failed = failing(outbound, send)

        assert (failed.error.outcome, failed.attempts) == ("unknown", 1)


def test_a_probe_asks_once(outbound):
    with serving(answering(429)) as server:
        with pytest.raises(NotSent):
            outbound.probe("service", b"c", talking(server.url, "none"))

        assert len(server.requests) == 1


def test_a_probe_gives_what_it_found(outbound):
    with serving(answering(200)) as server:

        def probe(out):
            return Probe(notes=(str(out.get(server.url).status),))

        assert outbound.probe("service", b"c", probe) == Probe(notes=("200",))


def test_an_errors_words_are_redacted():
    class Blot:
        def clean(self, text):
            return text.replace("SECRET", "****")

    row = refused("odd", "It said SECRET.", "Do not use SECRET.")

    def send(_out):
        raise row.error()

    failed = failing(Outbound(redactor=Blot()), send)

    assert (failed.error.message, str(failed.error)) == ("It said ****.", "It said ****.")
    assert failed.error.fix == "Do not use ****."
