"""Targets: what goes to a name's destination, and nothing anywhere else."""

from __future__ import annotations

import pytest

from core.engine import targets
from core.errors import (
    Forbidden,
    IdempotencyMismatch,
    InvalidInput,
    NotConfigured,
    Repeated,
)
from core.sandbox.slack import CHANNELS
from core.sandbox.telegram import CHANNEL, GROUP
from core.settings import Settings
from tests.support.asking import ADA
from tests.support.engines import both
from tests.support.journal import accept
from tests.support.sandbox import notion
from tests.support.targets import ADMIN, add, went_to

GENERAL, RANDOM = CHANNELS
TEXT = {"text": "Hello."}
ROWS = {"values": [["a", 1]]}
PAGE = {"props": {"title": "Fix login"}}
MAIL = {"subject": "Hello", "text": "Hello."}


@pytest.fixture
def settings(home, environ):
    """Those of a home with a second Slack and Telegram account, where nobody has a limit."""
    more = {"LEVQOR_DEFAULT_PLAN": "pro", "TELEGRAM_CHAT_ID_DEFAULT__ACME": str(CHANNEL)}
    for name in ("SLACK_WEBHOOK_URL", "SLACK_API_URL", "TELEGRAM_BOT_TOKEN", "TELEGRAM_API_URL"):
        more[f"{name}__ACME"] = environ[name]
    return Settings(home, environ={**environ, **more})


def told(refused):
    return refused.value.body()


# action, service, what the target names, the rest of the input, where it must arrive
SENDS = [
    ("slack.send", "slack", {"channel": RANDOM}, TEXT, RANDOM),
    ("telegram.send", "telegram", {"chat_id": "@levqor_sandbox"}, TEXT, "@levqor_sandbox"),
    ("notion.create", "notion", {"database_id": notion.INCIDENTS.id}, PAGE, None),
    ("sheets.append", "sheets", {"range": "'Q3 plan'!A1"}, ROWS, "Q3"),
    ("email.send", "resend", {"to": "ann@example.com"}, MAIL, ["ann@example.com"]),
]


@both
@pytest.mark.parametrize(("action", "service", "where", "values", "there"), SENDS)
def test_what_is_sent_to_a_target_goes_where_it_leads(
    engine, sandbox, action, service, where, values, there
):
    add(engine, "ops", action, **where)
    settled = engine.run(action, {"target": " OPS ", **values}, ADA)
    assert (settled.outcome, settled.target) == ("sent", "ops")
    arrived = went_to(sandbox, service)
    engine.run(action, {**where, **values}, ADA)
    assert arrived == went_to(sandbox, service)
    assert there is None or there in arrived or there == arrived


@both
def test_a_target_of_an_account_uses_nothing_of_another_account(engine, sandbox):
    add(engine, "acme", "telegram.send", "ACME")
    engine.run("telegram.send", {"target": "acme", **TEXT}, ADA)
    assert went_to(sandbox, "telegram") == CHANNEL
    engine.run("telegram.send", TEXT, ADA)
    assert went_to(sandbox, "telegram") == GROUP
    # The account has no bot token: that of the first one is not used in its place.
    with pytest.raises(NotConfigured) as refused:
        add(engine, "far", "slack.send", "acme", channel=RANDOM)
    assert refused.value.settings == ("SLACK_BOT_TOKEN__ACME",)
    with pytest.raises(NotConfigured) as refused:
        add(engine, "far", "slack.send", "north")
    assert refused.value.settings == ("SLACK_WEBHOOK_URL__NORTH",)


# What is given beside the target `ops`, and what is said of it.
BESIDE = [
    ({"channel": GENERAL}, "channel", "is filled in by the target ops: give one of the two"),
    ({"channel": RANDOM}, "channel", "is filled in by the target ops: give one of the two"),
    ({"channel": ""}, "channel", "is filled in by the target ops: give one of the two"),
    ({"Channel": GENERAL}, "Channel", "is not a field here; did you mean channel?"),
    ({"target": ["ops"]}, "target", "must be text"),
    ({"target": ""}, "target", "is no target here"),
    ({"target": "\0"}, "target", "is no target here"),
    ({"target": "opsy"}, "target", "is no target here; did you mean ops?"),
    ({"target": "mail"}, "target", "is a target for email.send, not for slack.send"),
]


@both
@pytest.mark.parametrize(("more", "field", "message"), BESIDE)
def test_a_targets_fields_cannot_be_given_beside_it(engine, sandbox, more, field, message):
    add(engine, "ops", "slack.send", channel=RANDOM)
    add(engine, "mail", "email.send", to="ann@example.com")
    with pytest.raises(InvalidInput) as refused:
        engine.accept("slack.send", {"target": "ops", **TEXT, **more}, ADA)
    assert told(refused)["details"] == [{"field": field, "message": message}]
    if "target" in more and more["target"] != ["ops"]:
        assert told(refused)["fix"] == "Targets for slack.send: ops."
    assert sandbox.slack.writes == []
    assert engine.ledger.runs() == []


@both
def test_null_beside_a_target_and_in_its_place_is_absence(engine, sandbox):
    add(engine, "ops", "slack.send", channel=RANDOM)
    engine.run("slack.send", {"target": "ops", "channel": None, **TEXT}, ADA)
    assert went_to(sandbox, "slack") == RANDOM
    engine.run("slack.send", {"target": None, **TEXT}, ADA)
    assert went_to(sandbox, "slack") is None


@both
def test_no_key_guard_or_fingerprint_speaks_for_where_a_target_leads_now(engine, sandbox):
    add(engine, "ops", "slack.send", channel=RANDOM)
    given = {"target": "ops", **TEXT}
    first = engine.run("slack.send", given, ADA, key="k1", guard=True)
    with pytest.raises(Repeated):
        engine.accept("slack.send", given, ADA, guard=True)
    # The same place without the name is the same send.
    again = engine.accept("slack.send", {"channel": RANDOM, **TEXT}, ADA, key="k1")
    assert (again.run, again.first) == (first.run, False)
    targets.change(engine, "ops", {"channel": GENERAL}, None, by=ADMIN)
    with pytest.raises(IdempotencyMismatch):
        engine.accept("slack.send", given, ADA, key="k1")
    assert engine.run("slack.send", given, ADA, guard=True).run != first.run
    assert [request.json["channel"] for request in sandbox.slack.writes] == [RANDOM, GENERAL]


@both
def test_another_account_is_another_destination_and_none_keeps_its_fingerprint(engine):
    add(engine, "acme", "slack.send", "acme")
    plain = engine.run("slack.send", TEXT, ADA, guard=True)
    far = engine.run("slack.send", {"target": "acme", **TEXT}, ADA, guard=True)
    assert plain.run != far.run
    prints = [engine.ledger.run(each.run).fingerprint for each in (plain, far)]
    assert prints[0] != prints[1]
    with pytest.raises(Repeated):
        engine.accept("slack.send", {"target": "acme", **TEXT}, ADA, guard=True)


@both
@pytest.mark.parametrize("change", ["set", "removed"])
def test_a_target_that_changes_while_a_run_is_accepted_is_asked_for_again(engine, change):
    stale = add(engine, "ops", "slack.send", channel=RANDOM)
    stale = engine.ledger.target(stale.name)
    if change == "set":
        targets.change(engine, "ops", {"channel": GENERAL}, None, by=ADMIN)
    else:
        targets.remove(engine, "ops", by=ADMIN)
    with pytest.raises(InvalidInput) as refused:
        accept(engine.ledger, target=stale)
    assert refused.value.faults[0].words == "target: was just changed or removed"
    assert engine.ledger.runs() == []


@both
def test_a_test_send_goes_to_a_target_with_the_sample_alone(engine, sandbox):
    add(engine, "mail", "email.send", to="ann@example.com")
    settled = engine.run("email.send", {"target": "mail"}, ADA, test=True)
    assert (settled.outcome, settled.test) == ("sent", True)
    assert went_to(sandbox, "resend") == ["ann@example.com"]
    with pytest.raises(InvalidInput) as refused:
        engine.accept("email.send", {"target": "mail", "text": "Hello."}, ADA, test=True)
    assert "or a target alone" in refused.value.faults[0].message


@both
def test_a_target_that_its_person_may_not_use_is_neither_used_nor_named(engine, home, environ):
    add(engine, "mail", "email.send", to="ann@example.com")
    only = {**environ, "LEVQOR_ALLOW": f"{ADA}=slack.send"}
    engine.settings = Settings(home, environ=only)
    with pytest.raises(Forbidden):
        engine.accept("email.send", {"target": "mail", **MAIL}, ADA)
    with pytest.raises(InvalidInput) as refused:
        engine.accept("slack.send", {"target": "mail", **TEXT}, ADA)
    assert "mail" not in str(told(refused)).replace("levqor target list", "")
    assert engine.authorization.targets(engine.authorization.access(ADA)) == []


def test_a_column_called_target_is_written_inside_the_mapping(cli, sandbox):
    cli("target", "add", "ops", "notion.create", f"database_id={notion.INCIDENTS.id}")
    for typed, said in [
        ("target=soon", 'A column called target is written props="target=…"'),
        ("Target=soon", 'write target=…, or props="Target=…"'),
    ]:
        ran = cli("run", "notion.create", typed, "Fix", "login")
        assert ran.status == 2
        assert said in ran.err + ran.out
    assert sandbox.notion.writes == []
    ran = cli("run", "notion.create", "target=ops", "props=Target=soon", "Fix", "login")
    assert "Target" in ran.err + ran.out  # the database has no such column: Notion's own refusal
    assert "column" in ran.err + ran.out
