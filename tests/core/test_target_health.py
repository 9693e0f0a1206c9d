"""Health of targets: what can be found out about a destination without sending."""

from __future__ import annotations

import pytest

from core.callers import Caller
from core.engine import targets
from core.reports import Verdict
from core.sandbox.slack import CHANNELS
from core.sandbox.telegram import CHANNEL
from core.settings import Settings
from tests.support.sandbox import Answer, notion

ADMIN = Caller("cli", "root")
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
