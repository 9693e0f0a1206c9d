"""Health of targets: what can be found out about a destination without sending."""

from __future__ import annotations

import pytest

from core.engine import targets
from core.errors import InvalidInput
from core.reports import Verdict
from core.sandbox.slack import CHANNELS
from core.sandbox.telegram import CHANNEL
from core.settings import Settings
from tests.support.sandbox import Answer, notion
from tests.support.targets import ADMIN

RANDOM = list(CHANNELS)[1]
OK, FAILING, UNCHECKED = Verdict.OK, Verdict.FAILING, Verdict.UNCHECKED
CLOSED = ("slack", "conversations.info", {"ok": False, "error": "missing_scope"})
GONE = ("slack", "conversations.info", {"ok": False, "error": "channel_not_found"})
# action, destination, an answer that a service gives, verdict, a word that is said
LOOKS = [
    ("slack.send", {"channel": RANDOM}, None, OK, ""),
    ("slack.send", {"channel": RANDOM}, GONE, FAILING, "no such channel"),
    ("slack.send", {"channel": RANDOM}, CLOSED, UNCHECKED, "may not look at channels"),
    ("slack.send", {"channel": "#random"}, None, UNCHECKED, "by its ID alone"),
    ("slack.send", {"channel": "D0123456789"}, None, OK, ""),
    ("telegram.send", {"chat_id": str(CHANNEL)}, None, OK, ""),
    ("telegram.send", {"chat_id": "-100999"}, None, FAILING, "chat"),
    ("notion.create", {"database_id": notion.INCIDENTS.id}, None, OK, ""),
    ("notion.create", {"database_id": "0" * 32}, None, FAILING, "no such database"),
    ("sheets.append", {"range": "'Q3 plan'!A1"}, None, OK, ""),
    ("sheets.append", {"range": "'Gone'!A1"}, None, FAILING, ""),
    ("email.send", {"to": "ann@example.com"}, None, UNCHECKED, targets.ONLY_A_SEND),
]


@pytest.mark.parametrize(("action", "where", "answer", "verdict", "word"), LOOKS)
def test_a_look_tells_what_can_be_told_and_sends_nothing(
    engine, sandbox, action, where, answer, verdict, word
):
    made = targets.add(engine, "ops", action, where, None, by=ADMIN)
    if answer:
        service, call, said = answer
        getattr(sandbox, service).next(Answer(json=said), on=call)
    found = targets.look(engine, made)
    assert (found.verdict, word in found.words) == (verdict, True)
    assert (found.fix is not None) == (verdict is FAILING)
    assert not [each.writes for each in sandbox.services if each.writes]


def test_a_recipient_who_is_not_allowed_any_more_is_told(engine, home, environ):
    made = targets.add(engine, "boss", "email.send", {"to": "ann@example.com"}, None, by=ADMIN)
    engine.settings = Settings(home, environ={**environ, "LEVQOR_RECIPIENTS": "@example.org"})
    found = targets.look(engine, made)
    assert (found.verdict, "LEVQOR_RECIPIENTS" in found.fix) == (FAILING, True)


def test_the_list_shows_health_and_its_status_says_if_one_fails(cli, sandbox):
    cli("target", "add", "team", "telegram.send", f"chat_id={CHANNEL}")
    ran = cli("target", "list", "--live", "--output", "json")
    assert (ran.status, ran.json["targets"][0]["verdict"]) == (0, "ok")
    cli("target", "add", "gone", "notion.create", f"database_id={'0' * 32}")
    ran = cli("target", "list", "--live")
    assert ran.status == 1
    assert "not working" in ran.out
    assert "gone: Notion has no such database" in ran.out
    assert "What to do: " in ran.out
    assert "verdict" not in cli("target", "list", "--output", "json").json["targets"][0]


@pytest.mark.parametrize(("action", "name"), [("slack.send", "Slack"), ("sheets.append", "Google")])
def test_a_target_that_names_an_account_alone_leads_where_that_one_writes(
    engine, home, environ, sandbox, action, name
):
    acme = {f"{n}__ACME": v for n, v in environ.items() if n.startswith(name.upper())}
    acme |= {f"{n}__ACME": environ[n] for n in ("SHEETS_API_URL",)}
    engine.settings = Settings(home, environ={**environ, **acme})
    made = targets.add(engine, "ops", action, {}, "acme", by=ADMIN)
    assert targets.look(engine, made).verdict is OK
    assert not [each.writes for each in sandbox.services if each.writes]


def test_a_target_of_a_service_that_is_not_set_up_any_more_fails(engine, home):
    made = targets.add(engine, "ops", "slack.send", {"channel": RANDOM}, None, by=ADMIN)
    engine.settings = Settings(home, environ={})
    found = targets.look(engine, made)
    assert (found.verdict, found.fix is not None) == (FAILING, True)


NO_LISTS = [
    ("notion.create", "notion", "search", Answer(401)),
    ("notion.create", "notion", "search", Answer(200, body="<html>")),
    ("telegram.send", "telegram", "getUpdates", Answer(200, json={"ok": True, "result": {}})),
]


@pytest.mark.parametrize(("action", "service", "call", "answer"), NO_LISTS)
def test_what_a_service_does_not_list_is_left_out(engine, sandbox, action, service, call, answer):
    getattr(sandbox, service).next(answer, on=call)
    assert targets.choices(engine, action, None, seconds=20) == {}


def test_a_change_says_what_to(engine):
    targets.add(engine, "ops", "slack.send", {"channel": RANDOM}, None, by=ADMIN)
    with pytest.raises(InvalidInput) as told:
        targets.change(engine, "ops", {}, None, by=ADMIN)
    assert told.value.faults[0].message == "is missing: say what to change"
