"""The session of whoever a token signed in: what the token may, as long as it is valid."""

import datetime as dt
import time

import pytest

from core.callers import Caller
from core.scopes import Scope
from tests.bot.web.pages.conftest import Visitor, words
from tests.support.engines import both

LINK = "/api/sign-in"


def visit(web, secret):
    """Sign in by the link that a token asks for."""
    reply = web.post(LINK, token=secret)
    assert reply.status == 200, reply.body
    visitor = Visitor(web)
    path = reply.json()["link"].removeprefix(web.url)
    assert visitor.post(path).status == 303
    return visitor


@both
def test_a_token_s_link_signs_in_who_uses_it_as_that_token(web):
    secret = web.bot.engine.ledger.token_new("tray", scope=Scope.of("slack.send,open,live"))
    reply = web.post(LINK, token=secret)
    made = reply.json()
    assert reply.headers["cache-control"] == "no-store"
    assert (made["caller"], made["link"].partition("/sign-in/")[0]) == ("http:tray", web.url)
    left = dt.datetime.fromisoformat(made["expires_at"]).timestamp() - time.time()
    assert 580 < left <= 600
    onward = web.post(f"{LINK}?page=/runs", token=secret).json()["link"]
    assert onward.endswith("?to=/runs")
    assert web.post(f"{LINK}?page=//evil.example", token=secret).status == 400
    tray = visit(web, secret)
    assert "http:tray · sender" in tray.read("/")
    assert tray.get("/send/slack.send").status == 200
    assert tray.get("/send/email.send").status == 404
    assert tray.get("/services/slack").status == 403


def test_a_session_sees_of_runs_and_checks_what_its_token_does(web):
    engine = web.bot.engine
    anns = engine.run("slack.send", {"text": "hello"}, Caller("cli", "ann")).run
    tray = visit(web, engine.ledger.token_new("tray", scope=Scope.of("open")))
    overview = tray.read("/")
    assert "its scope needs the word live" in overview
    assert "Notion" not in overview
    assert tray.post("/check").status == 403
    assert anns not in tray.read("/runs")
    assert tray.get(f"/runs/{anns}").status == 404
    assert tray.read("/send").endswith("An admin can change that.")


def test_an_admin_s_token_sees_everybody_s_runs(web):
    engine = web.bot.engine
    anns = engine.run("slack.send", {"text": "hello"}, Caller("cli", "ann")).run
    assert anns in visit(web, engine.ledger.token_new("boss", admin=True)).read("/runs")


def revoke(ledger):
    ledger.token_revoke("tray")


def renew(ledger):
    ledger.token_revoke("tray")
    ledger.token_new("tray", scope=Scope.of("*,open,live"))


def rotate(ledger):
    ledger.token_rotate("tray")


def expire(ledger):
    ledger.token_set("tray", expires=-1.0)


def narrow(ledger):
    ledger.token_set("tray", scope=Scope.of("*,live"))


def shut_out(ledger):
    ledger.person_set("http:tray", by="cli:me", role="none")


# What happens to a token, and what its session and a link of it that nobody used answer then.
ENDS = {
    revoke: (401, 404), renew: (401, 404), rotate: (401, 404), expire: (401, 303),
    narrow: (403, 303), shut_out: (403, 303),
}  # fmt: skip


@both
@pytest.mark.parametrize("change", ENDS)
def test_a_session_ends_with_its_token(web, sandbox, change):
    ledger = web.bot.engine.ledger
    secret = ledger.token_new("tray", plan="pro", scope=Scope.of("*,open,live"))
    tray = visit(web, secret)
    link = web.post(LINK, token=secret).json()["link"].removeprefix(web.url)
    form = {"nonce": "n", "step": "send", "text": "hello"}
    change(ledger)
    status, unused = ENDS[change]
    assert [tray.get("/runs").status, tray.post("/send/slack.send", form).status] == [status] * 2
    other = Visitor(web)
    assert other.post(link).status == unused
    assert other.get("/").status == status
    assert sandbox.slack.received == []


def test_a_token_that_is_replaced_gets_no_link_and_its_session_ends_with_it(web):
    ledger = web.bot.engine.ledger
    old = ledger.token_new("tray", scope=Scope.of("open"))
    tray = visit(web, old)
    new = ledger.token_rotate("tray", overlap=60.0)
    (session,) = ledger.sessions()
    assert 0 < session.expires_at - time.time() <= 60
    assert tray.get("/").status == 200
    refused = web.post(LINK, token=old)
    assert (refused.status, "Use the newer one" in refused.json()["fix"]) == (403, True)
    assert "http:tray" in visit(web, new).read("/")


def test_the_rate_of_a_token_holds_on_its_pages(web, sandbox):
    secret = web.bot.engine.ledger.token_new(
        "tray", plan="pro", per_hour=1, scope=Scope.of("slack.send,open")
    )
    tray = visit(web, secret)
    for text in ("one", "two"):
        form = {"nonce": text, "step": "send", "text": text}
        reply = tray.post("/send/slack.send", form)
    assert "levqor token set tray --per-hour" in words(reply)
    assert len(sandbox.slack.received) == 1


def test_who_comes_without_a_token_gets_no_link(web):
    ledger = web.bot.engine.ledger
    ledger.person_set("http:127.0.0.1", by="cli:me", role="admin")
    refused = web.post(LINK)
    assert refused.status == 403
    assert "levqor open" in refused.json()["fix"]


def test_a_link_leads_where_the_console_is_shown_or_there_is_none(serve):
    web = serve(LEVQOR_PUBLIC_URL="https://levqor.example.com")
    secret = web.bot.engine.ledger.token_new("tray", scope=Scope.of("open"))
    through = {"Host": "levqor.example.com", "X-Forwarded-For": "192.0.2.7"}
    plain = web.post(LINK, token=secret, headers=through)
    assert (plain.status, plain.json()["reason"]) == (403, "console_not_secure")
    reply = web.post(LINK, token=secret, headers={**through, "X-Forwarded-Proto": "https"})
    assert reply.json()["link"].startswith("https://levqor.example.com/sign-in/")
