"""By which way a browser comes to the web console, and what it is shown."""

import pytest

from tests.bot.web.pages.conftest import Visitor, words

PUBLIC = "https://levqor.example.com"
PROXIED = {"Host": "levqor.example.com", "X-Forwarded-For": "192.0.2.7"}
SECURE = {**PROXIED, "X-Forwarded-Proto": "https"}

# How a browser came: its headers, LEVQOR_PUBLIC_URL and LEVQOR_TRUSTED_PROXIES; what it is shown.
WAYS = {
    "on this machine": ({}, None, "", 200),
    "by a proxy with https": (SECURE, PUBLIC, "", 200),
    "by a proxy without https": ({**PROXIED, "X-Forwarded-Proto": "http"}, PUBLIC, "", 403),
    "by a proxy that does not say": (PROXIED, PUBLIC, "", 403),
    "by a name that nobody set": (SECURE, None, "", 403),
    "by another name": ({**SECURE, "Host": "evil.example.com"}, PUBLIC, "", 403),
    "by a port that a proxy left out": (SECURE, f"{PUBLIC}:8443", "", 200),
    "by the port that https has": (SECURE, "https://Levqor.example.com:443", "", 200),
    "by a host that is none": ({**SECURE, "Host": "[::1"}, PUBLIC, "", 403),
    "by a name that was bound to here": ({"Host": "evil.example.com"}, None, "", 403),
    "through a declared proxy on this machine": ({}, None, "127.0.0.1", 403),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_the_console_is_shown_on_this_machine_and_by_https(serve, way):
    headers, public, proxies, status = WAYS[way]
    more = {"LEVQOR_PUBLIC_URL": public} if public else {}
    web = serve(LEVQOR_TRUSTED_PROXIES=proxies, **more) if proxies else serve(**more)
    visitor = Visitor(web, headers)
    said = {"Origin": public.lower().removesuffix(":443")} if public and status == 200 else {}
    code, _ = web.bot.engine.ledger.sign_in_code("cli:ann")
    reply = visitor.post(f"/sign-in/{code}", **said)
    assert reply.status == (303 if status == 200 else status)
    assert visitor.get("/").status == status
    if status == 200 and headers:
        assert visitor.cookie.startswith("__Host-levqor=")
        assert "Secure" in reply.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=Lax"} <= set(reply.headers["set-cookie"].split("; "))
    elif status == 403:
        assert "What to do" in words(reply)


@pytest.mark.parametrize("path", ["/", "/sign-in/abcdefgh", "/send/slack.send"])
def test_a_browser_elsewhere_is_not_told_where_a_broken_database_lies(serve, home, path):
    web = serve(LEVQOR_PUBLIC_URL=PUBLIC)
    near, far = Visitor(web), Visitor(web, SECURE)
    near.cookie, far.cookie = "levqor=anything", "__Host-levqor=anything"
    (home / "levqor.db").rename(home / "moved.db")
    told = {who: who.get(path) for who in (near, far)}
    (home / "moved.db").rename(home / "levqor.db")
    assert [reply.status for reply in told.values()] == [503, 503]
    assert str(home) in words(told[near])
    assert str(home) not in words(told[far])
    assert "tell whoever runs Levqor" in words(told[far])
