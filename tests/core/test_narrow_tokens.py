"""A token that may use targets alone: whatever it is given, nothing leads anywhere else."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.callers import Caller
from core.connectors import CONNECTORS
from core.engine import Engine, targets
from core.errors import Forbidden, LevqorError
from core.grammar import parse_chat
from core.ledger import digest
from core.sandbox.slack import CHANNELS
from core.sandbox.telegram import CHANNEL, GROUP
from core.scopes import Scope
from core.settings import Settings
from tests.support.sandbox import notion

ADMIN = Caller("cli", "root")
GENERAL, RANDOM = CHANNELS
ELSEWHERE = "e1" * 16
# A target's name, its action, where it leads, its account. The second of each action is another's.
TARGETS = [
    ("ops", "slack.send", {"channel": RANDOM}, None),
    ("secret-ops", "slack.send", {"channel": GENERAL}, "acme"),
    ("room", "telegram.send", {"chat_id": str(GROUP)}, "acme"),
    ("secret-room", "telegram.send", {"chat_id": str(CHANNEL)}, None),
    ("board", "notion.create", {"database_id": notion.INCIDENTS.id}, None),
    ("secret-board", "notion.create", {"database_id": ELSEWHERE}, None),
    ("desk", "email.send", {"to": "desk@example.com"}, None),
    ("secret-desk", "email.send", {"to": "boss@example.com"}, None),
    ("sheet", "sheets.append", {"range": "'Q3 plan'!A1"}, None),
    ("secret-sheet", "sheets.append", {"range": "Wages!A1"}, None),
]
OWN = {action: (name, where, account) for name, action, where, account in TARGETS[::2]}
HIDDEN = [str(value) for _, _, where, _ in TARGETS for value in where.values()]
SCOPE = Scope(tuple(f"{action}@{name}" for action, (name, _, _) in OWN.items()))
ACTIONS = {each.action_id(action): action for each in CONNECTORS for action in each.actions}

names = st.sampled_from(
    [name for name, *_ in TARGETS]
    + [name.upper() for name, *_ in TARGETS[:4]]
    + [" ops", "ops ", "ops\u200b", "ops@ops", "*", "", "none"]
)
places = st.sampled_from([*HIDDEN, "#general", "@levqor_sandbox", "acme", "Wages!A1", ""])
raw = st.fixed_dictionaries({
    "parent": st.fixed_dictionaries({"database_id": places}),
    "title": st.just([{"text": {"content": "x"}}]),
})  # fmt: skip
anything = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=5), names, places,
    st.lists(places, max_size=2), st.dictionaries(places, places, max_size=2), raw,
)  # fmt: skip
fields = st.sampled_from(
    [
        *sorted({spec.name for action in ACTIONS.values() for spec in action.input.fields()}),
        *("target", "Target", "TARGET", "account", "channel ", "caller", "key"),
    ]
)
good = {
    "slack.send": {"text": "x"},
    "telegram.send": {"text": "x"},
    "notion.create": {"props": {"title": "x"}},
    "email.send": {"subject": "x", "text": "x"},
    "sheets.append": {"values": [["x"]]},
}


@st.composite
def requests(draw):
    """An action and values: often right but for one thing, sometimes JSON or the grammar's."""
    action_id = draw(st.sampled_from(sorted(ACTIONS)))
    values = dict(good[action_id]) if draw(st.booleans()) else {}
    if draw(st.booleans()):
        values["target"] = OWN[action_id][0] if draw(st.booleans()) else draw(names)
    values |= draw(st.dictionaries(fields, anything, max_size=2))
    if draw(st.integers(0, 3)) == 0:
        words = [f"{name}={json.dumps(it)}" for name, it in values.items() if name.strip() == name]
        values = {"_typed": " ".join([*words, "x"])}
    return action_id, values


@pytest.fixture(scope="module")
def reach(tmp_path_factory):
    """An engine with every target, and a caller with a token for the first of each action."""
    from tests.support.sandbox import Sandbox

    home = tmp_path_factory.mktemp("narrow")
    home.chmod(0o700)
    with Sandbox() as sandbox:
        environ = dict(sandbox.settings())
        more = {"LEVQOR_DEFAULT_PLAN": "pro", "TELEGRAM_CHAT_ID_DEFAULT__ACME": str(CHANNEL)}
        for name in ("SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN", "TELEGRAM_BOT_TOKEN"):
            more[f"{name}__ACME"] = environ[name]
        for name in ("SLACK_API_URL", "TELEGRAM_API_URL"):
            more[f"{name}__ACME"] = environ[name]
        with Engine.open(Settings(home, environ={**environ, **more})) as engine:
            for name, action, where, account in TARGETS:
                targets.add(engine, name, action, where, account, by=ADMIN)
            secret = engine.ledger.token_new("narrow", scope=SCOPE)
            yield engine, Caller("http", "narrow", credential=digest(secret))


@pytest.mark.parametrize("action_id", sorted(ACTIONS))
def test_a_narrow_token_s_answers_hold_nothing_of_where_it_goes(reach, action_id):
    engine, caller = reach
    values = {**good[action_id], "target": OWN[action_id][0]}
    for what, test in ((values, False), ({"target": values["target"]}, True)):
        key = f"http:narrow {action_id} {test}"
        for _ in range(2):
            settled = engine.run(action_id, what, caller, test=test, key=key)
            assert settled.outcome == "sent"
            assert (settled.receipt.id, settled.receipt.link) == (None, None)
            assert not [each for each in HIDDEN if each in json.dumps(settled.body())]
    with pytest.raises(Forbidden) as refused:
        engine.accept(action_id, {}, caller, test=True)
    assert (refused.value.reason, bool(refused.value.fix)) == ("target", True)


def test_a_token_whose_target_was_removed_is_refused_until_it_is_there_again(reach):
    engine, caller = reach
    engine.ledger.target_remove("desk", by=str(ADMIN))
    try:
        with pytest.raises(LevqorError) as refused:
            engine.accept("email.send", {**good["email.send"], "target": "desk"}, caller)
        assert "secret" not in json.dumps(refused.value.body())
    finally:
        targets.add(engine, "desk", "email.send", {"to": "desk@example.com"}, None, by=ADMIN)


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    request=requests(),
    test=st.booleans(),
    key=st.sampled_from([None, "http:narrow a", "http:narrow b"]),
)
def test_whatever_a_narrow_token_asks_for_goes_to_its_target_or_nowhere(reach, request, test, key):
    engine, caller = reach
    action_id, values = request
    name, where, account = OWN[action_id]
    try:
        if "_typed" in values:
            values = parse_chat(values["_typed"], ACTIONS[action_id].input)
        accepted = engine.accept(action_id, values, caller, test=test, key=key, rebind=True)
    except LevqorError as refusal:
        said = json.dumps(refusal.body())
        given_back = json.dumps(values)
        for hidden in (*HIDDEN, *(name for name, *_ in TARGETS[1::2])):
            assert hidden not in said or hidden in given_back
        return
    if not accepted.first:
        assert accepted.conceal
        return
    request = accepted.job.request
    assert (request.target.name, request.account) == (name, account)
    sent = request.given.model_dump(mode="json")
    wanted = {**where}
    if action_id == "notion.create":
        wanted["database_id"] = sent["database_id"]
        assert sent["database_id"].replace("-", "") == notion.INCIDENTS.id.replace("-", "")
    assert {each: sent[each] for each in wanted} == wanted
    assert accepted.job.conceal
