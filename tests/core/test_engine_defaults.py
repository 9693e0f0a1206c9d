"""What a setting fills in obeys a field's own rules, and a refusal names the setting."""

import pytest

from core.engine import Engine
from core.errors import InvalidInput, NotConfigured
from core.settings import Settings
from tests.support.asking import ADA
from tests.support.engines import both

pytestmark = both

ROWS = {"values": [["x"]]}


@pytest.fixture
def refused(home, environ):
    """What an action is refused for, with these settings beside the sandbox's own."""

    def run(action, values, **changed):
        settings = Settings(home, environ={**environ, **changed})
        with Engine.open(settings) as engine:
            try:
                return engine.run(action, values, ADA).error
            except (InvalidInput, NotConfigured) as error:
                return error

    return run


@pytest.mark.parametrize(
    ("action", "values", "setting", "value", "what"),
    [
        ("sheets.append", ROWS, "SHEETS_RANGE_DEFAULT", "Q3!A0", "must end in cells"),
        ("telegram.send", {"text": "x"}, "TELEGRAM_CHAT_ID_DEFAULT", "general", "must be a number"),
        ("notion.create", {"props": {"title": "x"}}, "NOTION_DATABASE_ID_DEFAULT", "x", "32"),
    ],
)
def test_a_setting_that_is_broken_is_named_and_not_the_field(
    refused, action, values, setting, value, what
):
    error = refused(action, values, **{setting: value})

    assert isinstance(error, NotConfigured)
    assert setting in error.message + (error.fix or "")
    assert what in error.message
    assert error.settings == (setting,)


def test_what_only_the_service_knows_of_a_setting_names_it(refused, sandbox):
    error = refused("sheets.append", ROWS, SHEETS_RANGE_DEFAULT="CRM26")

    assert [fault.field for fault in error.faults] == ["SHEETS_RANGE_DEFAULT"]
    assert error.faults[0].message.startswith("could be the tab 'CRM26' or CRM26 in the first tab")
    assert not sandbox.sheets.writes


def test_a_default_tab_that_is_not_there_names_the_setting(refused):
    error = refused("sheets.append", ROWS, SHEETS_RANGE_DEFAULT="Q4 plan!A1")

    assert error.reason == "no_such_range"
    assert error.fix.startswith("Set SHEETS_RANGE_DEFAULT to one of the tabs: Sheet1, ")


def test_a_field_that_was_written_is_named_itself(refused):
    given = {**ROWS, "range": "CRM26"}
    error = refused("sheets.append", given, SHEETS_RANGE_DEFAULT="Sheet1!A1")

    assert [fault.field for fault in error.faults] == ["range"]


def test_what_is_wrong_with_the_input_is_told_beside_a_broken_setting(refused):
    error = refused("sheets.append", {"values": []}, SHEETS_RANGE_DEFAULT="Q3!A0")

    told = {fault.field: fault.message for fault in error.faults}
    assert set(told) == {"SHEETS_RANGE_DEFAULT", "values"}
