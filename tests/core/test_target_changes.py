"""Targets are made, changed and removed by admins, each change in the audit."""

from __future__ import annotations

import pytest

from core.engine import targets
from core.errors import Forbidden, InvalidInput, NotFound
from core.sandbox.slack import CHANNELS
from tests.support.asking import ADA
from tests.support.engines import both
from tests.support.targets import ADMIN, add, went_to

ROOT = str(ADMIN)
GENERAL, RANDOM = CHANNELS


# action, account, what it would name, the field that is refused
NO_DESTINATION = [
    ("slack.send", None, {}, "destination"),
    ("slack.send", None, {"text": "Hello."}, "text"),
    ("slack.send", None, {"channel": "a" * 81}, "channel"),
    ("slack.send", None, {"target": "ops"}, "target"),
    ("slack.send", "a_b", {}, "account"),
    ("slack.send", "file", {}, "account"),
    ("telegram.send", None, {"chat_id": "here"}, "chat_id"),
    ("notion.create", None, {"database_id": "x"}, "database_id"),
    ("notion.create", None, {"props": {"a": 1}}, "props"),
    ("sheets.append", None, {"range": "A1\nB2"}, "range"),
    ("email.send", None, {"to": "Ann <ann@example.com>"}, "to"),
]


@both
def test_what_cannot_be_a_destination_is_refused_when_the_target_is_made(engine):
    for action, account, values, field in NO_DESTINATION:
        with pytest.raises(InvalidInput) as refused:
            add(engine, "ops", action, account, **values)
        assert [fault.field for fault in refused.value.faults] == [field]
        assert refused.value.message == targets.NOT_CHANGED
    for name in ("", "Ops", "o.p", "1ops", "o" * 41):
        with pytest.raises(InvalidInput, match="cannot be a target's name"):
            add(engine, name, "slack.send", channel=RANDOM)
    with pytest.raises(NotFound, match="no such action"):
        add(engine, "ops", "slack.sned", channel=RANDOM)
    assert engine.ledger.targets() == []
    assert engine.ledger.audit() == []


@both
def test_only_an_admin_changes_targets(engine):
    add(engine, "ops", "slack.send", channel=RANDOM)
    for change in (
        lambda: targets.add(engine, "mine", "slack.send", {"channel": RANDOM}, None, by=ADA),
        lambda: targets.change(engine, "ops", {"channel": GENERAL}, None, by=ADA),
        lambda: targets.remove(engine, "ops", by=ADA),
    ):
        with pytest.raises(Forbidden, match="may not change targets"):
            change()
    assert [target.fields for target in engine.ledger.targets()] == [{"channel": RANDOM}]


@both
def test_every_change_of_a_target_is_a_row_without_its_address(engine):
    add(engine, "ops", "slack.send", channel="C0123456789")
    with pytest.raises(InvalidInput, match="a target ops already"):
        add(engine, "ops", "slack.send", channel="C0123456789")
    for channel in ("C0123456789", "C0123999989"):
        targets.change(engine, "ops", {"channel": channel}, None, by=ADMIN)
    targets.remove(engine, "ops", by=ADMIN)
    with pytest.raises(NotFound, match="no target ops"):
        targets.remove(engine, "ops", by=ADMIN)
    masked = {"action": "slack.send", "account": None, "fields": {"channel": "C012****89"}}
    rows = [
        (row.what, row.subject, row.who, row.before, row.after) for row in engine.ledger.audit()
    ]
    assert rows[::-1] == [
        ("target add", "ops", ROOT, None, masked),
        # The two look the same, masked; that it leads elsewhere is told all the same.
        ("target set", "ops", ROOT, masked, {**masked, "changed": ["channel"]}),
        ("target remove", "ops", ROOT, masked, None),
    ]


def test_the_terminal_makes_lists_tries_changes_and_removes_targets(cli, sandbox):
    assert cli("target", "add", "ops", "slack.send", f"channel={RANDOM}").status == 0
    assert cli("target", "test", "ops").status == 0
    assert went_to(sandbox, "slack") == RANDOM
    assert cli("target", "set", "ops", f"channel={GENERAL}").status == 0
    ran = cli("run", "slack.send", "target=ops", "Hello", "--output", "json")
    assert (ran.status, went_to(sandbox, "slack")) == (0, GENERAL)
    (shown,) = cli("target", "list", "--output", "json").json["targets"]
    assert (shown["name"], shown["action"], shown["fields"]) == (
        "ops", "slack.send", {"channel": GENERAL},
    )  # fmt: skip
    assert cli("target", "test", "ops").status == 6
    assert cli("target", "remove", "ops").status == 0
    assert cli("run", "slack.send", "target=ops", "Hello").status == 2
    assert "no targets" in cli("target", "list").out
