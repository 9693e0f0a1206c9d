"""What `sheets.append` takes, and what it refuses."""

import pytest
from pydantic import ValidationError

from core.connectors.sheets import CONNECTOR

ROWS = [["Ada", "42"]]


class TestInput:
    def test_the_range_defaults_to_the_first_tab(self):
        assert CONNECTOR.actions[0].input(values=ROWS).range == "A1"

    def test_texts_are_stripped_and_other_cells_left(self):
        request = CONNECTOR.actions[0].input(values=[[" a ", 1, 2.5, True, None, ""]])

        assert request.values == [["a", 1, 2.5, True, None, ""]]

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ([], "at least 1 item"),
            ([[]], "at least 1 item"),
            ([["", None]], "at least one cell that is not empty"),
            ([["x"]] * 501, "at most 500 items"),
            ([["x"] * 18_279], "at most 18278 items"),
            ([["x" * 50_001]], "a cell takes at most 50,000 characters"),
            ([["x" * 40_000] * 51], "at most 2,000,000 bytes in all"),
            ([[float("inf")]], "must be a finite number"),
            ([[float("nan")]], "must be a finite number"),
            ([[10**15]], "more than 15 digits"),
            ([[["x"]]], "must be text, a number, true, false or empty"),
            ([[{"a": 1}]], "must be text, a number, true, false or empty"),
            ([["a\x07"]], "control character"),
            (["a"], "valid list"),
            ("a,b", "valid list"),
        ],
    )
    def test_rows_are_bounded(self, values, message):
        with pytest.raises(ValidationError, match=message):
            CONNECTOR.actions[0].input(values=values)

    def test_the_longest_cell_and_the_widest_row_are_taken(self):
        CONNECTOR.actions[0].input(values=[["x" * 50_000], ["x"] * 18_278])

    def test_a_cell_s_type_is_in_the_schema(self):
        schema = CONNECTOR.actions[0].input.model_json_schema()
        cell = schema["properties"]["values"]["items"]["items"]

        assert [kind["type"] for kind in cell["anyOf"]] == [
            *("string", "number", "boolean", "null"),
        ]
