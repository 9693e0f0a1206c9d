"""What a typed cell becomes: a plain numeral is a number, all else is text."""

import contextlib
import json
import sys
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.contract import TypedNumber
from core.grammar import rows
from core.grammar.tables import typed_cell

# A busy machine is not a failure.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("42", 42),
        ("-42", -42),
        ("4.5", 4.5),
        ("-3.5", -3.5),
        ("-0.25", -0.25),
        ("3.50", 3.5),
        ("10.0", 10.0),
        ("0.000", 0.0),
        ("999999999999999", 999999999999999),
        ("12345678.1234567", 12345678.1234567),
    ],
)
def test_a_plain_numeral_is_a_number(text, number):
    assert typed_cell(text) == number
    assert isinstance(typed_cell(text), type(number))


@pytest.mark.parametrize(
    "text",
    [
        *("", "007", "+1", "+4930123456", "00", "-", "-0", "-0.0", "-007", "--1", "- 1"),
        *(".5", "5.", "1,50", "1.000.000", "1 000", "1'000", "1_000", "1e3", "0x10", "5\n"),
        *("1000000000000000", "4111111111111111", "123456789012345.1", "0.000000000000001"),
        *("3.14159265358979323846", "١٢", "٣", "１２", "²", "½", "=1+1", "-2+3", "10%", "$5"),  # noqa: RUF001
        *("true", "FALSE", "NaN", "Infinity", "2026-12-01", "12:30"),
    ],
)
def test_all_other_text_stays_text(text):
    assert typed_cell(text) == text


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("3.10", "3.1"), ("10.0", "10"), ("0.00", "0"), ("-3.50", "-3.5"), ("100.0", "100")],
)
def test_a_number_that_loses_digits_knows_which(typed, stored):
    cell = typed_cell(typed)

    assert isinstance(cell, TypedNumber)
    assert (cell.typed, cell.stored) == (typed, stored)
    assert Decimal(json.dumps(cell)) == Decimal(stored)


@pytest.mark.parametrize("typed", ["3.1", "42", "100", "-0.25", "0"])
def test_a_number_that_keeps_its_digits_has_nothing_to_say(typed):
    assert not isinstance(typed_cell(typed), TypedNumber)


@UNTIMED
@given(st.text() | st.from_regex(r"\A-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,20})?\Z"))
def test_a_text_is_kept_or_is_exactly_that_number(text):
    cell = typed_cell(text)

    if cell != text:
        assert Decimal(json.dumps(cell)) == Decimal(text)
        shown = cell.stored if isinstance(cell, TypedNumber) else text
        assert Decimal(shown) == Decimal(text)


@UNTIMED
@given(st.text(st.characters(exclude_characters='"“”\ufeff', exclude_categories=["Cs"])))
def test_a_cell_in_quotes_stays_the_text_it_is(text):
    ended = text.replace("\r\n", "\n").replace("\r", "\n")

    assert rows(f'"{text}"') == [[ended.strip()]]
    assert rows(f'x,"{text}"\n1') == [["x", ended.strip()], [1]]


def steps(text):
    """How many lines of Python reading these rows takes."""
    count = 0

    def trace(_frame, event, _arg):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with contextlib.suppress(ValueError):
            rows(text)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("piece", ['"', "“", ",", "\t", "\n", 'a"', ',"', '""', " ", '\t"', '"\n'])
def test_the_work_on_hostile_rows_grows_no_faster_than_they_do(piece):
    assert steps(piece * 8_000) <= 2.5 * steps(piece * 4_000) + 100
