"""What was accepted is sent after the acknowledgements that people wait for."""

import pytest

from bot.runtime.starting import Starter
from core.callers import Caller
from tests.support.waiting import wait_for

LONG, SHORT = 600.0, 0.001


def accepted(engine, name="ada"):
    return engine.accept("slack.send", {"text": f"by {name}"}, Caller("slack", f"T1:{name}"))


@pytest.fixture
def starter(engine):
    starter = Starter(engine, gap=LONG)
    yield starter
    starter.close()


def ended(engine, *runs):
    return all(engine.ledger.run(one.run).state == "sent" for one in runs)


def test_a_run_is_sent_once_nobody_waits_for_an_acknowledgement(engine, starter):
    with starter.acknowledging():
        with starter.acknowledging():
            one = accepted(engine)
            starter.add(one)
        out = starter.outcome(one)
        assert engine.ledger.run(one.run).state == "accepted"
    assert out.result(60).outcome == "sent"


def test_it_is_sent_at_once_where_nobody_waits(engine, starter):
    one = accepted(engine)
    starter.add(one)
    assert starter.outcome(one).result(60).outcome == "sent"


def test_runs_are_sent_also_while_people_wait_without_end(engine):
    starter = Starter(engine, gap=SHORT)
    with starter.acknowledging():
        runs = [accepted(engine, name) for name in ("ada", "bob", "eve")]
        for one in runs:
            starter.add(one)
        wait_for(lambda: ended(engine, *runs))
    starter.close()


def test_what_nobody_had_started_is_started_by_who_waits_for_its_end(engine, starter):
    with starter.acknowledging():
        assert starter.outcome(accepted(engine)).result(60).outcome == "sent"


def test_what_is_accepted_as_the_bot_ends_is_started_all_the_same(engine):
    starter = Starter(engine, gap=LONG)
    with starter.acknowledging():
        early = accepted(engine)
        starter.add(early)
        starter.close()
        late = accepted(engine, "bob")
        starter.add(late)
        wait_for(lambda: ended(engine, early, late))
