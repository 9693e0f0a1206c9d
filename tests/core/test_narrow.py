"""Who may use targets alone: they reach nothing else, and learn nothing of where these lead."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core import wording
from core.callers import Caller
from core.engine import Engine, targets
from core.errors import Forbidden, InvalidInput, LevqorError, NotConfigured
from core.grammar import parse_chat, parse_items
from core.health import HealthChecker, shown
from core.sandbox.sheets import SPREADSHEET, TABS
from core.sandbox.slack import CHANNELS
from core.sandbox.telegram import CHANNEL
from core.scopes import Scope
from core.settings import Settings
from tests.support.engines import both
from tests.support.sandbox import Answer, notion

ADMIN = Caller("cli", "root")
CI = Caller("http", "ci")
GENERAL, RANDOM = CHANNELS
MAIL = {"subject": "Hello", "text": "Hello."}
PLACES = {
    "slack.send": ("channel", RANDOM),
    "telegram.send": ("chat_id", str(CHANNEL)),
    "notion.create": ("database_id", notion.CONTACTS.id),
    "sheets.append": ("range", "'Q3 plan'!A1"),
    "email.send": ("to", "ann@example.com"),
}
# What none of them may hear of.
HIDDEN = (
    RANDOM, str(CHANNEL), str(CHANNEL).removeprefix("-100"), "levqor_sandbox", notion.CONTACTS.id,
    "Contacts", "Phase", "Owner", "Cost", "Caf", "On hold", "Full name", SPREADSHEET, *TABS,
    "ann@example.com", "https:", "http:/", "_DEFAULT", "__", "****",
)  # fmt: skip


@pytest.fixture
def engine(home, environ):
    environ = {**environ, "LEVQOR_DEFAULT_PLAN": "pro"}
    environ["SLACK_WEBHOOK_URL__ACME"] = environ["SLACK_WEBHOOK_URL"]
    with Engine.open(Settings(home, environ=environ)) as engine:
        for action, (field, value) in PLACES.items():
            targets.add(engine, name(action), action, {field: value}, None, by=ADMIN)
        targets.add(engine, "zebra", "slack.send", {"channel": GENERAL}, None, by=ADMIN)
        targets.add(engine, "acme", "slack.send", {}, "acme", by=ADMIN)
        only = ",".join(f"{action}@{name(action)}" for action in PLACES)
        scope = Scope.parse(f"{only},slack.send@acme", engine.action_ids())
        engine.ledger.token_new("ci", scope=scope, by=str(ADMIN))
        yield engine


def name(action):
    return f"ops-{action.partition('.')[0]}"


def heard(engine, action, values, **more):
    """All that a narrow caller hears of a send: its answer, the run as it is shown, why."""
    who = engine.authorization.access(CI)
    try:
        settled = engine.run(action, values, CI, **more)
    except LevqorError as error:
        return f"{error.body()} {wording.refusal(error)}"
    record = who.shown(engine.ledger.run(settled.run))
    shown = [settled.body(), record.report().body(), wording.why(record, engine.connectors)]
    return " ".join(map(str, [*shown, wording.settled(settled)]))


NO_CHANNEL = {"ok": False, "error": "channel_not_found"}
# action, the rest of its input, an answer that a service gives, a word that must be said
HEARD = [
    ("slack.send", {"text": "Hi"}, None, "sent"),
    ("slack.send", {"text": "Hi"}, ("slack", NO_CHANNEL), "refused"),
    ("telegram.send", {"text": "å\ta"}, None, "sent"),
    ("telegram.send", {"text": "Hi"}, ("telegram", {"ok": False, "error_code": 403,
        "description": "Forbidden: bot is not a member of the channel chat"}), "refused"),
    ("notion.create", {"props": {"title": "Fix"}}, None, "created"),
    ("notion.create", {"props": {"title": "Fix", "Etappe": "x"}}, None, "props.Etappe"),
    ("notion.create", {"props": {"title": "Fix", "phase": "On hld"}}, None, "sent"),
    ("notion.create", {"props": {"title": "Fix", "cost ($)": "many"}}, None, "props.cost ($)"),
    ("notion.create", {"props": {"title": "Fix", "team": "x"}}, None, "props.team"),
    ("sheets.append", {"values": [["a", 3.10]]}, None, "appended"),
    ("email.send", MAIL, None, "sent"),
    ("email.send", {"subject": "x"}, None, "text: is required"),
    ("slack.send", {"text": "Hi", "channel": RANDOM}, None, "only"),
    ("slack.send", {"text": "x" * 3001}, None, "too long"),
]  # fmt: skip


@both
@pytest.mark.parametrize(("action", "values", "answer", "word"), HEARD)
def test_nothing_is_said_of_where_a_target_leads(engine, sandbox, action, values, answer, word):
    if answer:
        getattr(sandbox, answer[0]).next(Answer(json=answer[1]))
    said = heard(engine, action, {"target": name(action), **values})
    assert word in said
    given = str(values)
    assert [each for each in HIDDEN if each in said and each not in given] == []


def test_a_place_that_is_broken_is_said_to_be_that_and_no_more(engine, sandbox):
    engine.ledger.target_set("ops-sheets", None, {"range": "'Gone tab'!A1"}, by=str(ADMIN))
    said = heard(engine, "sheets.append", {"target": "ops-sheets", "values": [["a"]]})
    assert "Gone" not in said
    # The second one is the example in the words that everybody is told.
    assert not [tab for tab in (TABS[0], *TABS[2:]) if tab in said]
    bare = Settings(engine.settings.home, environ={"SLACK_WEBHOOK_URL__ACME": ""})
    engine.settings = bare
    with pytest.raises(NotConfigured) as refused:
        engine.accept("slack.send", {"target": "acme", "text": "Hi"}, CI)
    assert (refused.value.settings, "SLACK" in str(refused.value.body())) == ((), False)


@both
def test_a_redelivered_run_is_told_as_little(engine):
    given = {"target": name("notion.create"), "props": {"title": "Fix"}}
    first = engine.run("notion.create", given, CI, key="http:ci k")
    again = engine.run("notion.create", given, CI, key="http:ci k")
    assert again.run == first.run
    for settled in (first, again):
        assert (settled.receipt.id, settled.receipt.link, settled.receipt.note) == (None,) * 3
    # Whoever may know is told all of it.
    assert engine.ledger.run(first.run).receipt["id"]
    full = engine.run("notion.create", given, ADMIN)
    assert full.receipt.id
    assert full.receipt.link or full.receipt.note


@both
def test_a_target_of_somebody_else_and_one_that_is_gone_look_alike(engine):
    for gone in ("zebra", "nothing"):
        with pytest.raises(Forbidden) as refused:
            engine.accept("slack.send", {"target": gone, "text": "Hi"}, CI)
        assert "zebra" not in str(refused.value.body())
        assert refused.value.fix.endswith(": acme, ops-slack.")
    targets.remove(engine, "ops-slack", by=ADMIN)
    with pytest.raises(InvalidInput, match="not right") as gone:
        engine.accept("slack.send", {"target": "ops-slack", "text": "Hi"}, CI)
    assert gone.value.faults[0].message.startswith("is no target here")
    with pytest.raises(Forbidden):
        engine.accept("slack.send", {"text": "Hi"}, CI)


def test_a_check_of_the_services_names_no_place_and_no_account(engine):
    report = HealthChecker(engine).report(live=True)
    seen = shown(report, engine.authorization.access(CI))
    assert "slack/acme" in report.detail
    assert any(each.notes for each in report.detail.values())
    assert list(seen.detail) == [connector.name for connector in engine.connectors]
    assert not any(each.notes or each.fix for each in seen.detail.values())
    assert shown(report, engine.authorization.access(ADMIN)) == report


NAMES = ["ops-slack", "OPS-SLACK ", "acme", "zebra", "ops-email", GENERAL, RANDOM, "#general", ""]
FIELDS = ["target", "target", "channel", "Channel", "Target", "account", "chat_id"]
VALUES = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from([None, 1, ["ops-slack"], {"target": "ops-slack"}]),
    st.text(string.printable, max_size=8),
)
BODIES = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, VALUES))
PAIRS = st.tuples(
    st.sampled_from(FIELDS), st.sampled_from(["=", "=", " = ", "\uff1d"]), st.sampled_from(NAMES)
)


def _to(name):
    return {"target": name}


@st.composite
def inputs(draw, contract):
    """An input in any form: a JSON body, a chat's line, a terminal's words, JSON typed."""
    body = {"text": "Hi"} | draw(st.one_of(BODIES, st.sampled_from(NAMES).map(_to)))
    items = ["".join(pair) for pair in draw(st.lists(PAIRS, max_size=2))]
    make = draw(
        st.sampled_from(
            [
                lambda: body,
                lambda: parse_chat(" ".join([*items, "Hi"]), contract),
                lambda: parse_items([*items, "Hi"], contract),
                lambda: parse_chat(json.dumps(body), contract),
            ]
        )
    )
    try:
        return make()
    except InvalidInput:
        return {}


def test_a_narrow_token_reaches_nothing_but_its_targets_by_any_input(engine, sandbox, counts):
    _, action = engine.action("slack.send")
    may = {RANDOM, None}  # None is the account's webhook
    runs = []

    @hypothesis_settings(
        max_examples=counts(150, 3000),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(values=inputs(action.input), test=st.booleans(), key=st.sampled_from([None, "k1", "k2"]))
    def attempt(values, test, key):
        before, error = len(sandbox.slack.writes), None
        try:
            runs.append(engine.run("slack.send", values, CI, test=test, key=key).run)
        except LevqorError as refused:
            error = refused
        if error is not None:
            assert len(sandbox.slack.writes) == before
            assert not [each for each in (RANDOM, "SLACK_", "__") if each in _but(error, values)]
            return
        for request in sandbox.slack.writes[before:]:
            assert request.json.get("channel") in may
        assert values["target"].strip().lower() in ("ops-slack", "acme")

    attempt()
    assert runs  # some of them were sent


def _but(error, values):
    """An error's words, but for what its sender wrote."""
    said = str(error.body())
    for word in (RANDOM, "SLACK_", "__"):
        said = said if word not in str(values) else said.replace(word, "")
    return said
