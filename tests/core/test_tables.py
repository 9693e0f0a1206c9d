"""Rows as they are typed: lines of cells, or JSON."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.connectors.sheets import CONNECTOR
from core.errors import Fault, InvalidInput
from core.grammar import parse_chat, parse_items, rows, value, written

ROWS = CONNECTOR.actions[0].input
VALUES = next(spec for spec in ROWS.fields() if spec.name == "values")
QUOTES = 'has a cell whose quotes do not fit; write "" for a quote inside a quoted cell'


@pytest.mark.parametrize(
    ("typed", "cells"),
    [
        ("a\tb, c\nd\te", [["a", "b, c"], ["d", "e"]]),
        ("a, b ,c", [["a", "b", "c"]]),
        ("“a, b”, c", [["a, b", "c"]]),
        ('“a "x", b”, c', [['a "x", b', "c"]]),
        ("“a, b", [["“a", "b"]]),
        ('"a ""b""",c', [['a "b"', "c"]]),
        ("5\" pipe,don't", [['5" pipe', "don't"]]),
        ('"two\nlines",x\r\ny,', [["two\nlines", "x"], ["y", ""]]),
        ('"two\r\nlines",x', [["two\nlines", "x"]]),
        ("[[Page]]", [["[[Page]]"]]),
        ("a,b\n  \n\nc,\n,,", [["a", "b"], [""], [""], ["c", ""], ["", "", ""]]),
        ("\n \na,b\n\n  \n", [["a", "b"]]),
        ("a\r\n", [["a"]]),
        ("old,mac\rline,ends", [["old", "mac"], ["line", "ends"]]),
        ("=SUM(A1),+49 30,-1,@x", [["=SUM(A1)", "+49 30", -1, "@x"]]),
        ('42,"42",“42”, 3.5 ,007', [[42, "42", "42", 3.5, "007"]]),
        ("1,50\tx", [["1,50", "x"]]),
        ("\tAda\t42", [["", "Ada", 42]]),
        ("\tAda\nx\t\n\t\t", [["", "Ada"], ["x", ""], ["", "", ""]]),
        ("Ada\tSmith, John\nnote", [["Ada", "Smith, John"], ["note"]]),
        ('Ada\t"two\nlines, one cell"\t5', [["Ada", "two\nlines, one cell", 5]]),
        ('Ada\tsaid, "hi" to all', [["Ada", 'said, "hi" to all']]),
        ('a,"x\ty",b\nc,d,e', [["a", "x\ty", "b"], ["c", "d", "e"]]),
        ('\ufeff"Ada",1\n\ufeffBob,2', [["Ada", 1], ["Bob", 2]]),
        ('""', [[""]]),
    ],
)
def test_lines_are_cells_between_commas_or_tabs(typed, cells):
    found = rows(typed)

    assert found == cells
    assert [type(cell) for row in found for cell in row] == [type(c) for row in cells for c in row]


@pytest.mark.parametrize("typed", ["", "\n\n", " \n \ufeff"])
def test_nothing_typed_is_no_row(typed):
    assert rows(typed) == []


@pytest.mark.parametrize("typed", ['a,"b, c\nd', '"a"b,c', '"' + "x" * 200_000 + ",1", 'a\t"b\tc'])
def test_a_cell_whose_quotes_do_not_fit_is_refused(typed):
    assert _faults(parse_chat, f"range=A1 {typed}") == [Fault("values", QUOTES)]


@pytest.mark.parametrize(
    ("typed", "row", "shown"),
    [
        ("Ada,1\nBob\t2", 1, '"Ada,1"'),
        ("Bob\t2\nAda,1", 2, '"Ada,1"'),
        ('a\tb\nhe said "x", and left', 2, '"he said ""x"", and left"'),
        ("a\tb\n" + "x" * 50 + ",y", 2, '"' + "x" * 40 + '…"'),
    ],
)
def test_tabs_in_some_rows_and_commas_in_others_are_refused(typed, row, shown):
    [fault] = _faults(parse_chat, typed)

    assert fault == Fault(
        "values",
        f"has tabs in some rows and commas in row {row}: put tabs, or commas, between the cells"
        f" of every row; a cell that holds a comma goes in quotes: {shown}",
    )


@pytest.mark.parametrize(
    ("typed", "cells"),
    [
        ('[["Ada", 1]]', [["Ada", 1]]),
        ('[ ["Ada", 1] ]', [["Ada", 1]]),
        ('[\n  [\n    "Ada",\n    1\n  ],\n  [\n    null\n  ]\n]', [["Ada", 1], [None]]),
        ("[1,2,3]", [[1, 2, 3]]),
        ('["Ada", true, 1.5]', [["Ada", True, 1.5]]),
        ('[["3.10", "10.0", "007"]]', [["3.10", "10.0", "007"]]),
        ("[[“Ada”, 1]]", [["Ada", 1]]),
        ('\ufeff[["Ada"]]', [["Ada"]]),
    ],
)
def test_rows_that_begin_with_a_bracket_are_json(typed, cells):
    assert parse_items([f"values={typed}"], ROWS)["values"] == cells
    assert parse_chat(typed, ROWS)["values"] == cells
    assert value(VALUES, typed) == cells


@pytest.mark.parametrize(
    ("typed", "what", "shown"),
    [
        ("[[1,2],[3,4]", "is not valid at line 1, column 13", '"[[1"'),
        ("[x] done,5", "is not valid at line 1, column 2", '"[x] done"'),
        ('[ ] say "hi"\t5', "is not valid at line 1, column 5", '"[ ] say ""hi"""'),
        ("[NaN]", "must not hold NaN", '"[NaN]"'),
        ("[1e999]", "holds a number that is too large", '"[1e999]"'),
        ('[{"a":1,"a":2}]', "a is in the JSON twice", '"[{""a"":1"'),
        ("[[1],2]", "must be rows, [[…], […]], or the cells of one row, […]: not both", '"[[1]"'),
        ("[" * 100_000, "is nested deeper than 32 levels", '"' + "[" * 40 + '…"'),
        ("[" + "9" * 5000 + "]", "holds a number that is too large", '"[' + "9" * 39 + '…"'),
    ],
)
def test_broken_json_rows_are_refused_with_the_way_to_write_a_cell(typed, what, shown):
    [fault] = _faults(parse_chat, typed)

    assert fault.message.startswith(what)
    assert fault.message.endswith(
        " (rows that begin with [ are read as JSON, [[…], […]];"
        f" a cell that begins with [ goes in quotes: {shown})"
    )


def test_what_a_refusal_shows_is_taken():
    assert parse_chat('"[x] done",5', ROWS) == {"values": [["[x] done", 5]]}
    assert parse_items(['"[x] done",5'], ROWS) == {"values": [["[x] done", 5]]}


@pytest.mark.parametrize(
    ("found", "typed"),
    [
        ([["Ada", 42, "42", 3.5]], 'Ada, 42, "42", 3.5'),
        ([["a, b", 'say "hi"', "", None]], '"a, b", "say ""hi""", , '),
        ([[""], ["[x]", "{y}"], [True]], '""\n"[x]", "{y}"\ntrue'),
        (rows("3.10"), "3.1"),
    ],
)
def test_rows_are_shown_as_they_are_typed(found, typed):
    assert written(found) == typed


CELLS = st.one_of(
    st.text(st.characters(exclude_characters="\ufeff\r", exclude_categories=["Cs"])).map(str.strip),
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.decimals(-1000, 1000, places=2).map(float).filter(lambda one: "e" not in repr(one)),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=4))
def test_rows_that_are_shown_are_read_again_as_they_were(found):
    again = rows(written(found))

    assert again == found


def test_pure_text_is_lines_of_cells_whatever_it_begins_with():
    log = "[2026-12-01] started,1\n[2026-12-02] range=A1,2"

    assert parse_items([], ROWS, text=[log]) == {
        "values": [["[2026-12-01] started", 1], ["[2026-12-02] range=A1", 2]]
    }


@pytest.mark.parametrize("typed", ['[["Ada", 1]]', "[1, 2]", "[[1,2],[3,4]", '[ {"a": 1}'])
def test_pure_text_that_looks_like_json_is_no_cell(typed):
    with pytest.raises(InvalidInput) as raised:
        parse_items([], ROWS, text=[typed])

    [fault] = raised.value.faults
    assert "give JSON with values=… or --json" in fault.message


def _faults(parse, typed):
    with pytest.raises(InvalidInput) as raised:
        parse(typed, ROWS)
    return list(raised.value.faults)
