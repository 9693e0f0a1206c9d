"""What web pages may do: look where they are allowed to, and start nothing of themselves."""

import pytest

from core.scopes import Scope

MAIL = {"to": "ann@example.com", "subject": "Hello", "text": "All is well."}
PAGE = "https://team.example.com"
LIVE = "/actions/health?live=1"


def test_a_page_from_elsewhere_is_refused(serve):
    web = serve(ALLOWED_ORIGINS=PAGE)
    for origin in ("https://evil.example.com", "null", PAGE + ".evil.com", ""):
        reply = web.post("/actions/email.send", MAIL, headers={"Origin": origin})
        assert reply.status == 403
        assert reply.json()["reason"] == "foreign_origin"
        assert "access-control-allow-origin" not in reply.headers


def browser(site, mode="no-cors", dest="image", **more):
    """What a browser says of a request by itself; no page can change it."""
    said = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
    return {**said, **{name.replace("_", "-"): value for name, value in more.items()}}


LINK = ("navigate", "document")
# Who asks, what a look is answered, and whether a live check may be started.
ASKING = {
    "a program": ({}, 200, True),
    "an address that was typed": (browser("none", *LINK), 200, True),
    "an allowed page": (browser("cross-site", "cors", "empty", Origin=PAGE), 200, True),
    "a picture elsewhere": (browser("cross-site"), 403, False),
    "a script elsewhere": (browser("cross-site", dest="script"), 403, False),
    "a picture on another port": (browser("same-site"), 403, False),
    "an allowed page's picture": (browser("cross-site", Referer=PAGE), 403, False),
    "a frame elsewhere": (browser("cross-site", "navigate", "iframe"), 403, False),
    "a page elsewhere": (browser("cross-site", "cors", "empty", Origin="https://a.b"), 403, False),
    "a sandboxed frame": (browser("cross-site", "cors", "empty", Origin="null"), 403, False),
    "a word nobody knows": (browser("cross-site, none"), 403, False),
    "a link elsewhere": (browser("cross-site", *LINK), 200, False),
    "a link on another port": (browser("same-site", *LINK), 200, False),
    "a page whose name was bound to here": (browser("same-origin", "cors", "empty"), 200, False),
    "an address fetched ahead": (browser("none", *LINK, Sec_Purpose="prefetch"), 200, False),
}


@pytest.mark.parametrize("anonymous", ["0", "1"])
@pytest.mark.parametrize("with_token", [False, True])
@pytest.mark.parametrize("who", ASKING)
def test_a_page_starts_no_live_check(serve, sandbox, who, with_token, anonymous):
    headers, status, starts = ASKING[who]
    web = serve(ALLOWED_ORIGINS=PAGE, LEVQOR_HTTP_ANONYMOUS=anonymous)
    ledger = web.bot.engine.ledger
    token = ledger.token_new("ops", scope=Scope.of("live")) if with_token else None
    assert web.get("/actions/health", headers=headers, token=token).status == status
    assert web.get("/api/usage/summary", headers=headers, token=token).status == status
    for method in ("HEAD", "GET"):
        reply = web.call(method, LIVE, headers=headers, token=token)
        assert reply.status == (200 if starts else 403)
        assert bool(probed(sandbox)) == starts
    if not starts:
        assert reply.json()["reason"] == "foreign_origin"
        assert reply.json()["fix"]


def probed(sandbox):
    """What a live check asks of the services."""
    return [one for service in sandbox.services for one in service.received]


@pytest.mark.parametrize("who", [who for who, (_, status, _) in ASKING.items() if status == 403])
def test_a_page_sends_nothing_whatever_it_posts(serve, sandbox, who):
    web = serve(ALLOWED_ORIGINS=PAGE, LEVQOR_HTTP_ANONYMOUS="1")
    headers = ASKING[who][0]
    assert web.post("/actions/email.send", MAIL, headers=headers).status == 403
    assert web.post("/actions/email.send?test=1", headers=headers).status == 403
    assert sandbox.resend.received == []


def test_a_form_that_a_page_sends_by_itself_is_refused(serve, sandbox):
    """Not even one that the browser takes for a link that was followed."""
    form = browser("cross-site", *LINK)
    assert serve().post("/actions/slack.send?test=1", headers=form).status == 403
    assert sandbox.slack.received == []


def test_an_allowed_page_may_ask_and_read(serve):
    web = serve(ALLOWED_ORIGINS=PAGE)
    asked = web.call(
        "OPTIONS",
        "/actions/email.send",
        headers={"Origin": PAGE, "Access-Control-Request-Method": "POST"},
    )
    assert asked.status == 204
    assert asked.headers["access-control-allow-origin"] == PAGE
    assert "Idempotency-Key" in asked.headers["access-control-allow-headers"]
    reply = web.post("/actions/email.send", MAIL, headers={"Origin": PAGE})
    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] == PAGE
    assert "X-Run-Id" in reply.headers["access-control-expose-headers"]
    assert reply.headers["vary"] == "Origin"


def test_an_error_can_be_read_by_an_allowed_page(serve):
    reply = serve(ALLOWED_ORIGINS=PAGE).get("/nothing", headers={"Origin": PAGE})
    assert reply.status == 404
    assert reply.headers["access-control-allow-origin"] == PAGE


def test_a_preflight_from_elsewhere_is_refused(serve):
    reply = serve().call(
        "OPTIONS",
        "/actions/email.send",
        headers={"Origin": PAGE, "Access-Control-Request-Method": "POST"},
    )
    assert reply.status == 403
