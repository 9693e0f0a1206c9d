"""What holds for every connector in the list."""

import ast
import re
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import AfterValidator, SecretStr, ValidationError

import core.connectors
from core.connectors import CONNECTORS
from core.contract import Config, Secret, base_url, bearer, loopback, setting
from core.outbound import TRANSPORT
from tests.support.sending import configured, send

FOLDER = Path(core.connectors.__file__).parent
ROOT = FOLDER.parents[1]
ACTIONS = [(connector, action) for connector in CONNECTORS for action in connector.actions]
ROWS = [(connector, row) for connector in CONNECTORS for row in connector.answers.rows]
SETTINGS = [(connector, one) for connector in CONNECTORS for one in connector.config.settings()]

each_connector = pytest.mark.parametrize("connector", CONNECTORS, ids=lambda one: one.name)
each_action = pytest.mark.parametrize(
    ("connector", "action"), ACTIONS, ids=[c.action_id(a) for c, a in ACTIONS]
)
each_row = pytest.mark.parametrize(
    ("connector", "row"), ROWS, ids=[f"{c.name}-{row.reason}" for c, row in ROWS]
)
each_setting = pytest.mark.parametrize(
    ("connector", "one"), SETTINGS, ids=[one.name for _, one in SETTINGS]
)


def sentences(text):
    """Count what ends in a full stop; one inside an address or a number is none."""
    return len(re.findall(r"(?<=\S)[.!?](?=\s|$)", text))


# The list, written out on purpose: a change of what Levqor can do, or of the menu's order, or a
# token that is no `Secret`, is seen here. A further connector has a line in it.
LIST = {
    "slack.send": ["SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN"],
    "notion.create": ["NOTION_API_KEY"],
    "sheets.append": ["GOOGLE_SERVICE_ACCOUNT_JSON"],
    "telegram.send": ["TELEGRAM_BOT_TOKEN"],
    "email.send": ["RESEND_API_KEY"],
}


def test_the_list_is_as_written_out_and_in_menu_order():
    assert [connector.action_id(action) for connector, action in ACTIONS] == list(LIST)


@each_action
def test_an_action_has_a_title_that_fits_a_slack_modal(connector, action):
    assert re.fullmatch(r"[a-z]+", action.name)
    assert 1 <= len(action.title) <= 24


@each_action
def test_a_sample_keeps_the_contract_and_passes_the_check(connector, action, sandbox):
    request = action.input.model_validate(dict(action.sample) | _defaults(action, sandbox))

    if action.check:
        action.check(request, configured(connector, sandbox), True)


@each_connector
def test_a_sample_is_sent_once(connector, sandbox):
    action = connector.actions[0]

    receipt = send(connector, sandbox, dict(action.sample) | _defaults(action, sandbox), test=True)

    service = next(one for one in sandbox.services if one.connector == connector.name)
    assert receipt.status in ("sent", "created", "appended")
    assert len(service.writes) == 1


@each_action
def test_every_field_has_words_and_an_example_that_keeps_the_contract(connector, action):
    fields = action.input.fields()

    assert all(field.title and field.help.endswith(".") and field.example for field in fields)
    action.input.model_validate({field.name: field.example for field in fields})


@each_action
def test_free_text_has_one_place_to_land(connector, action):
    assert len([field for field in action.input.fields() if field.takes_text]) == 1


@each_action
def test_an_unknown_field_is_refused(connector, action):
    given = {field.name: field.example for field in action.input.fields()}
    with pytest.raises(ValidationError) as raised:
        action.input.model_validate({**given, "no_such_field": "x"})

    assert [error["loc"] for error in raised.value.errors()] == [("no_such_field",)]


@each_action
def test_a_default_setting_is_one_of_the_connectors_own(connector, action):
    declared = {one.name for one in connector.config.settings()}

    assert {field.setting for field in action.input.fields() if field.setting} <= declared


@each_setting
def test_a_setting_says_what_it_is_and_where_to_get_it(connector, one):
    assert re.fullmatch(r"[A-Z][A-Z_]+", one.name)
    assert one.title
    assert len(one.where) >= 20
    assert not one.where.endswith(".")
    assert one.example


@each_setting
def test_where_a_service_lives_comes_from_the_environment_only(connector, one):
    assert one.env_only == one.name.endswith("_API_URL")


@each_connector
def test_secrets_are_known_as_such_and_not_shown(connector, sandbox):
    names = [one.name for one in connector.config.settings() if one.secret]
    shown = repr(configured(connector, sandbox))

    assert all(names == LIST[connector.action_id(action)] for action in connector.actions)
    assert not any(sandbox.settings()[name] in shown for name in names)


@pytest.mark.parametrize(
    "kind", [SecretStr, Secret, Secret | None, Annotated[Secret, AfterValidator(lambda key: key)]]
)
def test_a_setting_is_secret_by_its_type(kind):
    class Fax(Config):
        key: kind = setting("FAX_KEY", "A key", "nowhere")
        tray: str | None = setting("FAX_TRAY", "A tray", "nowhere")

    assert [(one.name, one.secret) for one in Fax.settings()] == [
        ("FAX_KEY", True),
        ("FAX_TRAY", False),
    ]


@each_connector
def test_without_its_required_settings_there_is_no_config(connector):
    required = {one.name for one in connector.config.settings() if one.required}
    with pytest.raises(ValidationError) as raised:
        connector.config.model_validate({})

    assert {error["loc"][0] for error in raised.value.errors()} == required


@each_row
def test_a_refusal_is_plain_words_and_one_sentence_of_what_to_do(connector, row):
    assert re.fullmatch(r"[a-z][a-z_]{2,40}", row.reason)
    assert row.message.endswith(".")
    assert row.message[0].isupper()
    assert sentences(row.message) == 1
    for fix in (row.fix, row.detailed):
        assert fix is None or (fix.endswith(".") and sentences(fix) == 1), fix
    assert "{" not in row.message + row.fix


@each_connector
def test_reasons_are_unique_and_none_is_the_way_outs(connector):
    reasons = [row.reason for row in connector.answers.rows]

    assert len(set(reasons)) == len(reasons)
    assert not set(reasons) & {row.reason for row in TRANSPORT}


@each_connector
def test_a_connector_reads_in_one_go(connector):
    """About 150 lines of code; its table of refusals stands beside it."""
    lines = (FOLDER / f"{connector.name}.py").read_text().splitlines()

    assert len([line for line in lines if line.strip() and line.strip()[0] != "#"]) <= 170


@each_connector
def test_a_connector_imports_contract_and_errors_and_nothing_else_of_ours(connector):
    own = f"core.connectors._{connector.name}"
    files = [FOLDER / f"{connector.name}.py", *FOLDER.glob(f"_{connector.name}*.py")]
    files += FOLDER.glob(f"_{connector.name}/*.py")
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                ours = name.split(".")[0] in ("core", "bot", "tray")
                allowed = name in ("core.contract", "core.errors") or name.startswith(own)
                assert not ours or allowed, f"{file.name} imports {name}"


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com/api/", "https://example.com/api"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("http://127.0.0.1:8000/x/", "http://127.0.0.1:8000/x"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_an_upstream_lives_at_https_or_on_loopback(address, kept):
    assert base_url(address) == kept


NOT_SECURE = "must begin with https:// (http:// is for this machine only)"
NO_ADDRESS = "must be an address like https://example.com"
TOO_MUCH = "must be an address alone, with no name, password, ? or #"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://upstream.io", NOT_SECURE),
        ("http://127.0.0.1.upstream.io", NOT_SECURE),
        ("http://0.0.0.0", NOT_SECURE),
        ("ftp://localhost", NOT_SECURE),
        ("upstream.io", NO_ADDRESS),
        ("https://", NO_ADDRESS),
        ("https://[::1", NO_ADDRESS),
        ("https://upstream.io:99999", NO_ADDRESS),
        ("https://upstream.io:0", NO_ADDRESS),
        ("https://up stream.io", NO_ADDRESS),
        ("https://upstream.io\n", NO_ADDRESS),
        ("https://ann:hunter2@upstream.io", TOO_MUCH),
        ("https://upstream.io?x=1", TOO_MUCH),
        ("https://upstream.io#x", TOO_MUCH),
    ],
)
def test_any_other_address_is_refused_without_repeating_it(address, words):
    with pytest.raises(ValueError, match="^" + re.escape(words) + "$"):
        base_url(address)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
        ("", False),
        (None, False),
    ],
)
def test_loopback_is_this_machine_and_no_other(host, expected):
    assert loopback(host) is expected


def test_a_secret_travels_in_a_header_of_its_own():
    assert bearer(SecretStr("k")) == {"Authorization": "Bearer k"}
    assert bearer(None) == {}


class Made(Config):
    key: Secret = setting("MADE_KEY", "A key", "nowhere", required=True)


@pytest.mark.parametrize("value", ["", "two words", "line\nbreak", "tab\t", "schlüssel"])
def test_a_secret_that_would_break_a_header_is_refused_without_repeating_it(value):
    with pytest.raises(ValidationError) as raised:
        Made.model_validate({"MADE_KEY": value})

    assert "must be one word" in str(raised.value)
    assert not value or value not in str(raised.value)


def _defaults(action, sandbox):
    filled = sandbox.settings()
    return {
        field.name: filled[field.setting]
        for field in action.input.fields()
        if field.setting in filled and field.name not in action.sample
    }
