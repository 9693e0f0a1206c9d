"""What must not stop a connector: a watcher's fault, a held ledger, a lack of threads."""

import io
import os
import threading
import time
from contextlib import redirect_stderr

import pytest
from filelock import lock_descriptor

from core.callers import Caller
from core.engine.queues import WORKERS
from core.errors import InvalidInput
from core.outbound import resolve
from core.outbound.watchdog import Watchdog, at
from core.sandbox import Delay

ADA = Caller("slack", "T1:UADA")
HELLO = {"text": "Build 214 is out"}


@pytest.fixture
def pro(engine):
    engine.ledger.set_plan(str(ADA), "pro")
    return engine


@pytest.fixture
def no_threads():
    """Let no thread be started, as in a container that has used up its share."""
    at(time.monotonic(), lambda: None)  # the watchdog has its thread already
    before = threading.stack_size(1 << 45)
    yield lambda: threading.stack_size(before)
    threading.stack_size(before)


def broken(*_):
    raise ValueError("PAYLOAD")


def test_observers_that_fail_end_no_worker_and_say_no_payload(pro, caplog):
    pro.observers.append(broken)
    ends = [pro.run("slack.send", {"text": f"{n}"}, ADA).outcome for n in range(WORKERS + 2)]
    assert ends == ["sent"] * (WORKERS + 2)
    pro.close()
    assert "an observer failed: ValueError at core/test_review_engine.py:" in caplog.text
    assert "PAYLOAD" not in caplog.text


def test_an_observer_of_refusals_that_fails_does_not_change_the_refusal(pro):
    pro.refusals.append(broken)
    with pytest.raises(InvalidInput):
        pro.run("slack.send", {}, ADA)


def test_what_is_called_back_by_a_run_may_start_the_next(pro, sandbox):
    sandbox.slack.next(Delay(0.2))
    first, second = (pro.accept("slack.send", {"text": text}, ADA) for text in "ab")
    started = []
    future = pro.start(first)
    future.add_done_callback(lambda _: started.append(pro.start(second)))
    assert future.result(10).outcome == "sent"
    assert pro.start(second).result(10).outcome == "sent"
    assert len(started) == 1


def test_without_a_thread_to_be_had_a_run_is_busy_and_not_lost(pro, no_threads):
    accepted = pro.accept("slack.send", HELLO, ADA)
    settled = pro.start(accepted).result(5)
    assert (settled.outcome, settled.error.code) == ("not_sent", "busy")
    assert pro.ledger.run(accepted.run).state == "not_sent"
    no_threads()
    assert pro.run("slack.send", HELLO, ADA).outcome == "sent"


def test_a_name_is_found_again_once_threads_can_be_had_again(no_threads):
    with pytest.raises(OSError, match="thread"):
        resolve.resolve("localhost", 80, time.monotonic() + 1)
    no_threads()
    assert resolve.resolve("localhost", 80, time.monotonic() + 10)


def test_the_watchdog_starts_once_threads_can_be_had_again(no_threads):
    dog, rang = Watchdog(), threading.Event()
    with pytest.raises(RuntimeError, match="thread"):
        dog.at(time.monotonic(), rang.set)
    no_threads()
    dog.at(time.monotonic(), rang.set)
    assert rang.wait(10)


def send_while_the_ledger_is_away(engine, sandbox, **more):
    sandbox.slack.next(Delay(0.5))
    accepted = engine.accept("slack.send", HELLO, ADA, **more)
    out = engine.start(accepted)
    while engine.ledger.run(accepted.run).state != "sending":
        time.sleep(0.01)
    away = engine.ledger.path.rename(engine.ledger.path.with_suffix(".away"))
    assert out.result(10).outcome == "sent"
    away.rename(engine.ledger.path)
    return accepted


def test_an_ending_the_ledger_could_not_take_is_written_without_another_run(pro, sandbox):
    accepted = send_while_the_ledger_is_away(pro, sandbox)
    end = time.monotonic() + 30
    while pro.ledger.run(accepted.run).state == "sending" and time.monotonic() < end:
        time.sleep(0.05)
    assert pro.ledger.run(accepted.run).state == "sent"
    assert len(sandbox.slack.writes) == 1


def test_an_ending_the_ledger_could_not_take_is_written_with_the_next(pro, sandbox):
    accepted = send_while_the_ledger_is_away(pro, sandbox, key="slack:t1")
    assert pro.ledger.run(accepted.run).state == "sending"
    again = pro.accept("slack.send", HELLO, ADA, key="slack:t1")
    assert pro.start(again).result(5).outcome == "sent", "a redelivery hears the truth"
    assert pro.run("slack.send", {"text": "next"}, ADA).outcome == "sent"
    assert pro.ledger.run(accepted.run).state == "sent"
    assert len(sandbox.slack.writes) == 2


def test_a_stop_waits_for_the_log_lines_of_what_has_ended(pro, home):
    (home / "logs").mkdir()
    guard = os.open(home / "logs" / ".connectors.lock", os.O_RDWR | os.O_CREAT)
    try:
        assert lock_descriptor(guard, blocking=False)
        run = pro.run("slack.send", HELLO, ADA).run
        pro.close()
        assert f'"run":"{run}"' in pro.log.file.read_text()
    finally:
        os.close(guard)


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
