"""A1 notation as people write it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.connectors._sheets.ranges import a1_range, column_of, quote_tab, tab_and_cells
from core.sandbox import a1_notation

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
    assert (tab_and_cells(place)[0], column_of(place)) == (tab, column)


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
    assert (tab_and_cells(place)[0], column_of(place)) == (tab, a1_first_column(cell))
    assert a1_notation.parse(place, [tab]).tab == tab


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
