"""What each role and each scope of a token may do over HTTP: every cell of the table."""

import json
import time

import pytest

from core.callers import Caller
from core.contract import TARGET
from core.scopes import Scope
from tests.support.engines import both
from tests.support.web import connecting, received, served

MAIL = {"to": "ann@example.com", "subject": "Hello", "text": "All is well."}
SLACK, EMAIL = "/actions/slack.send", "/actions/email.send"
HERE = "http:127.0.0.1"
BY = "cli:me"

COLUMNS = {
    "plain": ("POST", SLACK, {"text": "x"}),
    "ops": ("POST", SLACK, {"text": "x", "target": "ops"}),
    "zebra": ("POST", SLACK, {"text": "x", "target": "zebra"}),
    "channel": ("POST", SLACK, {"text": "x", "channel": "C0123456789"}),
    "both": ("POST", SLACK, {"text": "x", "channel": "C0123456789", "target": "ops"}),
    "test": ("POST", f"{SLACK}?test=1", None),
    "test-ops": ("POST", f"{SLACK}?test=1", {"target": "ops"}),
    "mail": ("POST", EMAIL, MAIL),
    "health": ("GET", "/actions/health", None),
    "live": ("GET", "/actions/health?live=1", None),
    "uptime": ("GET", "/ops/uptime", None),
    "usage": ("GET", "/api/usage/summary", None),
    "runs": ("GET", "/api/runs", None),
    "run": ("GET", "/api/runs/{theirs}", None),
    "metrics": ("GET", "/metrics", None),
    "openapi": ("GET", "/openapi.json", None),
    "open": ("POST", "/api/sign-in", None),
}
OWN = "health usage runs"
TO_SLACK = "plain ops zebra channel both test test-ops"
SENDS = f"{TO_SLACK} mail"
# A word more where everybody's runs are counted.
EVERYTHING = f"{SENDS} {OWN} live uptime metrics openapi run everybody"

# Who asks (a role without a token, else a token's scope), and all that they may.
TABLE = {
    "role none": "",
    "role viewer": f"{OWN} live uptime openapi",
    "role sender": f"{SENDS} {OWN} live uptime openapi",
    "role admin": EVERYTHING,
    "*": f"{SENDS} {OWN}",
    "slack.send": f"{TO_SLACK} {OWN}",
    "slack.send@ops": f"ops test-ops {OWN}",
    "slack.send@ops,slack.send@zebra": f"ops zebra test-ops {OWN}",
    "slack.send@ops,email.send": f"ops test-ops mail {OWN}",
    "metrics": f"metrics {OWN}",
    "usage": f"everybody {OWN}",
    "live": f"live uptime {OWN}",
    "openapi": f"openapi {OWN}",
    "open": f"open {OWN}",
    "admin": f"open {EVERYTHING}",
    "of before": f"{SENDS} {OWN} live uptime metrics openapi everybody",
    "admin of before": EVERYTHING,
    "viewer *,metrics": f"metrics {OWN}",
    "none *,metrics": "",
    "revoked": "",
    "expired": "",
}


@pytest.fixture
def web(engine):
    for name, channel in (("ops", "C0123456789"), ("zebra", "C0987654321")):
        engine.ledger.target_add(name, "slack.send", None, {"channel": channel}, by=BY)
    with served(engine) as web:
        yield web


def token_for(ledger, who):
    """A token as a row of the table names it."""
    scope = who.rpartition(" ")[2] if who.startswith(("viewer", "none")) else who
    given = not {who, scope} & {"admin", "of before", "admin of before", "revoked", "expired"}
    made = Scope.of(scope) if given else None
    ends = -1.0 if who == "expired" else None
    secret = ledger.token_new(
        "narrow", plan="pro", admin=who.startswith("admin"), scope=made, expires=ends
    )
    if who.endswith("of before"):
        ledger.store.write(lambda db: db.execute("UPDATE tokens SET scope = NULL"))
    if who == "revoked":
        ledger.token_revoke("narrow")
    if who.startswith(("viewer", "none")):
        ledger.person_set("http:narrow", by=BY, role=who.partition(" ")[0])
    return secret


@pytest.mark.parametrize("who", TABLE)
def test_a_role_and_a_scope_allow_what_the_table_says_and_nothing_else(web, engine, who):
    ledger = engine.ledger
    theirs = engine.run("telegram.send", {"text": "x"}, Caller("telegram", "42")).run
    secret = None
    if who.startswith("role"):
        ledger.person_set(HERE, by=BY, role=who.partition(" ")[2])
    else:
        secret = token_for(ledger, who)
    allowed = set()
    for name, (method, path, body) in COLUMNS.items():
        reply = web.call(method, path.format(theirs=theirs), body, token=secret)
        if reply.status not in (401, 403, 404):
            allowed.add(name)
            if name == "usage" and "telegram" in {r["connector"] for r in reply.json()["usage"]}:
                allowed.add("everybody")
            continue
        refusal = reply.json()
        assert refusal["fix"], name
        # Nothing of a destination, of a target or an action that one may not use.
        said = reply.body.decode()
        assert "C0123456789" not in said
        assert "zebra" not in said or "zebra" in who
        assert "email.send" not in said or "email.send" in who
        if who in ("revoked", "expired"):
            reason = "token_expired" if who == "expired" else "token_refused"
            assert (reply.status, refusal["reason"]) == (401, reason)
    assert allowed == set(TABLE[who].split())


def test_the_table_has_every_page_and_every_page_is_refused_to_who_may_nothing(web, engine):
    described = web.get("/openapi.json").json()["paths"]
    secret = token_for(engine.ledger, "none *,metrics")
    known = {path.partition("?")[0] for _, path, _ in COLUMNS.values()}
    for path, page in described.items():
        if page.get("get", {}).get("security") == []:
            continue
        plain = path.replace("{run}", "{theirs}")
        assert plain in known or path.startswith("/actions/"), path
        method = "GET" if "get" in page else "POST"
        reply = web.call(method, path.replace("{run}", "abcdefgh"), token=secret)
        assert (reply.status, reply.json()["reason"]) == (403, "role")
        assert reply.json()["fix"].startswith("An admin can change it: levqor people set")
    assert web.get("/no/such/page", token=secret).status == 403


@both
def test_a_narrow_token_cannot_tell_an_action_it_may_not_send_from_none(web, engine):
    secret = token_for(engine.ledger, "slack.send@ops")
    for method in ("POST", "GET", "PUT"):
        bodies = [
            web.call(method, f"/actions/{action}", token=secret).json()
            for action in ("email.send", "emall.send", "slack.sned")
        ]
        assert bodies[0]["reason"] == "scope"
        assert bodies == [bodies[0]] * 3
    usage = web.get("/api/usage/summary", token=secret).json()
    assert [quota["action"] for quota in usage["quota"]] == ["slack.send"]
    query = web.get("/api/runs?action=email.sent", token=secret)
    assert (query.status, "email.send" in query.body.decode()) == (400, False)


def test_the_description_for_a_narrow_token_has_its_actions_and_targets_alone(web, engine):
    engine.ledger.target_add("desk", "email.send", None, {"to": MAIL["to"]}, by=BY)
    secret = token_for(engine.ledger, "slack.send@ops,email.send@desk,openapi")
    said = web.get("/openapi.json", token=secret).json()["paths"]
    assert sorted(said) == [
        EMAIL, "/actions/health", SLACK, "/api/runs", "/api/runs/{run}", "/api/usage/summary",
        "/openapi.json", "/ops/live", "/ops/ready",
    ]  # fmt: skip
    content = said[SLACK]["post"]["requestBody"]["content"]["application/json"]
    assert sorted(content["schema"]["properties"]) == [TARGET, "text"]
    assert content["schema"]["properties"][TARGET]["enum"] == ["ops"]
    assert TARGET in content["schema"]["required"]
    names = {one["name"]: one["schema"] for one in said["/api/runs"]["get"]["parameters"]}
    assert names["action"]["enum"] == ["slack", "email", "slack.send", "email.send"]
    mail = said[EMAIL]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert sorted(mail["properties"]) == ["subject", TARGET, "text"]
    assert (sorted(mail["required"]), '"to"' in json.dumps(mail)) == (
        ["subject", TARGET, "text"], False,
    )  # fmt: skip
    example = content["examples"]["short"]["value"]
    assert web.post(SLACK, example, token=secret).json()["run"]
    assert "notion.create" not in json.dumps(said)
    assert "notion.create" in web.get("/openapi.json").body.decode()


def test_a_key_s_answer_outlives_a_new_secret_and_not_a_new_token(web, engine, sandbox):
    ledger, key = engine.ledger, {"Idempotency-Key": "k-1"}
    old = ledger.token_new("ci", plan="pro")
    first = web.post(EMAIL, MAIL, headers=key, token=old).json()
    new = ledger.token_rotate("ci", overlap=60.0)
    for secret in (old, new):
        assert web.post(EMAIL, MAIL, headers=key, token=secret).json() == first
    ledger.token_set("ci", scope=Scope.of("slack.send@ops"))
    narrow = web.post(EMAIL, MAIL, headers=key, token=new)
    assert (narrow.status, narrow.json()["reason"]) == (403, "scope")
    assert web.get(f"/api/runs/{first['run']}", token=new).status == 404
    assert web.get("/api/runs", token=new).json()["runs"] == []
    ledger.token_revoke("ci")
    other = ledger.token_new("ci", plan="pro")
    assert [web.get("/api/runs", token=each).status for each in (old, new)] == [401, 401]
    assert web.get(f"/api/runs/{first['run']}", token=other).status == 404
    assert web.get("/api/usage/summary", token=other).json()["usage"] == []
    again = web.post(EMAIL, {**MAIL, "subject": "Other"}, headers=key, token=other)
    assert again.status == 200
    assert again.json()["run"] != first["run"]
    assert len(sandbox.resend.writes) == 2


@pytest.mark.parametrize("change", ["revoke", "rotate", "again", "narrow", "shut out"])
def test_what_a_token_may_is_asked_again_when_its_slow_request_has_arrived(
    web, engine, sandbox, change
):
    ledger = engine.ledger
    secret = ledger.token_new("ci", plan="pro")
    body = json.dumps(MAIL).encode()
    head = f"POST {EMAIL} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    head += f"Authorization: Bearer {secret}\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    with connecting(web.address) as connect:
        raw = connect(head.encode() + body[:10])
        # It is in once its use is written down.
        until = time.monotonic() + 30
        while ledger.tokens()[0].used_at is None and time.monotonic() < until:
            time.sleep(0.02)
        if change == "rotate":
            ledger.token_rotate("ci")
        elif change == "narrow":
            ledger.token_set("ci", scope=Scope.of("slack.send"))
        elif change == "shut out":
            ledger.person_set("http:ci", by=BY, role="none")
        else:
            ledger.token_revoke("ci")
            if change == "again":
                ledger.token_new("ci", plan="pro")
        raw.sendall(body[10:])
        status = received(raw).split(b" ", 2)[1]
    assert status == (b"403" if change in ("narrow", "shut out") else b"401")
    assert sandbox.resend.received == []


@both
def test_a_token_over_its_rate_is_told_when_to_come_again(web, engine):
    secret = engine.ledger.token_new("ci", plan="pro", per_hour=2)
    key = {"Idempotency-Key": "k-1"}
    first = web.post(EMAIL, MAIL, headers=key, token=secret).json()
    assert web.post(f"{EMAIL}?test=1", token=secret).status == 200
    for path, body in ((EMAIL, MAIL), (SLACK, {"text": "x"}), (f"{SLACK}?test=1", None)):
        reply = web.post(path, body, token=secret)
        refused = reply.json()
        assert (reply.status, refused["error"]) == (429, "throttled")
        assert refused["outcome"] == "not_sent"
        assert 3500 < refused["retry_after"] <= 3600
        assert reply.headers["retry-after"] == str(refused["retry_after"])
        assert "levqor token set ci --per-hour" in refused["fix"]
    assert web.post(EMAIL, MAIL, headers=key, token=secret).json() == first
    assert web.post(EMAIL, {"to": "x"}, token=secret).status == 400
    engine.ledger.token_set("ci", per_hour=3)
    assert web.post(EMAIL, MAIL, token=secret).status == 200
    engine.ledger.token_revoke("ci")
    renewed = engine.ledger.token_new("ci", plan="pro", per_hour=1)
    assert web.post(EMAIL, MAIL, token=renewed).status == 200
