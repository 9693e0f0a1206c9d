"""Idempotency keys over HTTP: the same request again is the same run."""

import threading

import pytest

from tests.support.sandbox import Answer, Delay
from tests.support.waiting import wait_for
from tests.support.web import MAIL, keyed


def test_the_same_key_and_body_gives_the_first_answer_and_sends_once(web, sandbox, token):
    first = web.post("/actions/email.send", MAIL, headers=keyed("a-1"), token=token)
    again = web.post("/actions/email.send", MAIL, headers=keyed("a-1"), token=token)
    assert again.json() == first.json()
    assert again.headers["x-run-id"] == first.headers["x-run-id"]
    assert len(sandbox.resend.writes) == 1


def test_the_same_key_with_another_body_is_422(web, sandbox, token):
    first = web.post("/actions/email.send", MAIL, headers=keyed("a-1"), token=token)
    other = {**MAIL, "subject": "Another"}
    reply = web.post("/actions/email.send", other, headers=keyed("a-1"), token=token)
    assert reply.status == 422
    assert reply.json()["error"] == "idempotency_mismatch"
    assert reply.json()["run"] == first.json()["run"]
    assert len(sandbox.resend.writes) == 1


def test_the_same_key_while_the_first_run_is_out_is_409_with_its_run(web, sandbox, token):
    sandbox.resend.next(Delay(1.0))
    first = []
    thread = threading.Thread(
        target=lambda: first.append(
            web.post("/actions/email.send", MAIL, headers=keyed("a-1"), token=token)
        )
    )
    thread.start()
    wait_for(lambda: sandbox.resend.received)
    reply = web.post("/actions/email.send", MAIL, headers=keyed("a-1"), token=token)
    thread.join()
    assert reply.status == 409
    assert reply.json()["error"] == "in_progress"
    assert reply.json()["run"] == reply.headers["x-run-id"] == first[0].json()["run"]
    assert int(reply.headers["retry-after"]) >= 1
    assert len(sandbox.resend.writes) == 1


def test_a_key_is_free_again_when_nothing_was_sent(web, sandbox, token):
    sandbox.resend.always(Answer(429, json={"name": "rate_limit_exceeded", "message": "slow"}))
    refused = web.post("/actions/email.send", MAIL, headers=keyed("a-1"), token=token)
    sandbox.resend.always(None)
    again = web.post("/actions/email.send", MAIL, headers=keyed("a-1"), token=token)
    assert refused.json()["outcome"] == "not_sent"
    assert again.status == 200
    assert again.json()["run"] != refused.json()["run"]


def test_a_key_is_the_callers_own(web, sandbox, engine, token):
    other = engine.ledger.token_new("night", plan="pro")
    first = web.post("/actions/email.send", MAIL, headers=keyed("a-1"), token=token)
    second = web.post("/actions/email.send", MAIL, headers=keyed("a-1"), token=other)
    assert second.status == 200
    assert second.json()["run"] != first.json()["run"]


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\xe9", "a\tb"])
def test_a_key_that_cannot_be_one_is_refused(web, sandbox, key):
    reply = web.post("/actions/email.send", MAIL, headers=keyed(key.encode("latin-1")))
    assert reply.status == 400
    assert reply.json()["details"][0]["field"] == "Idempotency-Key"
    assert sandbox.resend.received == []
