"""Targets in the web console: added, chosen of what a service has, looked at, tried, removed."""

import html
import re

import pytest

from core.callers import Caller
from core.connectors import CONNECTORS
from core.engine import Engine, targets
from core.settings import Settings
from tests.bot.web.pages.conftest import Visitor, words
from tests.support.sandbox import Answer, Hang
from tests.support.web import served

WHERE = {
    "slack.send": {"channel": "C0123456789"},
    "notion.create": {"database_id": "d9824bdc84454327be8b5b47500af6ce"},
    "sheets.append": {"range": "'Q3 plan'!A1"},
    "telegram.send": {"chat_id": "-1001234567890"},
    "email.send": {"to": "bob@example.com"},
}


def kept(web):
    return {each.name: each for each in web.bot.engine.ledger.targets()}


def add(ann, action, name="ops", **form):
    return ann.post("/targets", {"do": "add", "action": action, "name": name, **form})


def choices(page, field):
    """What a field can be chosen from: value and name."""
    select = re.search(rf'<select name="chosen_{field}".*?</select>', page, re.DOTALL)
    found = re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)', select[0]) if select else []
    return {html.unescape(value): html.unescape(name) for value, name in found if value}


def test_every_action_has_a_form_with_its_destination_and_is_added_from_it(web, ann):
    assert set(WHERE) == {c.action_id(action) for c in CONNECTORS for action in c.actions}
    for number, (action, where) in enumerate(WHERE.items()):
        page = ann.get(f"/targets?action={action}").body.decode()
        assert all(f'name="{field}"' in page for field in where), action
        reply = add(ann, action, f"t{number}", **where)
        assert reply.headers["location"] == f"/targets/t{number}?done=set", action
        record = kept(web)[f"t{number}"]
        assert (record.action, set(record.fields)) == (action, set(where))
        assert f"t{number} {action}" in ann.read("/targets")
        assert ann.get(f"/targets/t{number}").status == 200
    assert {row.who for row in web.bot.engine.ledger.audit()} == {"cli:ann"}


def test_what_a_service_has_can_be_chosen_by_name(web, ann, sandbox):
    page = ann.get("/targets?action=slack.send").body.decode()
    listed = choices(page, "channel")
    assert listed
    assert all(name.startswith("#") for name in listed.values())
    channel = next(iter(listed))
    assert add(ann, "slack.send", chosen_channel=channel, channel="").status == 303
    assert kept(web)["ops"].fields == {"channel": channel}
    page = ann.get("/targets/ops").body.decode()
    assert re.search(rf'<option value="{channel}" selected', page)
    # What is typed counts more, and what was left alone stays.
    form = {"do": "set", "chosen_channel": channel, "was_channel": "", "channel": "C0000000009"}
    ann.post("/targets/ops", form)
    assert kept(web)["ops"].fields == {"channel": "C0000000009"}
    shown = {"was_channel": "C0000000009", "channel": "C0000000009"}
    ann.post("/targets/ops", {"do": "set", "chosen_channel": "", **shown})
    assert kept(web)["ops"].fields == {"channel": "C0000000009"}
    ann.post("/targets/ops", {"do": "set", "chosen_channel": channel, **shown})
    assert kept(web)["ops"].fields == {"channel": channel}
    assert choices(ann.get("/targets?action=notion.create").body.decode(), "database_id")
    assert choices(ann.get("/targets?action=sheets.append").body.decode(), "range")
    for answer in (Answer(500, "no"), Hang(30)):
        sandbox.slack.always(answer)
        page = ann.get("/targets?action=slack.send").body.decode()
        assert choices(page, "channel") == {}
        assert '<input name="channel"' in page


# An action, what is typed, and what the page says of it.
REFUSED = {
    "a name that is none": ("email.send", {"name": "The boss"}, "small letters, digits and dashes"),
    "a name that is taken": ("email.send", {"name": "taken"}, "There is a target taken already."),
    "no address": ("email.send", {"to": "nobody"}, "That cannot be where a target leads"),
    "nothing": ("email.send", {"to": ""}, "destination: is missing"),
    "no channel": ("slack.send", {"channel": "x" * 81}, "That cannot be where a target"),
}


def test_a_refusal_keeps_what_was_typed_and_adds_nothing(web, ann):
    targets.add(
        web.bot.engine, "taken", "email.send", WHERE["email.send"], None, by=Caller("cli", "root")
    )
    for what, (action, typed, why) in REFUSED.items():
        form = {"name": "ops", **WHERE[action], **typed}
        reply = add(ann, action, **form)
        page = html.unescape(reply.body.decode())
        assert reply.status == 400, what
        assert why in html.unescape(words(reply)), what
        assert all(f'value="{it}"' in page for it in form.values()), what
    assert set(kept(web)) == {"taken"}
    assert add(ann, "fax.send").status == 404
    assert ann.get("/targets?action=fax.send").status == 404
    assert ann.get("/targets/nowhere").status == 404


def test_a_look_sends_nothing_and_a_test_sends_the_sample_there(web, ann, sandbox):
    add(ann, "telegram.send", **WHERE["telegram.send"])
    sandbox.telegram.received.clear()
    for path in ("/targets", "/targets/ops"):
        told = ann.post(path, {"do": "look"})
        assert told.status == 200
        assert re.search("Working|Failing|Not known", words(told)), path
    assert web.bot.engine.ledger.runs() == []
    reply = ann.post("/targets/ops", {"do": "test"})
    (run,) = web.bot.engine.ledger.runs()
    assert (run.test, run.caller) == (True, "cli:ann")
    assert reply.headers["location"] == f"/runs/{run.run}"


def test_removing_a_target_names_the_tokens_it_breaks(web, ann):
    add(ann, "email.send", **WHERE["email.send"])
    ann.post("/tokens", {"do": "new", "label": "ci", "only.email.send@ops": "yes"})
    assert "to it alone, the tokens ci" in ann.read("/targets/ops")
    assert "are refused then: ci." in words(ann.get("/targets/ops?confirm=remove"))
    assert set(kept(web)) == {"ops"}
    gone = ann.post("/targets/ops", {"do": "remove"})
    assert gone.headers["location"] == "/targets?done=remove"
    assert kept(web) == {}
    page = ann.get("/tokens/ci").body.decode()
    assert 'name="only.email.send@ops" value="yes" checked' in page


def test_a_target_may_be_of_a_further_account(home, sandbox):
    environ = sandbox.settings()
    environ = {**environ, "SLACK_WEBHOOK_URL__ACME": environ["SLACK_WEBHOOK_URL"]}
    with Engine.open(Settings(home, environ=environ)) as engine, served(engine) as web:
        ann = Visitor(web).sign_in()
        assert "<option>acme</option>" in ann.get("/targets").body.decode()
        assert "Slack (acme)" in ann.read("/targets?action=slack.send&account=acme")
        add(ann, "slack.send", account="acme", channel="")
        assert kept(web)["ops"].account == "acme"
        assert "the account's default" in ann.read("/targets")
        add(ann, "slack.send", "first", **WHERE["slack.send"])
        token = {"do": "set", "account": "acme", "was_account": ""}
        refused = ann.post("/targets/first", token)
        assert (refused.status, kept(web)["first"].account) == (503, None)
        assert "SLACK_BOT_TOKEN__ACME" in words(refused)


@pytest.mark.parametrize("do", ["", "burn"])
def test_a_form_of_no_page_does_nothing(web, ann, do):
    add(ann, "email.send", **WHERE["email.send"])
    web.bot.engine.ledger.person_add("ben", [], by="cli:root")
    web.bot.engine.ledger.token_new("ci")
    before = web.bot.engine.ledger.audit()
    for path in ("/people", "/people/ben", "/tokens", "/tokens/ci", "/targets/ops"):
        assert ann.post(path, {"do": do}).status == 404, path
    assert ann.post("/targets", {"do": do, "action": "email.send"}).status == 404
    assert web.bot.engine.ledger.audit() == before
