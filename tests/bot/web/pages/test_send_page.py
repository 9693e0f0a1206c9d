"""Sending from a page: the form, the preview, the repeat question, the receipt."""

import html
import re

import pytest

from core.callers import Caller
from core.connectors import CONNECTORS
from core.engine import Engine, targets
from core.ledger.listing import RunFilter
from core.settings import Settings
from tests.bot.web.pages.conftest import Visitor, nonce, words
from tests.support.web import served

ACTIONS = [c.action_id(action) for c in CONNECTORS for action in c.actions]
FORMS = {
    "slack.send": {"text": "hello <b>there</b>"},
    "notion.create": {"props": "Name=Fix the login"},
    "sheets.append": {"values": "2026-12-01\tAda\t42"},
    "telegram.send": {"text": "two\nlines"},
    "email.send": {"to": "ann@example.com", "subject": "Hello", "text": "All is well."},
}


def decided(reply):
    """What a browser sends with the button beside what was shown, or asked."""
    page = reply.body.decode()
    form = re.search(r'<form [^>]*class="buttons">(.*?)</form>', page, re.DOTALL)[1]
    inputs = re.findall(r'<(?:input|button)[^>]* name="([^"]+)" value="([^"]*)"', form, re.DOTALL)
    return {name: html.unescape(value) for name, value in inputs}


def sent(ann, action_id, form, **more):
    return ann.post(
        f"/send/{action_id}", {**form, "nonce": ann.nonce(action_id), "step": "send", **more}
    )


def test_there_is_a_form_for_every_action_with_each_of_its_fields(ann):
    assert set(FORMS) == set(ACTIONS)
    for connector in CONNECTORS:
        for action in connector.actions:
            page = ann.get(f"/send/{connector.action_id(action)}").body.decode()
            names = set(re.findall(r'<(?:input|textarea) name="([^"]+)"', page))
            assert names == {spec.name for spec in action.input.fields()}


@pytest.mark.parametrize("action_id", ACTIONS)
def test_a_preview_sends_nothing_and_then_it_is_sent_once(ann, sandbox, web, action_id):
    form = {**FORMS[action_id], "nonce": ann.nonce(action_id)}
    shown = ann.post(f"/send/{action_id}", {**form, "step": "preview"})
    assert "This will be sent" in words(shown)
    assert web.bot.engine.ledger.runs() == []
    # What was shown is sent, whatever was typed into the form below it.
    yes = decided(shown)
    assert yes == {**FORMS[action_id], "nonce": nonce(shown), "step": "send"}
    told = ann.post(f"/send/{action_id}", yes)
    assert "✓" in words(told)
    (run,) = web.bot.engine.ledger.runs()
    assert (run.state, run.caller) == ("sent", "cli:ann")
    assert f"/runs/{run.run}" in told.body.decode()


def test_a_double_click_and_the_back_button_send_once(ann, web):
    first_nonce = ann.nonce("slack.send")
    form = {"text": "hello", "nonce": first_nonce, "step": "send"}
    first, again = (ann.post("/send/slack.send", form) for _ in range(2))
    assert words(first) == words(again)
    assert len(web.bot.engine.ledger.runs()) == 1
    other = ann.post("/send/slack.send", {**form, "text": "another"})
    assert "This form was sent already" in words(other)
    assert len(web.bot.engine.ledger.runs()) == 1
    assert nonce(other) != first_nonce


def test_the_same_from_another_tab_is_asked_about_and_sent_on_a_yes(serve):
    web = serve(LEVQOR_DEFAULT_PLAN="pro")
    ann = Visitor(web).sign_in()
    sent(ann, "slack.send", {"text": "hello"})
    asked = sent(ann, "slack.send", {"text": "hello"})
    assert "Send again" in words(asked)
    assert len(web.bot.engine.ledger.runs()) == 1
    assert decided(asked) == {"text": "hello", "nonce": nonce(asked), "step": "again"}
    for _ in range(2):
        ann.post("/send/slack.send", decided(asked))
    assert len(web.bot.engine.ledger.runs()) == 2


@pytest.mark.parametrize("step", ["preview", "send"])
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(ann, step):
    mail = {"to": "not an address", "subject": "Hi", "text": "kept words"}
    page = sent(ann, "email.send", mail, step=step).body.decode()
    assert "This will be sent" not in page
    assert "kept words" in page
    assert page.count("aria-invalid") == 1
    assert re.search(r'name="to"[^>]*aria-invalid="true"', page)


def test_a_used_up_plan_and_a_service_that_is_not_set_up_say_what_to_do(home, sandbox):
    environ = {name: it for name, it in sandbox.settings().items() if name != "NOTION_API_KEY"}
    with Engine.open(Settings(home, environ=environ)) as engine, served(engine) as web:
        ann, ben = Visitor(web).sign_in(), Visitor(web).sign_in("slack:T1:UBEN")
        assert "NOTION_API_KEY" in words(sent(ann, "notion.create", FORMS["notion.create"]))
        sent(ben, "slack.send", {"text": "one"})
        told = words(sent(ben, "slack.send", {"text": "two"}))
        assert "levqor plan set slack:T1:UBEN pro" in told


HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "a" * 3000,
    "<svg/onload=alert(1)>", "\u202eevil", "</textarea><b>",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_what_somebody_typed_is_shown_as_text(ann, text):
    for step in ("preview", "send"):
        form = {"to": "x", "subject": text, "text": text, "nonce": "n", "step": step}
        page = ann.post("/send/email.send", form).body.decode()
        assert "<script" not in page
        assert "<img" not in page
        assert "<svg/" not in page
        assert "49" not in re.sub(r'nonce" value="[^"]*"', "", page)
        assert html.escape(text)[:40] in page.replace("&#34;", "&quot;")


def test_an_action_that_nobody_allowed_is_no_page(serve):
    web = serve(LEVQOR_ALLOW="slack:T1:UBEN=slack.*")
    ben = Visitor(web).sign_in("slack:T1:UBEN")
    assert "Send a Slack message" in ben.read("/send")
    assert "e-mail" not in ben.read("/send")
    assert ben.get("/send/email.send").status == 404
    form = {"nonce": "n", "step": "send", **FORMS["email.send"]}
    assert ben.post("/send/email.send", form).status == 404


def test_a_form_has_the_choice_of_a_target_and_sends_where_it_leads(ann, sandbox, web):
    engine, where = web.bot.engine, {"to": "bob@example.com"}
    targets.add(engine, "ops", "email.send", where, None, by=Caller("cli", "root"))
    assert '<option value="ops">ops</option>' in ann.get("/send/email.send").body.decode()
    assert '<option value="ops">ops</option>' not in ann.get("/send/slack.send").body.decode()
    mail = {"target": "ops", "subject": "Hello", "text": "All is well."}
    both = sent(ann, "email.send", {**mail, "to": "eve@example.com"})
    assert "is filled in by the target ops: give one of the two" in words(both)
    shown = ann.post(
        "/send/email.send", {**mail, "nonce": ann.nonce("email.send"), "step": "preview"}
    )
    assert "Target ops" in " ".join(words(shown).split())
    assert "bob@example.com" not in words(shown)
    assert "✓" in words(sent(ann, "email.send", mail))
    assert [one.json["to"] for one in sandbox.resend.writes] == [["bob@example.com"]]


def test_what_a_page_sends_is_a_run_of_the_web_by_the_same_caller(web, ann):
    engine = web.bot.engine
    ann.post("/send/slack.send", {"nonce": "n", "step": "send", "text": "hello"})
    by_hand = engine.run("telegram.send", {"text": "hello"}, Caller("cli", "ann")).run
    (run,) = engine.ledger.runs(of=RunFilter(surface="web"))
    assert (run.caller, run.surface) == ("cli:ann", "web")
    engine.ledger.person_add("ann", ["cli:ann"], by="cli:me", role="admin")
    assert run.run in ann.read("/runs?interface=web")
    assert by_hand not in ann.read("/runs?interface=web")
    assert by_hand in ann.read("/runs?interface=cli&until=2999-01-01")
    assert run.run not in ann.read("/runs?until=2020-01-01")
    assert "is no interface; did you mean web?" in ann.read("/runs?interface=wep")
    story = ann.get(f"/runs/{run.run}")
    assert "Asked by ann (cli:ann) Interface Web console" in words(story)
    assert "Web console ✓ sent" in ann.read("/runs").replace("\N{NO-BREAK SPACE}", " ")
    assert 'href="/send/slack.send">Send again' in story.body.decode()


@pytest.mark.parametrize(("role", "offered"), [("sender", True), ("viewer", False)])
def test_who_has_no_runs_yet_is_led_to_the_forms_if_they_may_send(web, role, offered):
    web.bot.engine.ledger.person_set("slack:T1:UBEN", by="cli:me", role=role)
    ben = Visitor(web).sign_in("slack:T1:UBEN")
    assert ("No runs yet. Send something" in ben.read("/runs")) is offered
    assert "Send something" not in ben.read("/runs?outcome=sent")
