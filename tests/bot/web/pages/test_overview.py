"""The overview: checks of one service, how to fix, interfaces, bots, runs that are unknown."""

import asyncio
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.web.pages.fixes import Fixes
from core.connectors import CONNECTORS
from core.engine import Engine
from core.health import HealthChecker
from core.scopes import Scope
from core.settings import Settings
from tests.bot.web.pages.conftest import Visitor, words
from tests.support.engines import shared
from tests.support.journal import finish
from tests.support.web import served

# How to fix something, and its steps with [links] and `values`.
APP = "Open your app at api.slack.com/apps, add the scope chat:write and reinstall it."
MENDS = "Invite the app to the channel, or make a webhook and put it in SLACK_WEBHOOK_URL."
STEPS = [
    (APP, ["Open your app at [api.slack.com/apps].", "Add the scope `chat:write`.",
           "Reinstall it."]),
    ("Make a key at resend.com/api-keys and put it in RESEND_API_KEY__ACME.",
     ["Make a key at [resend.com/api-keys].", "Put it in `RESEND_API_KEY__ACME`."]),
    ("Wait a minute. Then send it again.", ["Wait a minute.", "Then send it again."]),
    ("Start it with: levqor-bot", ["Start it with: `levqor-bot`"]),
    ("Run levqor doctor to check it, then try again.",
     ["Run `levqor doctor` to check it.", "Try again."]),
    ("See the disk; 'levqor doctor' says more.", ["See the disk; `levqor doctor` says more."]),
    ("The same went out as run abcdefghjk.", ["The same went out as run <abcdefghjk>."]),
    # Another way is no step, nor is a condition.
    (MENDS, [MENDS.replace("SLACK_WEBHOOK_URL", "`SLACK_WEBHOOK_URL`")]),
    ("Look in the channel before you send it again.", None),
    # What a service, a person or a setting named is no link.
    ("Open evil.example.com/api-keys or api.slack.com.evil.com/apps now.", None),
    ("Open api.slack.com/apps/../../evil.com now.", None),
    ("Open https://api.slack.com/apps now.", None),
]  # fmt: skip


@pytest.mark.parametrize(("fix", "steps"), STEPS)
def test_how_to_fix_is_steps_with_our_links_and_values(fix, steps):
    marks = {"": "{}", "address": "[{}]", "value": "`{}`", "run": "<{}>"}
    shown = [
        "".join(marks[piece.kind].format(piece.text) for piece in step)
        for step in Fixes(CONNECTORS).steps(fix)
    ]
    assert shown == (steps or [fix])


def test_nothing_of_any_fix_is_lost_in_its_steps():
    fixes = Fixes(CONNECTORS)
    for connector in CONNECTORS:
        for row in connector.answers.rows:
            steps = [piece.text for step in fixes.steps(row.fix) for piece in step]
            kept = re.findall(r"\w+", " ".join(steps).lower())
            lost = [w for w in re.findall(r"\w+", row.fix.lower()) if w not in kept]
            assert set(lost) <= {"and", "then"}, row.fix


def test_one_service_is_checked_and_no_other(web, ann, sandbox):
    reply = ann.post("/check/notion")
    assert (reply.status, reply.headers["location"]) == (303, "/#notion")
    asked = {name: len(getattr(sandbox, name).received) for name in ("notion", "slack", "resend")}
    assert asked["notion"] > 0
    assert (asked["slack"], asked["resend"]) == (0, 0)
    # What the check found that nobody keeps.
    assert "Write permission can't be checked" in ann.read("/")
    # Whoever asks again within 15 seconds is told the same, of all services or of this one.
    for path in ("/check/notion", "/check"):
        assert ann.post(path).status == 303
    assert len(sandbox.notion.received) == asked["notion"]
    assert len(sandbox.resend.received) > 0
    for path in ("/check/none", "/check/slack/none", "/check/"):
        assert ann.post(path).status == 404


def test_many_who_check_one_service_at_once_make_one_check(web, ann, sandbox):
    HealthChecker(web.bot.engine).check(["notion"])
    one = len(sandbox.notion.received)
    with ThreadPoolExecutor(8) as pool:
        posts = [pool.submit(ann.post, path) for path in ["/check/notion", "/check"] * 8]
        assert {post.result().status for post in posts} == {303}
    assert len(sandbox.notion.received) == 2 * one


@pytest.mark.parametrize(("role", "status"), [("none", 403), ("viewer", 303), ("sender", 303)])
def test_who_sees_the_overview_may_check_a_service(web, role, status):
    web.bot.engine.ledger.person_set("slack:T1:UBEN", by="cli:me", role=role)
    assert Visitor(web).sign_in("slack:T1:UBEN").post("/check/notion").status == status


def test_a_token_s_session_checks_what_its_scope_allows(web, sandbox):
    for scope, status in (("open", 403), ("open,live", 303)):
        ledger = web.bot.engine.ledger
        secret = ledger.token_new(f"t{status}", scope=Scope.of(scope))
        link = web.post("/api/sign-in", token=secret).json()["link"]
        visitor = Visitor(web)
        assert visitor.post(link.removeprefix(web.url)).status == 303
        assert visitor.post("/check/notion").status == status


def test_a_broken_service_is_first_with_its_steps_and_an_interface_its_state(home, environ):
    settings = Settings(home, environ={**environ, "NOTION_API_KEY": "ntn_wrong"})
    with Engine.open(settings) as engine, served(engine) as web:
        said = web.bot.inbound("telegram", "not connected", "Start it: levqor-bot", ok=False)
        asyncio.run(said)
        ann = Visitor(web).sign_in()
        ann.post("/check/notion")
        reply = ann.get("/")
    page = reply.body.decode()
    assert "<li>Put it in <code>NOTION_API_KEY</code>.</li>" in page
    first, *others = page.split('<article class="card')[1:]
    assert first.startswith(" wide")
    assert "Not working" in first
    assert len(others) == len(CONNECTORS) - 1
    assert not any(other.startswith(" wide") for other in others)
    interfaces = words(reply).partition("Interfaces")[2]
    assert re.search(r"Telegram ✗ not connected .*levqor-bot", interfaces)
    assert "HTTP ✓ listening on http://127.0.0.1:" in interfaces
    assert "Bots" not in interfaces


@shared
def test_the_bots_on_a_shared_database_are_listed(web, ann):
    web.bot.engine.ledger.announce({})
    (bot,) = web.bot.engine.ledger.bots()
    assert f"{bot.label} {bot.version}" in ann.read("/").partition("Bots")[2]


def test_unknown_runs_come_first_each_with_what_to_do(web, ann):
    entry = finish(
        web.bot.engine.ledger, "unknown", at=time.time() - 60, connector="email",
        action="email.send", caller="slack:T1:UBEN", surface="slack",
    )  # fmt: skip
    web.bot.engine.ledger.person_add("ben", ["slack:T1:UBEN"], by="cli:me")
    page = ann.read("/")
    first = page.partition("90 days ago")[0]
    assert f"E-mail , by ben, 1 minute ago: run {entry.run}" in first
    assert "may or may not have been sent" in first
    assert entry.run not in Visitor(web).sign_in("telegram:42").read("/")
