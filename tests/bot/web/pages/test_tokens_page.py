"""Tokens in the web console: made and shown once, narrowed, rotated, revoked."""

import asyncio
import html
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.scopes import Read
from tests.bot.web.pages.conftest import words
from tests.support.console import walking

SECRET = r"lvq_[a-z0-9-]+_[\w-]{43}"


def make(ann, label, *scope, **more):
    ticked = {f"only.{word}": "yes" for word in scope or ("*",)}
    return ann.post("/tokens", {"do": "new", "label": label, **ticked, **more})


def shown(reply):
    return re.search(SECRET, reply.body.decode())[0]


def token(web, label):
    return next(each for each in web.bot.engine.ledger.tokens() if each.label == label)


def works(web, secret):
    return web.get("/actions/health", token=secret).status == 200


def test_a_new_token_is_shown_once_and_made_once_however_often_it_is_pressed(web, ann, home):
    web.bot.engine.ledger.target_add("ops", "slack.send", None, {"channel": "C1"}, by="cli:root")
    more = {"per_hour": "20", "expires": "90d", "plan": "pro"}
    scope = ("slack.send@ops", "email.send", "metrics")
    reply = make(ann, "ci", *scope, **more)
    secret = shown(reply)
    assert (reply.status, reply.headers["cache-control"]) == (200, "no-store")
    assert "set-cookie" not in reply.headers
    assert "It sends slack.send to ops, email.send; reads metrics, as http:ci" in words(reply)
    assert works(web, secret)
    made = token(web, "ci")
    assert (set(made.scope.split(",")), made.per_hour, made.plan) == ({*scope}, 20, "pro")
    assert 89 * 86400 < made.expires_at - made.created_at <= 90 * 86400
    again = make(ann, "ci", *scope, **more)
    assert again.status == 400
    assert "There is a token 'ci' already." in words(again)
    assert len(web.bot.engine.ledger.tokens()) == 1
    for path in ("/tokens", "/tokens/ci", "/audit", "/people/http:ci"):
        assert not re.search(SECRET, ann.get(path).body.decode()), path
    assert not any(secret.encode() in file.read_bytes() for file in home.rglob("levqor.db*"))


# What is typed, and what the page says of it.
REFUSED = {
    "a label that is none": ({"label": "Nightly build"}, "small letters, digits and dashes"),
    "nothing to do": ({"only.*": None}, "names nothing: choose from"),
    "a target that is gone": ({"only.*": None, "only.slack.send@ops": "yes"}, "has no target ops"),
    "one within another": ({"only.slack.send": "yes"}, "is allowed by * already"),
    "an admin's that is narrow": (
        {"only.*": None, "only.metrics": "yes", "admin": "yes"}, "which may do everything",
    ),
    "no number": ({"per_hour": "many"}, "must be a whole number from 1 to 100000"),
    "no time": ({"expires": "soon"}, "must be a time such as 90d, 12h or 30m"),
}  # fmt: skip


def test_a_refusal_stands_beside_its_field_and_makes_no_token(web, ann):
    for what, (typed, why) in REFUSED.items():
        form = {"do": "new", "label": "nightly", "only.*": "yes", **typed}
        reply = ann.post("/tokens", {name: it for name, it in form.items() if it is not None})
        page = html.unescape(reply.body.decode())
        assert reply.status == 400, what
        assert re.search(rf'<b class="bad">[^<]*{re.escape(why)}', page), what
        assert page.count('aria-invalid="true"') == 1, what
        assert f'value="{form["label"]}"' in page, what
        for name, value in form.items():
            if name.startswith("only."):
                assert (f'name="{name}" value="yes" checked' in page) == bool(value), what
    assert web.bot.engine.ledger.tokens() == []


def test_an_admins_token_takes_no_scope_and_reads_everything(web, ann):
    secret = shown(make(ann, "boss", admin="yes"))
    assert web.get("/metrics", token=secret).status == 200
    assert "may do everything" in ann.read("/tokens/boss")


def test_only_what_was_changed_of_a_token_is_changed(web, ann):
    secret, ledger = shown(make(ann, "ci", "*")), web.bot.engine.ledger
    page = html.unescape(ann.get("/tokens/ci").body.decode())
    assert 'name="was_only" value="*"' in page
    as_shown = {"do": "set", "was_only": "*", "was_per_hour": "", "per_hour": "", "expires": ""}
    before = len(ledger.audit())
    ann.post("/tokens/ci", {**as_shown, "only.*": "yes"})
    assert len(ledger.audit()) == before
    read = {f"only.{word}": "yes" for word in Read}
    ann.post("/tokens/ci", {**as_shown, **read, "per_hour": "5", "expires": "12h"})
    now = token(web, "ci")
    assert (set(now.scope.split(",")), now.per_hour) == ({*Read}, 5)
    assert now.expires_at
    assert ledger.audit(1)[0].who == "cli:ann"
    assert works(web, secret)
    ann.post("/tokens/ci", {"do": "set", "was_per_hour": "5", "per_hour": "", "expires": "never"})
    now = token(web, "ci")
    assert (now.per_hour, now.expires_at, set(now.scope.split(","))) == (None, None, {*Read})


def test_a_form_gives_one_new_secret_also_when_it_is_pressed_twice_at_once(web, ann):
    first = shown(make(ann, "ci"))
    page = ann.get("/tokens/ci").body.decode()
    form = {"do": "rotate", "secret": re.search(r'name="secret" value="([^"]+)"', page)[1]}
    form["overlap"] = "10m"
    with ThreadPoolExecutor(4) as pool:
        replies = [*pool.map(lambda _: ann.post("/tokens/ci", form), range(4))]
    made = [shown(reply) for reply in replies if reply.status == 200]
    refused = [words(reply) for reply in replies if reply.status == 400]
    assert (len(made), len(refused)) == (1, 3)
    assert all("has a new secret already" in each for each in refused)
    assert works(web, first)
    assert works(web, made[0])
    for overlap in ("later", ""):
        reply = ann.post("/tokens/ci", {**form, "overlap": overlap})
        assert "must be a time such as 90d" in words(reply)


def test_a_token_is_revoked_after_a_question(web, ann):
    secret = shown(make(ann, "ci"))
    assert "Revoke ci?" in words(ann.get("/tokens/ci?confirm=revoke"))
    assert works(web, secret)
    gone = ann.post("/tokens/ci", {"do": "revoke"})
    assert gone.headers["location"] == "/tokens/ci?done=revoke"
    assert not works(web, secret)
    assert "Revoked: it does not work any more." in ann.read("/tokens/ci?done=revoke")
    assert ann.post("/tokens/ci", {"do": "revoke"}).status == 404
    assert '<form method="post" class' not in ann.get("/tokens/ci").body.decode()
    assert ann.get("/tokens/nobody").status == 404


def test_who_may_not_send_is_said_beside_the_new_secret(web, ann):
    web.bot.engine.ledger.person_set("http:ci", by="cli:root", role="viewer")
    told = words(make(ann, "ci"))
    assert "It may not send: http:ci has the role viewer." in told


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here: make system")
def test_going_back_to_a_new_token_shows_nothing_of_it(web, tmp_path):
    async def walk():
        async with walking(web, tmp_path / "profile") as ann:
            await ann.sign_in("cli:ann")
            await ann.visit("/tokens")
            await ann.write("label", "ci")
            await ann.click("form.card button.first")
            made = await ann.words()
            await ann.click("main a")
            await ann.page.value("setTimeout(() => history.back())")
            await ann.page.loaded()
            return made, await ann.page.value("document.documentElement.outerHTML")

    made, back = asyncio.run(walk())
    assert re.search(SECRET, made)
    assert not re.search(SECRET, back)
    assert len(web.bot.engine.ledger.tokens()) == 1
