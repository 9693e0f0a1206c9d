"""Which tab a range means, by the spreadsheet's own names."""

import pytest

from core.connectors._sheets.ranges import NoTab, Unclear, a1_range, in_tabs
from core.connectors.sheets import CONNECTOR
from core.errors import InvalidInput
from tests.support.sandbox import Answer
from tests.support.sending import Direct

TABS = ["Sheet1", "Q1", "Plan ", "Jon's", "A:C", "2026"]


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("A1", "A1"),
        ("Q2", "Q2"),
        ("1:5", "1:5"),
        ("'Q1'", "'Q1'"),
        ("q1!A1", "'Q1'!A1"),
        ("'Sheet1'!Q1", "'Sheet1'!Q1"),
        ("sheet1", "'Sheet1'"),
        ("SHEET1!b2", "'Sheet1'!B2"),
        ("Plan!A1", "'Plan '!A1"),
        ("plan", "'Plan '"),
        ("jon's", "'Jon''s'"),
        ("2026", "'2026'"),
        ("My_range", "My_range"),
    ],
)
def test_a_range_gets_the_tab_s_own_name(written, place):
    assert in_tabs(a1_range(written), TABS) == place
    assert in_tabs(place, TABS) == place


@pytest.mark.parametrize("written", ["Q4 plan!A1", "'Q4'", "'Sheet'!A1", "Ｓheet1!A1"])  # noqa: RUF001
def test_a_tab_that_is_not_there_is_named(written):
    with pytest.raises(NoTab):
        in_tabs(a1_range(written), TABS)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "Q1",
            (
                "could be the tab 'Q1' or Q1 in the first tab: write \"'Q1'\" for the tab, or"
                " \"'Sheet1'!Q1\" for the other"
            ),
        ),
        (
            "$q$1",
            (
                "could be the tab 'Q1' or Q1 in the first tab: write \"'Q1'\" for the tab, or"
                " \"'Sheet1'!Q1\" for the other"
            ),
        ),
        (
            "a:c",
            (
                "could be the tab 'A:C' or A:C in the first tab: write \"'A:C'\" for the tab, or"
                " \"'Sheet1'!A:C\" for the other"
            ),
        ),
    ],
)
def test_a_tab_that_looks_like_cells_is_asked_about(written, said):
    with pytest.raises(Unclear) as raised:
        in_tabs(a1_range(written), TABS)

    assert str(raised.value) == said
    ways = said.split('"')[1::2]
    assert [in_tabs(a1_range(way), TABS) for way in ways] == ways


def test_two_tabs_that_look_alike_are_asked_about():
    tabs = ["Plan ", "plan", "Notes"]

    with pytest.raises(Unclear) as raised:
        in_tabs(a1_range("PLAN!A1"), tabs)

    assert str(raised.value) == (
        "could be any of the tabs 'Plan ', 'plan': write the name of one exactly:"
        " \"'Plan '!A1\", \"'plan'!A1\""
    )
    assert in_tabs(a1_range("'Plan '!A1"), tabs) == "'Plan '!A1"
    assert in_tabs(a1_range("plan!A1"), tabs) == "'plan'!A1"


def test_what_could_be_a_tab_is_refused_before_anything_is_written(sandbox):
    with Direct(CONNECTOR, sandbox) as sheets, pytest.raises(InvalidInput) as raised:
        sheets.send(range="CRM26", values=[["x"]])

    [fault] = raised.value.faults
    assert fault.field == "range"
    assert fault.message.startswith("could be the tab 'CRM26' or CRM26 in the first tab: write")
    assert not sandbox.sheets.writes


def test_a_tab_made_a_moment_ago_is_seen(sandbox):
    with Direct(CONNECTOR, sandbox) as sheets:
        sheets.send(range="Q1", values=[["x"]])
        titles = [{"properties": {"title": title}} for title in ("Sheet1", "q1")]
        sandbox.sheets.next(Answer(200, json={"sheets": titles}), on="spreadsheets.get")

        with pytest.raises(InvalidInput):
            sheets.send(range="Q1", values=[["x"]])

    assert len(sandbox.sheets.writes) == 1
