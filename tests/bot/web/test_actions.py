"""The actions over HTTP: the old service's calls, keys, runs, usage and metrics."""

import http.client
import json
import threading

import pytest

from core.callers import Caller
from core.connectors import CONNECTORS
from core.engine import targets
from core.scopes import Scope
from tests.support.cli import levqor
from tests.support.sandbox import Answer, Delay
from tests.support.waiting import wait_for
from tests.support.web import served

MAIL = {"to": "ann@example.com", "subject": "Hello", "text": "All is well."}


@pytest.fixture
def web(engine):
    with served(engine) as web:
        yield web


@pytest.fixture
def token(engine):
    return engine.ledger.token_new("ops", plan="pro")


@pytest.fixture
def prometheus(engine):
    return engine.ledger.token_new("prometheus", scope=Scope.of("metrics,live,openapi"))


def keyed(key):
    return {"Idempotency-Key": key}


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


def test_health_has_the_old_services_shape(web):
    assert web.get("/actions/health").json() == {
        "status": "ok",
        "connectors": {connector.name: True for connector in CONNECTORS},
        "configured": len(CONNECTORS),
        "total": len(CONNECTORS),
    }


@pytest.mark.parametrize("path", ["/actions/health", "/ops/uptime", "/metrics", "/openapi.json"])
def test_a_health_checkers_head_is_answered_as_a_get_without_a_body(web, path, prometheus):
    got, head = web.get(path, token=prometheus), web.call("HEAD", path, token=prometheus)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-type"] == got.headers["content-type"]
    assert int(head.headers["content-length"]) > 0


def test_a_head_of_an_action_runs_nothing(web, sandbox):
    reply = web.call("HEAD", "/actions/slack.send?test=1")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert sandbox.slack.received == []


def test_live_health_probes_once_however_many_ask(web, sandbox):
    sandbox.resend.next(Delay(0.3))
    replies = []
    threads = [
        threading.Thread(target=lambda: replies.append(web.get("/actions/health?live=1")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    later = web.get("/actions/health?live=1").json()
    assert [reply.status for reply in replies] == [200] * 8
    assert later["detail"]["email"]["verdict"] == "ok"
    assert set(later["inbound"]) == {"http"}
    assert len(sandbox.resend.calls("domains.list")) == 1


def test_uptime_tells_version_and_ways_in(web):
    said = web.get("/ops/uptime").json()
    assert said["status"] == "ok"
    assert said["version"] == "0.1.0"
    assert said["uptime_seconds"] >= 0
    assert said["inbound"]["http"]["ok"] is True


def test_metrics_count_runs_refusals_queues_and_verdicts(web, prometheus):
    web.post("/actions/email.send", MAIL)
    web.post("/actions/email.send", MAIL)
    web.get("/actions/health?live=1")
    reply = web.get("/metrics", token=prometheus)
    lines = reply.body.decode().splitlines()
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    sent = 'levqor_runs_total{action="email.send",outcome="sent",surface="http"} 1.0'
    assert sent in lines
    assert 'levqor_quota_refusals_total{action="email.send",surface="http"} 1.0' in lines
    assert 'levqor_run_seconds_count{action="email.send"} 1.0' in lines
    assert 'levqor_queue_depth{connector="email"} 0.0' in lines
    assert 'levqor_probe_verdict{connector="email",verdict="ok"} 1.0' in lines
    assert 'levqor_inbound_up{surface="http"} 1.0' in lines
    assert 'levqor_http_answers_total{status="200"} 2.0' in lines
    assert 'levqor_http_answers_total{status="402"} 1.0' in lines


def test_metrics_count_the_terminal_s_runs_too_and_survive_a_restart(
    engine, home, sandbox, prometheus
):
    with served(engine) as web:
        web.post("/actions/email.send", MAIL)
    sent = levqor("--home", home, "run", "slack.send", "hi", env=sandbox.settings())
    assert sent.status == 0, sent.err
    with served(engine) as web:
        lines = web.get("/metrics", token=prometheus).body.decode().splitlines()
    assert 'levqor_runs_total{action="email.send",outcome="sent",surface="http"} 1.0' in lines
    assert 'levqor_runs_total{action="slack.send",outcome="sent",surface="cli"} 1.0' in lines


def test_metrics_speak_openmetrics_where_it_is_asked_for(web, prometheus):
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    reply = web.get("/metrics", headers=accept, token=prometheus)
    assert reply.headers["content-type"].startswith("application/openmetrics-text")
    assert reply.body.endswith(b"# EOF\n")


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
