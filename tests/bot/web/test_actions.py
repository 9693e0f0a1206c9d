"""The actions over HTTP: the old service's calls, targets, runs and usage."""

import http.client
import json

import pytest

from core.callers import Caller
from core.engine import targets
from tests.support.sandbox import Answer, Delay
from tests.support.waiting import wait_for
from tests.support.web import MAIL, keyed

OLD_CALLS = [
    ("slack.send", {"text": "Hello"}, {"status": "sent"}),
    ("email.send", MAIL, {"status": "sent"}),
    ("telegram.send", {"text": "Hello"}, {"status": "sent"}),
    (
        "sheets.append",
        {"range": "Sheet1!A1", "values": [["2026-12-01", "Ada", 42]]},
        {"status": "appended", "updated": 1},
    ),
]


@pytest.mark.parametrize(("action", "body", "answer"), OLD_CALLS, ids=[c[0] for c in OLD_CALLS])
def test_a_call_of_the_old_service_is_answered_as_before_with_the_run_beside(
    web, action, body, answer
):
    reply = web.post(f"/actions/{action}", body)
    said = reply.json()
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert said == {**answer, "run": reply.headers["x-run-id"]}


def test_a_page_is_created_and_its_id_is_masked(web, sandbox):
    reply = web.post("/actions/notion.create", {"props": {"title": "Fix login"}})
    page = next(iter(sandbox.notion.pages)).replace("-", "")
    assert reply.status == 200
    assert reply.json()["status"] == "created"
    assert reply.json()["id"][:4] == page[:4]
    assert reply.json()["id"][4:8] == "****"


def test_a_test_send_takes_the_sample_and_no_quota(web, sandbox):
    tested = web.post("/actions/email.send?test=1")
    assert tested.status == 200
    assert sandbox.resend.writes[0].json["to"] == ["delivered@resend.dev"]
    assert web.post("/actions/email.send", MAIL).status == 200


def test_a_mistyped_parameter_sends_nothing(web, sandbox):
    assert web.post("/actions/email.send?tets=1", MAIL).status == 400
    assert web.post("/actions/email.send?test=yes", MAIL).status == 400
    assert sandbox.resend.received == []


def test_a_caller_who_hangs_up_does_not_end_the_run(web, sandbox, engine):
    sandbox.resend.next(Delay(0.5))
    connection = http.client.HTTPConnection(*web.address, timeout=5)
    connection.request(
        "POST", "/actions/email.send", json.dumps(MAIL), {"Content-Type": "application/json"}
    )
    wait_for(lambda: sandbox.resend.received)
    connection.close()
    wait_for(lambda: not engine.ledger.runs(1)[0].open)
    assert engine.ledger.runs(1)[0].state == "sent"


def test_a_run_is_shown_to_its_caller_and_to_admins_alone(web, engine, token):
    run = web.post("/actions/email.send", MAIL, token=token).json()["run"]
    admin = engine.ledger.token_new("boss", admin=True)
    other = engine.ledger.token_new("night")
    mine = web.get(f"/api/runs/{run}", token=token)
    assert mine.status == 200
    assert mine.json()["state"] == "sent"
    assert mine.json()["caller"] == "http:ops"
    assert mine.json()["receipt"] == {"status": "sent"}
    assert web.get(f"/api/runs/{run}", token=admin).status == 200
    assert web.get(f"/api/runs/{run}", token=other).status == 404
    assert web.get(f"/api/runs/{run}").status == 404
    assert web.get(f"/api/runs/{run[:5]}", token=token).status == 404


def test_usage_counts_by_connector_and_day_and_shows_the_callers_quota(web, sandbox):
    web.post("/actions/email.send", MAIL)
    sandbox.slack.always(Answer(404, "no_service"))
    web.post("/actions/slack.send", {"text": "x"})
    said = web.get("/api/usage/summary?days=1").json()
    rows = {row["connector"]: row for row in said["usage"]}
    quota = {row["action"]: row for row in said["quota"]}
    assert said["days"] == 1
    assert said["caller"] == "http:127.0.0.1"
    assert (rows["email"]["sent"], rows["email"]["refused"]) == (1, 0)
    assert (rows["slack"]["sent"], rows["slack"]["refused"]) == (0, 1)
    assert rows["email"]["p95_ms"] > 0
    assert (quota["email.send"]["used"], quota["email.send"]["limit"]) == (1, 1)
    assert quota["slack.send"]["used"] == 0


@pytest.mark.parametrize("days", ["0", "367", "-1", "1.5", "", "x", "%D9%A1"])
def test_days_that_are_no_number_of_days_are_refused(web, days):
    reply = web.get(f"/api/usage/summary?days={days}")
    assert reply.status == 400
    assert reply.json()["details"] == [
        {"field": "days", "message": "must be a whole number from 1 to 366"}
    ]


def test_a_head_of_an_action_runs_nothing(web, sandbox):
    reply = web.call("HEAD", "/actions/slack.send?test=1")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert sandbox.slack.received == []


def test_a_body_names_a_target_in_place_of_where_it_goes(web, engine, token, sandbox):
    where = {"to": "ann@example.com"}
    targets.add(engine, "ops", "email.send", where, None, by=Caller("cli", "root"))
    mail = {"subject": "Hello", "text": "All is well."}
    sent = web.post(
        "/actions/email.send", {"target": "ops", **mail}, token=token, headers=keyed("a")
    )
    assert (sent.status, sent.json()["status"]) == (200, "sent")
    same = web.post("/actions/email.send", MAIL, token=token, headers=keyed("a"))
    assert same.json()["run"] == sent.json()["run"]
    both = web.post("/actions/email.send", {"target": "ops", **MAIL}, token=token)
    assert (both.status, both.json()["details"][0]["field"]) == (400, "to")
    tried = web.post("/actions/email.send?test=1", {"target": "ops"}, token=token)
    assert (tried.status, tried.json()["status"]) == (200, "sent")
    assert [one.json["to"] for one in sandbox.resend.writes] == [["ann@example.com"]] * 2
    schema = web.get("/openapi.json").json()["paths"]["/actions/email.send"]["post"]
    body = schema["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["subject", "text"]
    assert [each["required"] for each in body["anyOf"]] == [["to"], ["target"]]
    assert "ops" not in str(body["properties"]["target"])
