"""Who calls: tokens, the loopback rule, proxies, pages in a browser."""

import json
import re
import socket

import pytest

from bot.runtime import Hook, HookAnswer
from bot.web.authentication import FORWARDING
from bot.web.settings import HttpSettings
from core.connectors import CONNECTORS
from tests.support.waiting import wait_for

MAIL = {"to": "ann@example.com", "subject": "Hello", "text": "All is well."}


def caller(web, **more):
    return web.get("/api/usage/summary", **more).json().get("caller")


def test_a_loopback_caller_without_a_token_is_its_address(serve):
    web = serve()
    assert caller(web) == "http:127.0.0.1"
    assert caller(web, headers={"Host": "localhost"}) == "http:127.0.0.1"
    assert caller(web, headers={"Host": "[::1]:8787"}) == "http:127.0.0.1"


@pytest.mark.parametrize("host", ["levqor.example.com", "127.0.0.1.example.com", "10.0.0.1", ""])
def test_a_foreign_host_needs_a_token(serve, host):
    web = serve()
    reply = web.post("/actions/email.send", MAIL, headers={"Host": host})
    assert reply.status == 401
    assert reply.json()["reason"] == "token_needed"
    assert reply.headers["www-authenticate"].startswith("Bearer")
    token = web.bot.engine.ledger.token_new("ops")
    assert web.post("/actions/email.send", MAIL, headers={"Host": host}, token=token).status == 200


@pytest.mark.parametrize("begin", ["http://", "HTTP://", "https://"])
def test_a_whole_address_is_taken_for_the_path_in_it(serve, begin):
    web = serve()
    health = web.get(f"{begin}{web.web.address}/actions/health?live=0").json()
    assert health["total"] == len(CONNECTORS)
    assert b"levqor open" in web.get(f"{begin}{web.web.address}").body
    assert web.post(f"{begin}{web.web.address}/actions/email.send", MAIL).status == 200


@pytest.mark.parametrize(
    ("named", "host"),
    [
        ("levqor.example.com", "levqor.example.com"),
        ("levqor.example.com", "127.0.0.1"),
        ("127.0.0.1", "levqor.example.com"),
        ("me@127.0.0.1", "127.0.0.1"),
    ],
)
def test_a_whole_address_makes_no_stranger_local(serve, named, host):
    web = serve()
    path, token = f"http://{named}/actions/health", web.bot.engine.ledger.token_new("ops")
    assert web.get(path, headers={"Host": host}).json()["reason"] == "token_needed"
    assert web.get(path, headers={"Host": host}, token=token).status == 200


@pytest.mark.parametrize("name", sorted(FORWARDING))
def test_a_forwarding_header_makes_no_stranger_local(serve, name):
    web = serve()
    reply = web.get("/actions/health", headers={name.title(): "127.0.0.1"})
    assert reply.status == 401
    assert reply.json()["reason"] == "token_needed"


def test_a_peer_from_elsewhere_needs_a_token_even_with_a_local_host_header(serve):
    from bot.web.authentication import Authenticator
    from core.errors import Unauthorized

    web = serve()
    keeper = Authenticator(lambda: web.bot.settings.of(HttpSettings), None)
    with pytest.raises(Unauthorized):
        finish(keeper.authenticate("203.0.113.9", {"host": "127.0.0.1:8787"}))


def finish(coroutine):
    """Run a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


@pytest.mark.parametrize(
    "authorization",
    ["Bearer lvq_ops_x", "Bearer é", "Bearer a, b"],
)
def test_a_wrong_token_is_refused_even_locally(serve, authorization):
    reply = serve().get(
        "/actions/health", headers={"Authorization": authorization.encode("latin-1")}
    )
    assert reply.status == 401
    assert reply.json() == {
        "error": "unauthorized",
        "message": "That token is not valid.",
        "reason": "token_refused",
        "fix": "Ask whoever runs Levqor for a new one. A token works only where it was made: "
        "levqor token new must use the home that levqor-bot names at its start.",
    }


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer ", "Basic b3BzOng=", "lvq", ""])
def test_a_header_without_a_token_is_refused_even_locally_and_says_so(serve, authorization):
    """A shell whose `$LEVQOR_TOKEN` is not set sends the first two."""
    reply = serve().get("/actions/health", headers={"Authorization": authorization})
    assert reply.status == 401
    assert reply.json() == {
        "error": "unauthorized",
        "message": "The Authorization header holds no Bearer token.",
        "reason": "token_needed",
        "fix": "Send Authorization: Bearer with a token from: levqor token new LABEL",
    }


def knocks(home):
    log = home / "logs" / "connectors.log"
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


def test_who_is_turned_away_leaves_a_line_without_address_token_or_path(serve, home):
    web = serve(LEVQOR_HTTP_ANONYMOUS="1", LEVQOR_TRUSTED_PROXIES="127.0.0.1")
    stranger = {"X-Forwarded-For": "203.0.113.9", "Authorization": "Bearer canary-7"}
    assert web.post("/actions/canary-8", MAIL, headers=stranger).status == 401
    wait_for(lambda: (home / "logs" / "connectors.log").exists() and knocks(home))
    [line] = knocks(home)
    assert line.pop("ts") > 0
    assert re.fullmatch(r"[0-9a-f]{4}\*{4}", line.pop("ip"))
    assert line == {
        "run": "-", "user": "anon", "surface": "http", "connector": "-", "action": "-",
        "status": "unauthorized", "ms": 0.0, "attempts": 0, "ids_masked": True,
        "error": "token_refused",
    }  # fmt: skip


def test_who_knocks_without_end_does_not_fill_the_log(serve, home):
    """At most ten lines a minute, and one for an address and reason; a minute may turn."""
    web = serve(LEVQOR_HTTP_ANONYMOUS="1", LEVQOR_TRUSTED_PROXIES="127.0.0.1")
    for number in range(60):
        headers = {"X-Forwarded-For": f"203.0.113.{number // 2}", "Authorization": "Bearer x"}
        assert web.get("/metrics", headers=headers).status == 401
    wait_for(lambda: len(knocks(home)) >= 10)
    assert web.post("/actions/email.send", MAIL).status == 200
    wait_for(lambda: "sent" in [line["status"] for line in knocks(home)])
    told = [line for line in knocks(home) if line["status"] == "unauthorized"]
    assert 10 <= len(told) <= 20


def test_a_revoked_token_ends_at_once(serve):
    web = serve()
    token = web.bot.engine.ledger.token_new("ops")
    assert caller(web, token=token) == "http:ops"
    web.bot.engine.ledger.token_revoke("ops")
    assert web.get("/actions/health", token=token).status == 401


def test_a_stranger_learns_no_path(serve):
    web = serve()
    known = web.get("/api/runs/abcdefgh", headers={"Host": "x.example.com"})
    unknown = web.get("/nothing/here", headers={"Host": "x.example.com"})
    assert known.status == unknown.status == 401
    assert known.body == unknown.body


def test_anonymous_callers_are_counted_by_address_where_they_are_let_in(serve):
    web = serve(LEVQOR_HTTP_ANONYMOUS="1")
    assert caller(web, headers={"Host": "levqor.example.com"}) == "http:127.0.0.1"


def test_forwarded_addresses_are_believed_of_trusted_proxies_alone(serve):
    forwarded = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}
    web = serve(LEVQOR_HTTP_ANONYMOUS="1")
    assert caller(web, headers=forwarded) == "http:127.0.0.1"
    trusting = serve(LEVQOR_HTTP_ANONYMOUS="1", LEVQOR_TRUSTED_PROXIES="127.0.0.1")
    assert caller(trusting, headers=forwarded) == "http:203.0.113.9"


def test_nobody_behind_a_trusted_proxy_is_local_whatever_it_forgets_to_say(serve):
    """nginx 1.29.7 and later pass requests on with nothing that tells them from a program's."""
    web = serve(LEVQOR_TRUSTED_PROXIES="10.0.0.0/8, 127.0.0.1")
    assert web.post("/actions/email.send", MAIL).json()["reason"] == "token_needed"
    token = web.bot.engine.ledger.token_new("ops")
    assert web.post("/actions/email.send", MAIL, token=token).status == 200


def test_the_callers_own_entries_left_of_the_first_stranger_are_not_believed(serve):
    web = serve(LEVQOR_HTTP_ANONYMOUS="1", LEVQOR_TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8")
    for said, counted in (
        ("1.1.1.1, 203.0.113.9, 10.1.2.3", "http:203.0.113.9"),
        ("203.0.113.9:5060", "http:203.0.113.9"),
        ("[2001:db8:1:2::9]:443", "http:2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "http:2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "http:203.0.113.9"),
        ("unknown", "http:127.0.0.1"),
        ("203.0.113.9, nonsense", "http:127.0.0.1"),
    ):
        assert caller(web, headers={"X-Forwarded-For": said}) == counted


def test_a_form_or_plain_text_post_is_refused(serve, sandbox):
    web = serve()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        body = b'{"text": "Hello"}'
        reply = web.post("/actions/slack.send", body, headers={"Content-Type": kind})
        assert reply.status == 415
        assert reply.json()["error"] == "validation_error"
    assert sandbox.slack.received == []


def test_a_caller_who_may_not_is_refused_before_the_body_is_read(serve, sandbox):
    web = serve(LEVQOR_ALLOW="http:ops=*")
    reply = web.post("/actions/email.send", b"{broken", headers={"Content-Type": "text/plain"})
    assert reply.status == 403
    assert reply.json()["error"] == "forbidden"
    token = web.bot.engine.ledger.token_new("ops")
    assert web.post("/actions/email.send", MAIL, token=token).status == 200


def test_two_authorization_headers_are_none(serve):
    web = serve()
    token = web.bot.engine.ledger.token_new("ops")
    with socket.create_connection(web.address, timeout=5) as raw:
        raw.sendall(
            f"GET /actions/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Authorization: Bearer {token}\r\nAuthorization: Bearer x\r\n\r\n".encode()
        )
        assert raw.makefile("rb").readline().startswith(b"HTTP/1.1 401")


# Nothing in a request tells a plain TCP forward that writes `Host: 127.0.0.1`.
FORWARDED = {"Host": "127.0.0.1:8787"}


async def taken(request):
    return HookAnswer(200, b"taken")


EXPOSED = {
    "a platform's hook": {"hooks": [Hook("/chat/events", lambda _: True, taken)]},
    "an address others reach": {"at": "0.0.0.0"},
}


@pytest.mark.parametrize("how", EXPOSED)
def test_where_a_proxy_has_to_be_expected_this_machine_needs_a_token_too(serve, sandbox, how):
    web = serve(**EXPOSED[how])
    for reply in (
        web.post("/actions/email.send", MAIL, headers=FORWARDED),
        web.get("/actions/health?live=1", headers=FORWARDED),
        web.get("/metrics", headers=FORWARDED),
    ):
        assert reply.status == 401
        body = reply.json()
        assert body["reason"] == "token_needed"
        why = "a chat platform posts to this address" if "hooks" in EXPOSED[how] else "0.0.0.0:"
        assert why in body["message"]
        assert "levqor token new LABEL" in body["fix"]
        # Telegram's path is a secret of its own.
        assert "/chat" not in body["message"]
    assert sandbox.resend.received == []
    token = web.bot.engine.ledger.token_new("ops")
    assert web.post("/actions/email.send", MAIL, headers=FORWARDED, token=token).status == 200


@pytest.mark.parametrize("how", EXPOSED)
def test_whoever_runs_it_may_do_without_tokens_all_the_same(serve, how):
    web = serve(**EXPOSED[how], LEVQOR_HTTP_ANONYMOUS="1")
    assert caller(web) == "http:127.0.0.1"


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"Host": "levqor.example.com"}, "the request names another host than this machine"),
        ({"X-Forwarded-For": "203.0.113.9"}, "the request comes through a proxy"),
        ({"Via": "1.1 cache"}, "the request comes through a proxy"),
    ],
)
def test_who_is_asked_for_a_token_is_told_why(serve, headers, why):
    body = serve().get("/actions/health", headers=headers).json()
    assert body["message"] == f"Levqor needs a token here: {why}."
    assert body["fix"].startswith("Send Authorization: Bearer with a token")
