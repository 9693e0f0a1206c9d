"""The table of errors, each row over HTTP; and none of them tells a secret."""

import contextlib
import json
import sqlite3

import pytest

from core.engine import Engine
from core.settings import Settings
from tests.support.sandbox import Answer, DropAfter, DropBefore
from tests.support.web import served

MAIL = {"to": "ann@example.com", "subject": "Hello", "text": "All is well."}
FLAT = {
    "error", "message", "reason", "fix", "details", "run", "outcome", "in_doubt", "retry_after",
    "upgrade", "resets_at",
}  # fmt: skip


@pytest.fixture
def web(engine):
    with served(engine) as web:
        yield web


def said(reply, status, code):
    body = reply.json()
    assert reply.status == status
    assert body["error"] == code
    assert set(body) <= FLAT
    assert body["message"][-1] in ".?"
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers.get("x-run-id") == body.get("run")
    if "retry_after" in body:
        assert reply.headers["retry-after"] == str(body["retry_after"])
    return body


def test_unauthorized_is_401(web):
    said(web.get("/actions/health", token="lvq_nobody_x"), 401, "unauthorized")


def test_forbidden_is_403(web):
    reply = web.get("/actions/health", headers={"Origin": "https://evil.example.com"})
    said(reply, 403, "forbidden")


def test_an_unknown_action_is_404_with_the_nearest(web):
    body = said(web.post("/actions/email.sned", MAIL), 404, "not_found")
    assert body["fix"] == "Did you mean email.send?"


@pytest.mark.parametrize("path", ["/api", "/actions", "/actions/", "/actions/health/", "/x/../y"])
def test_an_unknown_page_is_404(web, path):
    assert "fix" in said(web.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("//actions/slack.send", "/actions/slack.send"),
        ("/actions//slack.send", "/actions/slack.send"),
        ("/actions/slack.send/", "/actions/slack.send"),
        ("//metrics", "/metrics"),
        ("/metrics//", "/metrics"),
    ],
)
def test_a_slash_too_many_is_404_with_the_address_that_was_meant(web, sandbox, path, meant):
    body = said(web.post(path, {"text": "Hello"}), 404, "not_found")
    assert body["fix"] == f"Did you mean {meant}?"
    assert sandbox.slack.received == []


def test_a_browser_that_looks_for_no_page_gets_one_in_words_and_the_api_stays_json(web):
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    reply = web.get("/nowhere", headers=browser)
    assert reply.status == 401
    assert reply.headers["content-type"].startswith("text/html")
    assert b"levqor open" in reply.body
    said(web.get("/actions/nowhere", headers=browser), 404, "not_found")
    assert web.get("/openapi.json", headers=browser).status == 200
    said(web.post("/nowhere", headers=browser), 404, "not_found")


def test_an_answer_ends_its_line_for_who_reads_it_in_a_terminal(web):
    assert web.get("/actions/health").body.endswith(b"}\n")
    assert web.get("/api").body.endswith(b"}\n")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/actions/email.send", "POST"),
        ("PUT", "/actions/email.send", "POST"),
        ("OPTIONS", "/actions/email.send", "POST"),
        ("POST", "/actions/health", "GET, HEAD"),
        ("DELETE", "/api/runs/abcdefgh", "GET, HEAD"),
        ("BREW", "/openapi.json", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_405_with_the_right_one(web, method, path, allow):
    reply = web.call(method, path)
    body = said(reply, 405, "method_not_allowed")
    assert reply.headers["allow"] == allow
    assert body["fix"] == f"Use {allow.replace(', ', ' or ')}."


def test_broken_input_is_400_with_every_fault(web):
    body = said(web.post("/actions/email.send", {"to": "x"}), 400, "validation_error")
    assert [one["field"] for one in body["details"]] == ["to", "subject", "text"]


def test_a_used_up_plan_is_402_as_the_old_service_said_it(web):
    web.post("/actions/email.send", MAIL)
    body = said(web.post("/actions/email.send", MAIL), 402, "rate_limited")
    assert body["message"] == "Free plan: 1 email call/day. Upgrade for unlimited."
    assert body["upgrade"] == "/pricing"
    assert body["resets_at"].endswith("T00:00:00+00:00")
    assert body["fix"] == "Ask an admin for a token, made with: levqor token new LABEL"


def test_a_refusal_of_the_upstream_is_500_and_gives_the_quota_back(web, sandbox):
    sandbox.slack.next(Answer(404, "no_service"))
    body = said(web.post("/actions/slack.send", {"text": "x"}), 500, "upstream_error")
    assert body["outcome"] == "refused"
    assert body["reason"]
    assert body["fix"]
    assert web.post("/actions/slack.send", {"text": "x"}).status == 200


def test_what_surely_did_not_arrive_is_500_not_sent(web, sandbox):
    sandbox.slack.always(Answer(429, "rate_limited", headers={"Retry-After": "60"}))
    body = said(web.post("/actions/slack.send", {"text": "x"}), 500, "upstream_error")
    assert body["outcome"] == "not_sent"
    assert body["retry_after"] == 60
    assert "in_doubt" not in body


def test_what_may_have_arrived_is_500_in_doubt(web, sandbox):
    sandbox.slack.next(DropAfter())
    body = said(web.post("/actions/slack.send", {"text": "x"}), 500, "upstream_error")
    assert body["outcome"] == "unknown"
    assert body["in_doubt"] is True
    assert len(sandbox.slack.received) == 1


def test_a_connector_that_is_not_set_up_is_503_and_names_the_settings(home):
    with Engine.open(Settings(home, environ={})) as engine, served(engine) as web:
        body = said(web.post("/actions/email.send", MAIL), 503, "not_configured")
    assert body["reason"] == "not_configured"
    assert "RESEND_API_KEY" in body["message"]
    assert "resend.com" in body["fix"]


def test_a_ledger_that_cannot_be_used_is_503_and_names_the_file(web, home):
    with contextlib.closing(sqlite3.connect(home / "levqor.db")) as other:
        other.execute("ALTER TABLE runs RENAME TO gone")
    body = said(web.post("/actions/email.send", MAIL), 503, "ledger_error")
    assert "levqor.db" in body["message"]


def test_a_stopping_levqor_is_busy_and_takes_nothing_new(web, sandbox):
    web.bot.ended.get_loop().call_soon_threadsafe(web.bot.end)
    body = said(web.post("/actions/email.send", MAIL), 503, "busy")
    assert body["message"] == "Levqor is stopping; nothing was sent."
    assert sandbox.resend.received == []


def test_no_error_metric_or_description_holds_a_secret_or_a_word_of_the_payload(web, sandbox):
    """Every secret setting and a marked payload, through every kind of answer."""
    canary = "canary-5d1e8c"
    mail = {"to": f"{canary}@example.com", "subject": canary, "text": canary}
    token = web.bot.engine.ledger.token_new("ops", plan="pro", admin=True)
    secrets = [*web.bot.settings.secrets(), token, token.removeprefix("lvq_ops_")]
    echo = Answer(400, json={"message": f"{canary} {' '.join(secrets)}", "name": canary})
    seen = []
    for script in (None, echo, Answer(500, canary), DropBefore(), DropAfter()):
        for service in sandbox.services:
            service.always(script)
        for path, body in (
            ("email.send", mail),
            ("email.send", {**mail, "cc": canary}),
            ("email.send", f'{{"to": "{canary}'.encode()),
            ("slack.send", {"text": canary, "channel": canary}),
            ("telegram.send", {"text": canary, "chat_id": f"@{canary.replace('-', '')}"}),
            ("notion.create", {"props": {"title": canary}}),
            ("sheets.append", {"values": [[canary]]}),
        ):
            reply = web.post(f"/actions/{path}", body, token=token)
            seen.append(json.dumps(dict(reply.headers)).encode() + reply.body)
    pages = ("metrics", "openapi.json", "ops/uptime", "api/usage/summary", "actions/health?live=1")
    seen += [web.get(f"/{page}", token=token).body for page in pages]
    log = (web.bot.settings.home / "logs" / "connectors.log").read_bytes()
    for text in (*seen, log):
        for secret in (canary, canary.replace("-", ""), *secrets):
            assert secret.encode() not in text
