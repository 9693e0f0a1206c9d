"""A1 notation as people write it, and cells as Sheets takes them."""

import json
import math
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.connectors._sheets.ranges import a1_range, cells, column_of, quote_tab, tab_of
from core.sandbox import a1

# A busy machine is not a failure.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("A1", "A1"),
        ("a1", "A1"),
        ("$A$1", "A1"),
        ("A1:C3", "A1:C3"),
        ("A:C", "A:C"),
        ("A2:C", "A2:C"),
        ("A5:A", "A5:A"),
        ("1:5", "1:5"),
        ("ZZZ1", "ZZZ1"),
        ("Sheet1", "Sheet1"),
        ("My_range", "My_range"),
        ("Sheet1!A1", "'Sheet1'!A1"),
        ("Sheet1!a:c", "'Sheet1'!A:C"),
        ("Q3 plan", "'Q3 plan'"),
        ("Q3 plan!A:C", "'Q3 plan'!A:C"),
        ("'Q3 plan'", "'Q3 plan'"),
        ("'Q3 plan'!A:C", "'Q3 plan'!A:C"),
        ("CRM26!A1", "'CRM26'!A1"),
        ("'CRM26'", "'CRM26'"),
        ("CRM26", "CRM26"),
        ("DF1!B2", "'DF1'!B2"),
        ("Jon's!A1", "'Jon''s'!A1"),
        ("'Jon''s'!A1", "'Jon''s'!A1"),
        ("Jon's", "'Jon''s'"),
        ("Wow!!A1", "'Wow!'!A1"),
        ("'Wow!'", "'Wow!'"),
        ("2026", "'2026'"),
        ("Übersicht!A1", "'Übersicht'!A1"),
        ("  A1 ", "A1"),
    ],
)
def test_a_range_is_written_as_google_wants_it(given, expected):
    assert a1_range(given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("Sheet1!", "must end in cells"),
        ("Sheet1!A", "must end in cells"),
        ("Sheet1!A0", "must end in cells"),
        ("Sheet1!R1C1", "must end in cells"),
        ("Sheet1!A1:", "must end in cells"),
        ("'Sheet1'!A1;B2", "must end in cells"),
        ("'Sheet1'!", "must end in cells"),
        ("Wow!", "must end in cells"),
        ("!A1", "names no tab"),
        ("' '!A1", "names no tab"),
    ],
)
def test_what_is_no_range_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        a1_range(given)


@pytest.mark.parametrize(
    ("place", "tab", "column"),
    [
        ("A1", None, "A"),
        ("b2:C", None, "B"),
        ("1:5", None, None),
        ("'Q3 plan'!D7:E7", "Q3 plan", "D"),
        ("'Jon''s'!A1", "Jon's", "A"),
        ("Sheet1!AB3", "Sheet1", "AB"),
        ("'Q3 plan'", "Q3 plan", None),
        ("Sheet1", None, None),
        ("", None, None),
    ],
)
def test_a_range_s_tab_and_first_column_are_found(place, tab, column):
    assert (tab_of(place), column_of(place)) == (tab, column)


TABS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(
    lambda tab: tab.strip() == tab
)
CELLS = st.from_regex(
    r"\A([A-Y]{1,3}[1-9][0-9]{0,4}(:[A-Y]{1,3}[1-9][0-9]{0,4})?|[A-Y]{1,2}:[A-Y]{1,3})\Z"
)


@UNTIMED
@given(TABS, CELLS)
def test_any_tab_in_quotes_is_understood_and_stays_as_it_is(tab, cell):
    place = f"{quote_tab(tab)}!{cell}"

    assert a1_range(place) == place
    assert (tab_of(place), column_of(place)) == (tab, a1_first_column(cell))
    assert a1.parse(place, [tab]).tab == tab


@UNTIMED
@given(TABS.filter(lambda tab: not tab.startswith("'")), CELLS)
def test_any_tab_without_quotes_gets_them(tab, cell):
    assert a1_range(f"{tab}!{cell}") == f"{quote_tab(tab)}!{cell}"


@UNTIMED
@given(st.text(max_size=60))
def test_a_range_once_accepted_is_accepted_again_unchanged(text):
    try:
        place = a1_range(text)
    except ValueError:
        return
    assert a1_range(place) == place


def a1_first_column(cell):
    return cell.partition(":")[0].rstrip("0123456789")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("42", 42),
        ("-42", -42),
        ("4.5", 4.5),
        ("-0.25", -0.25),
        ("1.50", 1.5),
        ("0.30000000000000004", 0.30000000000000004),
        ("999999999999999", 999999999999999),
    ],
)
def test_a_strictly_numeric_text_becomes_a_number(text, number):
    assert cells([[text]]) == [[number]]
    assert isinstance(cells([[text]])[0][0], type(number))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "007",
        "+4930123456",
        "00",
        "-",
        ".5",
        "5.",
        "1,5",
        "1 000",
        "1e5",
        "0x10",
        "1_000",
        "1000000000000000",
        "4111111111111111",
        "123456789012345.123456",
        "3.14159265358979323846",
        "٣",
        "=1+1",
        "-2+3",
        "true",
        "FALSE",
        "NaN",
        "Infinity",
        "2026-12-01",
        "5\n",
    ],
)
def test_all_other_text_stays_text(text):
    assert cells([[text]]) == [[text]]


def test_what_is_no_text_stays_as_it_is():
    given = [[1, 2.5, True, False, None]]

    assert cells(given) == given
    assert [type(cell) for cell in cells(given)[0]] == [int, float, bool, bool, type(None)]


@UNTIMED
@given(st.text())
def test_a_text_is_kept_or_loses_not_one_digit_as_a_number(text):
    [[cell]] = cells([[text]])

    assert cell == text or Decimal(json.dumps(cell)) == Decimal(text)


@UNTIMED
@given(st.from_regex(r"\A-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,20})?\Z"))
def test_a_number_is_never_changed_on_its_way(text):
    [[cell]] = cells([[text]])

    assert cell == text or Decimal(json.dumps(cell)) == Decimal(text)
    assert cell == text or abs(cell) < 10**15


@UNTIMED
@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e14, max_value=1e14))
def test_a_number_a_program_printed_becomes_that_number(number):
    text = format(Decimal(repr(number)), "f")
    [[cell]] = cells([[text]])

    assert math.isclose(float(cell), number, rel_tol=0, abs_tol=0)
