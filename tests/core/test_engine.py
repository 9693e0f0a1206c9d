import contextlib
import sqlite3
import threading
import time

import pytest

from core.callers import Caller
from core.connectors import CONNECTORS
from core.engine import Engine
from core.engine import queues as places
from core.errors import (
    Busy,
    Forbidden,
    IdempotencyMismatch,
    InvalidInput,
    LedgerError,
    NotConfigured,
    NotFound,
    QuotaSpent,
    Repeated,
)
from core.sandbox import Answer, Delay, DropAfter, Hang
from core.settings import Settings

ADA = Caller("slack", "T1:UADA")
BOB = Caller("telegram", "42")
HELLO = {"text": "Build 214 is out"}


@pytest.fixture
def pro(engine):
    for caller in (ADA, BOB):
        engine.ledger.set_plan(str(caller), "pro")
    return engine


def charged(engine):
    with contextlib.closing(sqlite3.connect(engine.ledger.path)) as db, db:
        return db.execute("SELECT count(*) FROM runs WHERE charged = 1").fetchone()[0]


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda c: c.name)
def test_every_sample_is_sent_and_its_receipt_names_the_run(engine, sandbox, connector):
    for action in connector.actions:
        action_id = connector.action_id(action)
        settled = engine.run(action_id, {}, ADA, test=True)
        assert settled.error is None
        body = settled.body()
        assert body["run"] == settled.run
        assert body["status"] in ("sent", "created", "appended")
        entry = engine.ledger.run(settled.run)
        assert (entry.state, entry.test, entry.attempts) == ("sent", True, 1)


def test_the_wire_bodies_are_those_of_the_old_service(engine):
    sent = engine.run("slack.send", HELLO, ADA)
    assert sent.body() == {"status": "sent", "run": sent.run}
    created = engine.run("notion.create", {"props": {"Name": "Fix login"}}, ADA)
    body = created.body()
    assert set(body) == {"status", "id", "run"}
    assert body["status"] == "created"
    assert body["id"][4:8] == "****"
    assert len(body["id"]) == 10
    rows = engine.run("sheets.append", {"range": "Sheet1!A1", "values": [["a", "1"]]}, ADA)
    assert rows.body() == {"status": "appended", "updated": 1, "run": rows.run}


def test_an_unknown_action_gets_the_nearest(engine):
    with pytest.raises(NotFound) as caught:
        engine.accept("slack.sned", HELLO, ADA)
    assert caught.value.fix == "Did you mean slack.send?"


def test_every_fault_is_told_at_once_and_nothing_is_journaled(engine):
    with pytest.raises(InvalidInput) as caught:
        engine.accept("email.send", {"to": "x", "subject": "a\nb", "txt": "hi"}, ADA)
    told = {fault.field: fault.message for fault in caught.value.faults}
    assert set(told) == {"to", "subject", "text", "txt"}
    assert told["subject"] == "must be on one line"
    assert told["text"] == "is required"
    assert told["txt"] == "is not a field here; did you mean text?"
    assert engine.ledger.runs() == []


def test_a_value_that_is_refused_is_not_repeated(engine):
    with pytest.raises(InvalidInput) as caught:
        engine.accept("slack.send", {"text": "SECRETVALUE" * 400}, ADA)
    assert "SECRETVALUE" not in str(caught.value.body())
    assert caught.value.body()["details"] == [
        {"field": "text", "message": "is too long: at most 3000 characters"}
    ]


def test_free_means_once_a_day_and_says_how_to_go_on(engine):
    assert engine.run("slack.send", HELLO, ADA).outcome == "sent"
    with pytest.raises(QuotaSpent) as caught:
        engine.run("slack.send", {"text": "again"}, ADA)
    body = caught.value.body()
    assert body["message"] == "Free plan: 1 slack call/day. Upgrade for unlimited."
    assert body["upgrade"] == "/pricing"
    assert body["fix"] == "Ask whoever runs Levqor: levqor plan set slack:T1:UADA pro"
    assert body["resets_at"].endswith("T00:00:00+00:00")


def test_a_refusal_gives_the_quota_back(engine, sandbox):
    sandbox.slack.next(Answer(404, body="no_service"))
    refused = engine.run("slack.send", HELLO, ADA)
    assert (refused.outcome, refused.error.reason) == ("refused", "webhook_gone")
    assert charged(engine) == 0
    assert engine.run("slack.send", HELLO, ADA).outcome == "sent"


def test_what_may_have_arrived_is_unknown_sent_once_and_held(engine, sandbox):
    sandbox.slack.next(DropAfter())
    settled = engine.run("slack.send", HELLO, ADA)
    body = settled.body()
    assert (settled.outcome, settled.attempts, body["in_doubt"]) == ("unknown", 1, True)
    assert charged(engine) == 1
    assert len(sandbox.slack.received) == 1


def test_an_unconfigured_connector_names_its_settings(home):
    with Engine.open(Settings.load(home, environ={})) as engine:
        with pytest.raises(NotConfigured) as caught:
            engine.accept("slack.send", HELLO, ADA)
        assert caught.value.settings == ("SLACK_WEBHOOK_URL",)
        assert engine.ledger.runs() == []


def test_faulty_input_is_told_before_what_is_not_configured(home):
    with Engine.open(Settings.load(home, environ={})) as engine, pytest.raises(InvalidInput):
        engine.accept("slack.send", {}, ADA)


def test_a_caller_that_is_not_allowed_is_refused(home, sandbox):
    values = {**sandbox.settings(), "LEVQOR_ALLOW": "slack:T1:*=email.send"}
    with Engine.open(Settings.load(home, environ=values)) as engine:
        with pytest.raises(Forbidden, match="slack:T1:UADA may not use"):
            engine.accept("slack.send", HELLO, ADA)
        with pytest.raises(Forbidden):
            engine.accept("email.send", HELLO, BOB)


def test_a_redelivery_attaches_to_the_run_that_is_out(pro, sandbox):
    sandbox.slack.next(Delay(0.4))
    first = pro.accept("slack.send", HELLO, ADA, key="slack:t1")
    out = pro.start(first)
    again = pro.accept("slack.send", HELLO, ADA, key="slack:t1")
    assert (again.first, again.run, again.settled) == (False, first.run, None)
    assert pro.start(again) is out
    assert out.result(10).outcome == "sent"
    assert len(sandbox.slack.writes) == 1


def test_a_redelivery_after_the_end_gets_the_first_answer(pro, sandbox):
    sandbox.slack.next(Answer(404, body="no_service"))
    first = pro.run("slack.send", HELLO, ADA, key="slack:t1")
    again = pro.run("slack.send", HELLO, ADA, key="slack:t1")
    assert again.body() == first.body()
    assert len(sandbox.slack.received) == 1


def test_starting_twice_sends_once(pro, sandbox):
    accepted = pro.accept("slack.send", HELLO, ADA)
    assert pro.start(accepted).result(10) is pro.start(accepted).result(10)
    assert len(sandbox.slack.writes) == 1


def test_an_idempotency_key_with_other_input_is_a_mismatch(pro):
    pro.run("slack.send", HELLO, ADA, key="http:k", rebind=True)
    with pytest.raises(IdempotencyMismatch):
        pro.run("slack.send", {"text": "other"}, ADA, key="http:k", rebind=True)


def test_the_same_again_is_asked_about_only_where_it_was_asked_for(pro, sandbox):
    pro.run("slack.send", HELLO, ADA, guard=True)
    with pytest.raises(Repeated):
        pro.run("slack.send", HELLO, ADA, guard=True)
    pro.run("slack.send", HELLO, ADA)
    assert len(sandbox.slack.writes) == 2


def test_a_future_that_is_waited_for_cannot_be_cancelled(pro, sandbox):
    sandbox.slack.next(Delay(0.2))
    future = pro.start(pro.accept("slack.send", HELLO, ADA))
    assert future.cancel() is False
    assert future.result(10).outcome == "sent"


def test_a_hanging_connector_does_not_delay_another(pro, sandbox):
    sandbox.notion.always(Hang())
    hanging = [
        pro.start(pro.accept("notion.create", {"props": {"Name": f"n{n}"}}, ADA))
        for n in range(places.WORKERS + 4)
    ]
    began = time.monotonic()
    email = {"to": "delivered@resend.dev", "subject": "s", "text": "t"}
    assert pro.run("email.send", email, BOB).outcome == "sent"
    assert time.monotonic() - began < 8
    running, waiting = pro.queues()["notion"]
    assert (running, waiting) == (places.WORKERS, 4)
    pro.close(timeout=0.1)
    assert {future.result(1).outcome for future in hanging} <= {"unknown", "not_sent"}


def test_a_full_queue_answers_busy_and_gives_the_quota_back(pro, sandbox):
    sandbox.slack.always(Hang())
    full = places.WORKERS + places.PLACES
    futures = [pro.start(pro.accept("slack.send", {"text": f"n{n}"}, ADA)) for n in range(full + 3)]
    busy = [f.result(5) for f in futures[full:]]
    assert {(b.outcome, b.error.code, b.http, b.exit) for b in busy} == {
        ("not_sent", "busy", 503, 6)
    }
    assert busy[0].error.retry_after == 30
    assert charged(pro) == full
    pro.close(timeout=0.1)
    assert sum(f.result(1).outcome == "not_sent" for f in futures) >= places.PLACES


def test_a_run_that_waited_too_long_is_busy(pro, sandbox):
    late = []
    job = pro.accept("slack.send", HELLO, ADA).job
    hold = threading.Event()
    slow = places.Queue("slow", lambda _: hold.wait(10), late.append, wait_seconds=0.2)
    for _ in range(places.WORKERS + 1):
        assert slow.offer(job)
    deadline = time.monotonic() + 10
    while not late and time.monotonic() < deadline:
        time.sleep(0.02)
    hold.set()
    assert late == [job]


def test_stopping_sends_nothing_new_and_settles_what_hangs(pro, sandbox):
    sandbox.slack.always(Hang())
    out = [pro.start(pro.accept("slack.send", {"text": str(n)}, ADA)) for n in range(20)]
    waiting = pro.accept("slack.send", {"text": "late"}, ADA)
    time.sleep(0.5)
    pro.close(timeout=0.3)
    ends = [future.result(1) for future in out]
    assert [e.outcome for e in ends].count("unknown") == places.WORKERS
    assert [e.outcome for e in ends].count("not_sent") == 4
    assert pro.start(waiting).result(1).error.reason == "interrupted_before"
    with pytest.raises(Busy, match="stopping"):
        pro.accept("slack.send", HELLO, BOB)


def test_a_ledger_that_cannot_be_written_sends_nothing(pro, sandbox):
    accepted = pro.accept("slack.send", HELLO, ADA)
    pro.ledger._writer.close()
    settled = pro.start(accepted).result(5)
    assert isinstance(settled.error, LedgerError)
    assert settled.outcome == "not_sent"
    assert sandbox.slack.received == []


def test_a_connectors_own_mistake_ends_the_run_and_names_it(home, sandbox):
    import dataclasses

    slack = CONNECTORS[0]

    def broken(given, config, out):
        raise ZeroDivisionError("PAYLOAD")

    action = dataclasses.replace(slack.actions[0], send=broken)
    odd = dataclasses.replace(slack, actions=(action,))
    settings = Settings.load(home, sandbox_urls=sandbox.settings(), connectors=(odd,))
    with Engine.open(settings, connectors=(odd,)) as engine:
        settled = engine.run("slack.send", HELLO, ADA)
        body = settled.body()
        assert (body["error"], body["run"], settled.http) == ("internal_error", settled.run, 500)
        assert body["in_doubt"] is True
        assert "PAYLOAD" not in str(body)
        assert engine.ledger.run(settled.run).state == "unknown"


def test_observers_hear_of_every_ending_and_every_refusal(pro, sandbox):
    ended, refused = [], []
    pro.observers.append(lambda settled, caller: ended.append((settled.outcome, str(caller))))
    pro.refusals.append(lambda action, error, caller: refused.append((action, error.code)))
    pro.run("slack.send", HELLO, ADA)
    with pytest.raises(InvalidInput):
        pro.run("slack.send", {}, ADA)
    with pytest.raises(NotFound):
        pro.run("NOT AN ACTION", {}, ADA)
    assert ended == [("sent", "slack:T1:UADA")]
    assert refused == [("slack.send", "validation_error"), ("", "not_found")]


def test_a_test_send_takes_no_input_of_its_own(engine):
    with pytest.raises(InvalidInput) as caught:
        engine.run("slack.send", HELLO, ADA, test=True)
    assert caught.value.faults[0].message == (
        "must be empty: a test send uses the action's own sample"
    )


def test_test_sends_are_one_a_minute_but_not_against_stand_ins(home, sandbox, engine):
    engine.run("slack.send", {}, ADA, test=True)
    assert engine.run("slack.send", {}, ADA, test=True).outcome == "sent"
    engine.close()
    with Engine.open(Settings.load(home, environ=sandbox.settings())) as real:
        with pytest.raises(Busy) as caught:
            real.run("slack.send", {}, ADA, test=True)
        assert 50 < caught.value.retry_after <= 60


def test_an_edited_settings_file_takes_effect_without_a_restart(home, sandbox):
    values = sandbox.settings()
    hook = values.pop("SLACK_WEBHOOK_URL")
    with Engine.open(Settings.load(home, environ=values)) as engine:
        with pytest.raises(NotConfigured):
            engine.run("slack.send", HELLO, ADA)
        assert engine.refresh() is False
        (home / ".env").write_text(f"SLACK_WEBHOOK_URL={hook}\n")
        assert engine.refresh() is True
        assert engine.run("slack.send", HELLO, ADA).outcome == "sent"


def test_settings_that_are_broken_now_leave_the_old_ones_in_force(home, sandbox):
    with Engine.open(Settings.load(home, environ=sandbox.settings())) as engine:
        (home / ".env").write_text("LEVQOR_KEEP_DAYS=soon\n")
        with pytest.raises(NotConfigured, match="LEVQOR_KEEP_DAYS"):
            engine.refresh()
        assert engine.run("slack.send", HELLO, ADA).outcome == "sent"


def test_a_redelivery_of_what_another_process_is_at_says_so(pro):
    first = pro.accept("slack.send", HELLO, ADA, key="slack:t1")
    again = pro.accept("slack.send", HELLO, ADA, key="slack:t1")
    told = pro.start(again).result(5)
    assert told.error.code == "in_progress"
    assert told.error.run == first.run
    assert told.error.outcome is None


def test_nobody_is_told_after_half_an_hour(pro):
    accepted = pro.accept("slack.send", HELLO, ADA, reply_to="{}")
    pro.ledger.settle(accepted.run, "sent")
    pro.ledger._write(lambda db: db.execute("UPDATE runs SET owner = 'dead', at = at - 1801"))
    assert pro.ledger.untold("slack") == []
    pro.ledger._write(lambda db: db.execute("UPDATE runs SET at = at + 60"))
    assert [entry.run for entry in pro.ledger.untold("slack")] == [accepted.run]
