"""What must not stop a run: a watcher's fault, a held ledger, a connector's own mistake."""

import io
import threading
import time
from contextlib import contextmanager, redirect_stderr

import pytest

from core import wording
from core.connectors import CONNECTORS
from core.engine import Engine
from core.engine.queues import WORKERS
from core.errors import InvalidInput, LedgerError
from core.ledger.ledger import UNSURE
from core.sandbox.slack import CHANNELS
from core.settings import Settings
from tests.support.asking import ADA, HELLO
from tests.support.engines import both
from tests.support.sandbox import Delay
from tests.support.targets import add

pytestmark = both
GENERAL = next(iter(CHANNELS))


def broken(*_):
    raise ValueError("PAYLOAD")


@contextmanager
def sent_while_the_ledger_is_away(engine, sandbox, **more):
    sandbox.slack.next(Delay(0.5))
    accepted = engine.accept("slack.send", HELLO, ADA, **more)
    out = engine.start(accepted)
    while engine.ledger.run(accepted.run).state != "sending":
        time.sleep(0.01)
    away = engine.ledger.store.files.rename(engine.ledger.store.files.with_suffix(".away"))
    assert out.result(10).outcome == "sent"
    try:
        yield accepted
    finally:
        if away.exists():
            away.rename(engine.ledger.store.files)


def send_while_the_ledger_is_away(engine, sandbox, **more):
    with sent_while_the_ledger_is_away(engine, sandbox, **more) as accepted:
        return accepted


def test_a_ledger_that_cannot_be_written_sends_nothing(pro, sandbox):
    accepted = pro.accept("slack.send", HELLO, ADA)
    store = pro.ledger.store
    (store._pool if store.shared else store._writer).close()
    settled = pro.start(accepted).result(5)
    assert isinstance(settled.error, LedgerError)
    assert settled.outcome == "not_sent"
    assert sandbox.slack.received == []


@pytest.mark.parametrize(
    ("key", "values", "sure"),
    [
        (None, HELLO, "on both engines"),
        (None, {"target": "ops", **HELLO}, "on both engines"),
        ("new", HELLO, "on SQLite"),
        ("new", {"target": "ops", **HELLO}, "on SQLite"),
        ("sent before", HELLO, ""),
    ],
)
def test_a_run_the_ledger_cannot_take_was_not_sent_or_not_by_this_request(
    pro, sandbox, key, values, sure
):
    add(pro, "ops", "slack.send", channel=GENERAL)
    pro.run("slack.send", HELLO, ADA, key="sent before")
    store = pro.ledger.store
    (store._pool if store.shared else store._writer).close()
    with pytest.raises(LedgerError) as refused:
        pro.accept("slack.send", values, ADA, key=key)
    told = wording.refusal(refused.value)
    if sure == "on both engines" or (sure and not store.shared):
        assert refused.value.outcome == "not_sent"
        assert told.startswith("Not sent. ")
    else:
        assert refused.value.outcome is None
        assert UNSURE in told.splitlines()[0]
    assert len(sandbox.slack.received) == 1


def test_a_connectors_own_mistake_ends_the_run_and_names_it(home, environ):
    import dataclasses

    slack = CONNECTORS[0]

    def broken(given, config, out):
        raise ZeroDivisionError("PAYLOAD")

    action = dataclasses.replace(slack.actions[0], send=broken)
    odd = dataclasses.replace(slack, actions=(action,))
    settings = Settings(home, sandbox_urls=environ, connectors=(odd,))
    with Engine.open(settings, connectors=(odd,)) as engine:
        settled = engine.run("slack.send", HELLO, ADA)
        body = settled.body()
        assert (body["error"], body["run"], settled.http) == ("internal_error", settled.run, 500)
        assert body["in_doubt"] is True
        assert "PAYLOAD" not in str(body)
        assert engine.ledger.run(settled.run).state == "unknown"


def test_observers_that_fail_end_no_worker_and_say_no_payload(pro, caplog):
    pro.observers.append(broken)
    ends = [pro.run("slack.send", {"text": f"{n}"}, ADA).outcome for n in range(WORKERS + 2)]
    assert ends == ["sent"] * (WORKERS + 2)
    pro.close()
    assert "an observer failed: ValueError at core/test_engine_faults.py:" in caplog.text
    assert "PAYLOAD" not in caplog.text


def test_an_observer_of_refusals_that_fails_does_not_change_the_refusal(pro):
    pro.refusals.append(broken)
    with pytest.raises(InvalidInput):
        pro.run("slack.send", {}, ADA)


# On the other engine a server is held: tests/core/test_endings.py.
@pytest.mark.databases("sqlite")
def test_an_ending_the_ledger_could_not_take_is_written_without_another_run(pro, sandbox):
    accepted = send_while_the_ledger_is_away(pro, sandbox)
    end = time.monotonic() + 30
    while pro.ledger.run(accepted.run).state == "sending" and time.monotonic() < end:
        time.sleep(0.05)
    assert pro.ledger.run(accepted.run).state == "sent"
    assert len(sandbox.slack.writes) == 1


@pytest.mark.databases("sqlite")
def test_an_ending_the_ledger_could_not_take_is_written_with_the_next(pro, sandbox):
    accepted = send_while_the_ledger_is_away(pro, sandbox, key="slack:t1")
    assert pro.ledger.run(accepted.run).state == "sending"
    again = pro.accept("slack.send", HELLO, ADA, key="slack:t1")
    assert pro.start(again).result(5).outcome == "sent", "a redelivery hears the truth"
    assert pro.run("slack.send", {"text": "next"}, ADA).outcome == "sent"
    assert pro.ledger.run(accepted.run).state == "sent"
    assert len(sandbox.slack.writes) == 2


@pytest.mark.databases("sqlite")
def test_what_the_ledger_has_not_taken_is_told_until_it_has(pro, sandbox):
    other = pro.accept("slack.send", {"text": "never begun"}, ADA)
    file = pro.ledger.store.files
    with sent_while_the_ledger_is_away(pro, sandbox) as accepted:
        assert isinstance(pro.start(other).result(10).error, LedgerError), "it said so itself"
        told = pro.unwritten()
        assert (told.exit, told.run, told.reason) == (9, accepted.run, "ledger_replaced")
        assert told.message.endswith(f"This could not be written down: {accepted.run} is sent.")
        assert told.fix.endswith("Then run: levqor runs. It writes this down.")
        threading.Timer(0.2, lambda: file.with_suffix(".away").rename(file)).start()
        assert pro.unwritten(60) is None
    assert [pro.ledger.run(each.run).state for each in (accepted, other)] == ["sent", "not_sent"]


def test_a_terminal_that_is_gone_ends_no_worker_when_the_log_fails(pro):
    pro.log.file.mkdir(parents=True)
    terminal = io.StringIO()
    terminal.close()
    with redirect_stderr(terminal):
        runs = [pro.accept("slack.send", {"text": f"{n}"}, ADA) for n in range(WORKERS + 2)]
        ends = [pro.start(run).result(10).outcome for run in runs]
        pro.close()
    assert ends == ["sent"] * (WORKERS + 2)
    assert "cannot be written: Is a directory" in pro.log.problem
