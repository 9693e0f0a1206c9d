"""The one door: what is accepted, sent, refused and told again."""

import pytest

from core import wording
from core.connectors import CONNECTORS
from core.engine import Engine
from core.errors import (
    Busy,
    Forbidden,
    IdempotencyMismatch,
    InvalidInput,
    NotConfigured,
    NotFound,
    QuotaSpent,
    Repeated,
)
from core.settings import Settings
from tests.support.asking import ADA, BOB, HELLO
from tests.support.engines import both, pooled_too
from tests.support.journal import charged
from tests.support.sandbox import Answer, Delay, DropAfter

pytestmark = both


@pooled_too
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


def test_a_receipt_of_the_sandbox_links_to_its_page_and_to_nothing_that_is_not_there(
    engine, sandbox
):
    created = engine.run("notion.create", {"props": {"Name": "Fix login"}}, ADA)
    rows = engine.run("sheets.append", {"range": "Sheet1!A1", "values": [["a", 3]]}, ADA)
    for settled in (created, rows):
        first, second, *notes = wording.settled(settled).splitlines()
        assert second == f"{sandbox.url}/"
        assert not any("https://" in line for line in (first, *notes))


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
        {"field": "text", "message": "is too long: at most 3,000 characters"}
    ]


def test_free_means_once_a_day_and_says_how_to_go_on(engine):
    assert engine.run("slack.send", HELLO, ADA).outcome == "sent"
    with pytest.raises(QuotaSpent) as caught:
        engine.run("slack.send", {"text": "again"}, ADA)
    body = caught.value.body()
    assert body["message"] == "Free plan: 1 slack call/day. Upgrade for unlimited."
    assert body["upgrade"] == "/pricing"
    assert body["fix"] == "An admin can lift it: levqor plan set slack:T1:UADA pro"
    assert body["resets_at"].endswith("T00:00:00+00:00")


@pooled_too
def test_a_refusal_gives_the_quota_back(engine, sandbox):
    sandbox.slack.next(Answer(404, body="no_service"))
    refused = engine.run("slack.send", HELLO, ADA)
    assert (refused.outcome, refused.error.reason) == ("refused", "webhook_gone")
    assert charged(engine.ledger) == 0
    assert engine.run("slack.send", HELLO, ADA).outcome == "sent"


@pooled_too
def test_what_may_have_arrived_is_unknown_sent_once_and_held(engine, sandbox):
    sandbox.slack.next(DropAfter())
    settled = engine.run("slack.send", HELLO, ADA)
    body = settled.body()
    assert (settled.outcome, settled.attempts, body["in_doubt"]) == ("unknown", 1, True)
    assert charged(engine.ledger) == 1
    assert len(sandbox.slack.received) == 1


@pytest.fixture
def bare(database):
    """Settings of nothing but the database."""
    return {"LEVQOR_DATABASE_URL": database} if database else {}


def test_an_unconfigured_connector_names_its_settings(home, bare):
    with Engine.open(Settings(home, environ=bare)) as engine:
        with pytest.raises(NotConfigured) as caught:
            engine.accept("slack.send", HELLO, ADA)
        assert caught.value.settings == ("SLACK_WEBHOOK_URL",)
        assert engine.ledger.runs() == []


def test_faulty_input_is_told_before_what_is_not_configured(home, bare):
    with Engine.open(Settings(home, environ=bare)) as engine, pytest.raises(InvalidInput):
        engine.accept("slack.send", {}, ADA)


def test_a_caller_that_is_not_allowed_is_refused(home, environ):
    values = {**environ, "LEVQOR_ALLOW": "slack:T1:*=email.send"}
    with Engine.open(Settings(home, environ=values)) as engine:
        with pytest.raises(Forbidden, match="slack:T1:UADA may not use"):
            engine.accept("slack.send", HELLO, ADA)
        with pytest.raises(Forbidden):
            engine.accept("email.send", HELLO, BOB)


@pooled_too
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
        "must be empty, or a target alone: a test send uses the action's own sample"
    )


def test_test_sends_are_one_a_minute_but_not_in_the_sandbox(home, environ, engine):
    engine.run("slack.send", {}, ADA, test=True)
    assert engine.run("slack.send", {}, ADA, test=True).outcome == "sent"
    engine.close()
    with Engine.open(Settings(home, environ=environ)) as real:
        with pytest.raises(Busy) as caught:
            real.run("slack.send", {}, ADA, test=True)
        assert 50 < caught.value.retry_after <= 60


def test_an_edited_settings_file_takes_effect_without_a_restart(home, environ):
    values = dict(environ)
    hook = values.pop("SLACK_WEBHOOK_URL")
    with Engine.open(Settings(home, environ=values)) as engine:
        with pytest.raises(NotConfigured):
            engine.run("slack.send", HELLO, ADA)
        assert engine.refresh() is False
        (home / ".env").write_text(f"SLACK_WEBHOOK_URL={hook}\n")
        assert engine.refresh() is True
        assert engine.run("slack.send", HELLO, ADA).outcome == "sent"


def test_settings_that_are_broken_now_leave_the_old_ones_in_force(home, environ):
    with Engine.open(Settings(home, environ=environ)) as engine:
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


@pooled_too
def test_nobody_is_told_after_half_an_hour(pro):
    accepted = pro.accept("slack.send", HELLO, ADA, reply_to="{}")
    pro.ledger.settle(accepted.run, "sent")
    pro.ledger.store.write(lambda db: db.execute("UPDATE runs SET owner = 'dead', at = at - 1801"))
    assert pro.ledger.claim_unnotified("slack") == []
    pro.ledger.store.write(lambda db: db.execute("UPDATE runs SET at = at + 60"))
    assert [entry.run for entry in pro.ledger.claim_unnotified("slack")] == [accepted.run]


def test_a_redelivery_of_what_another_process_has_ended_hears_how(pro):
    first = pro.accept("slack.send", HELLO, ADA, key="slack:t1")
    again = pro.accept("slack.send", HELLO, ADA, key="slack:t1")
    pro.ledger.settle(first.run, "refused", code="upstream_error", reason="webhook_gone")
    told = pro.start(again).result(5)
    assert (told.outcome, told.error.reason) == ("refused", "webhook_gone")


@pytest.mark.parametrize(
    ("left", "outcome", "reason"),
    [
        ({"state": "refused", "reason": "webhook_gone"}, "refused", "webhook_gone"),
        ({"state": "sent"}, "sent", None),
        # Who found it interrupted did not know that it had never begun.
        ({"state": "unknown", "reason": "interrupted"}, "not_sent", "interrupted_before"),
    ],
    ids=["refused", "sent", "interrupted"],
)
def test_a_run_that_another_process_ended_before_it_began_is_not_sent(
    pro, sandbox, left, outcome, reason
):
    accepted = pro.accept("slack.send", HELLO, ADA)
    pro.ledger.settle(accepted.run, **{"code": "upstream_error", **left})
    told = pro.start(accepted).result(10)
    assert (told.outcome, told.error and told.error.reason) == (outcome, reason)
    assert pro.ledger.run(accepted.run).state == outcome
    assert sandbox.slack.received == []


def test_a_run_that_was_deleted_before_it_began_is_not_sent(pro, sandbox):
    accepted = pro.accept("slack.send", HELLO, ADA)
    pro.ledger.store.write(lambda db: db.execute("DELETE FROM runs"))
    assert pro.start(accepted).result(10).error.reason == "interrupted_before"
    assert sandbox.slack.received == []
