"""Every answer of Google's: what it means, what to do, and how often it was asked."""

import json

import pytest

from core.connectors.sheets import CONNECTOR
from core.sandbox.credentials import SERVICE_ACCOUNT
from tests.support.google_answers import said
from tests.support.sandbox import Answer, DropAfter
from tests.support.sending import REQUESTS, Direct, check_told

ROWS = [["Ada", "42"]]
NOW = {"Retry-After": "0"}
ANY_KEY = "Make a new JSON key for the service account and put it in GOOGLE_SERVICE_ACCOUNT_JSON."
LOOK = "Look at the end of the tab before you send them again."
A_MINUTE = "Wait a minute, then send it again; many rows fit in one send."
TABS = (
    "The tabs are: Sheet1, Q3 plan, Jon's, CRM26, Übersicht; write one of them, then ! and a cell"
    " such as A1."
)


def invalid(message):
    return said(400, "INVALID_ARGUMENT", message)


ON_APPEND = {
    "not shared": (
        said(403, "PERMISSION_DENIED", "The caller does not have permission"),
        "refused",
        "not_shared",
        f"Share the spreadsheet, as Editor, with {SERVICE_ACCOUNT}.",
    ),
    "API off, by its reason": (
        said(403, "PERMISSION_DENIED", "…", reason="SERVICE_DISABLED"),
        "refused",
        "api_disabled",
        (
            "Open https://console.cloud.google.com/apis/library/sheets.googleapis.com"
            "?project=levqor-sandbox, choose Enable and wait a few minutes."
        ),
    ),
    "API off, by its words": (
        said(
            *(403, "PERMISSION_DENIED"),
            "Google Sheets API has not been used in project 123 before or it is disabled.",
        ),
        "refused",
        "api_disabled",
        (
            "Open https://console.cloud.google.com/apis/library/sheets.googleapis.com"
            "?project=levqor-sandbox, choose Enable and wait a few minutes."
        ),
    ),
    "no spreadsheet": (
        said(404, "NOT_FOUND", "Requested entity was not found."),
        "refused",
        "no_spreadsheet",
        "Open the spreadsheet and put its address in GOOGLE_SHEETS_SPREADSHEET_ID.",
    ),
    "Excel file": (
        said(400, "FAILED_PRECONDITION", "This operation is not supported for this document"),
        "refused",
        "excel_file",
        (
            "Open it, choose File > Save as Google Sheets, and put the new address in"
            " GOOGLE_SHEETS_SPREADSHEET_ID."
        ),
    ),
    "outside the grid": (
        invalid("Range (Sheet1!AZ1) exceeds grid limits. Max rows: 1000, max columns: 26"),
        "refused",
        "outside_grid",
        (
            "Add columns to the tab, or begin further left; a tab whose name looks like a cell is"
            " written with a cell after it: CRM26!A1."
        ),
    ),
    "protected": (
        invalid("You are trying to edit a protected cell or object. Please contact the owner."),
        "refused",
        "protected",
        f"Let {SERVICE_ACCOUNT} edit it: Data > Protect sheets and ranges.",
    ),
    "protected, as 403": (
        said(403, "PERMISSION_DENIED", "You are trying to edit a protected cell or object."),
        "refused",
        "protected",
        f"Let {SERVICE_ACCOUNT} edit it: Data > Protect sheets and ranges.",
    ),
    "workbook full": (
        invalid(
            "This action would increase the number of cells in the workbook above the limit of"
            " 10000000 cells."
        ),
        "refused",
        "workbook_full",
        "Delete rows and columns that are not used, or begin a new spreadsheet.",
    ),
    "cell too long": (
        invalid("Your input contains more than the maximum of 50000 characters in a single cell."),
        "refused",
        "cell_too_long",
        "Shorten that cell, or put its text in several.",
    ),
    "another 400": (
        invalid("Invalid value at 'data'"),
        "refused",
        "invalid",
        "Compare the range and the rows with the spreadsheet; nothing was written.",
    ),
    "rate": (
        said(
            *(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Write requests'"),
            reason="RATE_LIMIT_EXCEEDED",
            headers=NOW,
        ),
        "not_sent",
        "too_fast",
        A_MINUTE,
    ),
    "500": (said(500, "INTERNAL", "Internal error encountered."), "unknown", "failed", LOOK),
    "502": (Answer(502, "<html>"), "unknown", "failed", LOOK),
    "503": (said(503, "UNAVAILABLE", headers=NOW), "unknown", "failed", LOOK),
    "504": (said(504, "DEADLINE_EXCEEDED"), "unknown", "failed", LOOK),
    "408": (Answer(408, "<html>"), "unknown", "failed", LOOK),
    "403 from elsewhere": (
        Answer(403, "<html>blocked</html>"),
        "refused",
        "unrecognised",
        "Run levqor doctor to check the settings for Google Sheets, then try again.",
    ),
    "a login page": (
        Answer(200, "<html>Log in to the network</html>"),
        "unknown",
        "unexpected_answer",
        ("Look at the end of the tab, and check that no proxy is between Levqor and Google."),
    ),
    "redirect": (
        Answer(302, headers={"Location": "https://login.example"}),
        "unknown",
        "unexpected_answer",
        ("Look at the end of the tab, and check that no proxy is between Levqor and Google."),
    ),
}


@pytest.mark.parametrize("row", ON_APPEND.values(), ids=ON_APPEND)
def test_an_answer_to_the_rows_is_explained_and_repeated_only_if_they_were_not_sent(sandbox, row):
    answer, *told = row
    values = {"values": ROWS}
    error = check_told(CONNECTOR, sandbox, values, answer, told, on="values.append")
    assert error.fix == told[-1]
    assert len(sandbox.sheets.received) == 1 + REQUESTS[error.outcome]


class TestAWrongTab:
    def test_is_answered_with_the_tabs_there_are(self, sheets, sandbox):
        error = sheets.failing(range="Q4 plan!A1", values=ROWS)

        assert (error.outcome, error.reason, error.fix) == ("refused", "no_such_range", TABS)
        assert [request.call for request in sandbox.sheets.received] == [
            *("token", "spreadsheets.get"),
        ]

    def test_is_no_named_range_either(self, sheets, sandbox):
        error = sheets.failing(range="Q4_plan", values=ROWS)

        assert (error.outcome, error.reason, error.fix) == ("refused", "no_such_range", TABS)
        assert [request.call for request in sandbox.sheets.received] == [
            *("token", "spreadsheets.get", "values.append"),
        ]

    def test_of_a_spreadsheet_without_any_gets_the_general_fix(self, sheets, sandbox):
        sandbox.sheets.always(Answer(200, json={"sheets": []}), on="spreadsheets.get")

        assert sheets.failing(range="Q4 plan!A1", values=ROWS).fix == (
            "Write the tab's name exactly as it is in the spreadsheet, then ! and a cell:"
            " 'Q3 plan'!A1."
        )

    @pytest.mark.parametrize(
        ("answer", "told", "asked"),
        [
            (said(500, "INTERNAL"), ("not_sent", "down"), 3),
            (said(403, "PERMISSION_DENIED"), ("refused", "not_shared"), 1),
            (Answer(200, "<html>"), ("not_sent", "down"), 3),
            (DropAfter(), ("not_sent", "dropped_before"), 3),
        ],
        ids=["500", "403", "no JSON", "dropped"],
    )
    def test_is_not_guessed_when_the_tabs_cannot_be_read(
        self, sheets, sandbox, answer, told, asked
    ):
        sandbox.sheets.always(answer, on="spreadsheets.get")

        error = sheets.failing(range="Sheet1!A1", values=ROWS)

        assert (error.outcome, error.reason) == told
        assert len(sandbox.sheets.calls("spreadsheets.get")) == asked
        assert not sandbox.sheets.calls("values.append")

    def test_has_at_most_twenty_tabs_named(self, sheets, sandbox):
        tabs = [{"properties": {"title": f"tab {n}"}} for n in range(23)]
        sandbox.sheets.next(Answer(200, json={"sheets": tabs}), on="spreadsheets.get")

        error = sheets.failing(range="Q4 plan!A1", values=ROWS)

        assert "tab 18, tab 19 and 3 more; write one" in error.fix


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (said(403, "PERMISSION_DENIED"), "not_shared"),
        (said(403, "PERMISSION_DENIED", reason="SERVICE_DISABLED"), "api_disabled"),
        (said(404, "NOT_FOUND"), "no_spreadsheet"),
        (said(400, "FAILED_PRECONDITION", "not supported for this document"), "excel_file"),
        (said(429, "RESOURCE_EXHAUSTED"), "too_fast"),
        (said(500, "INTERNAL"), "down"),
        (Answer(200, "<html>"), "down"),
    ],
    ids=["not shared", "API off", "no spreadsheet", "Excel", "rate", "500", "no JSON"],
)
def test_a_probe_fails_once_with_the_reason(sheets, sandbox, answer, reason):
    sandbox.sheets.always(answer, on="spreadsheets.get")

    assert sheets.failing_probe().reason == reason
    assert [request.call for request in sandbox.sheets.received] == ["token", "spreadsheets.get"]


def test_an_account_without_a_project_gets_the_general_fix(sandbox):
    info = json.loads(sandbox.settings()["GOOGLE_SERVICE_ACCOUNT_JSON"])
    key_file = json.dumps({**info, "project_id": ""})
    answer = said(403, "PERMISSION_DENIED", reason="SERVICE_DISABLED")
    sandbox.sheets.always(answer, on="values.append")

    with Direct(CONNECTOR, sandbox, GOOGLE_SERVICE_ACCOUNT_JSON=key_file) as sheets:
        error = sheets.failing(values=ROWS)

    assert error.fix == (
        "In Google Cloud, open APIs & Services, enable the Google Sheets API and wait a few"
        " minutes."
    )


def test_a_wait_longer_than_the_run_is_told_and_not_slept(sheets, sandbox):
    answer = said(429, "RESOURCE_EXHAUSTED", headers={"Retry-After": "3600"})
    sandbox.sheets.always(answer, on="values.append")

    error = sheets.failing(values=ROWS)

    assert error.body()["retry_after"] == 3600
    assert len(sandbox.sheets.calls("values.append")) == 1


def test_what_may_have_been_done_comes_with_no_invitation_to_repeat(sheets, sandbox):
    sandbox.sheets.always(said(503, "UNAVAILABLE", headers=NOW), on="values.append")

    error = sheets.failing(values=ROWS)

    assert error.body()["in_doubt"] is True
    assert "retry_after" not in error.body()


def test_google_s_own_words_are_never_passed_on(sheets, sandbox):
    sandbox.sheets.always(invalid("canary@example.com said no"), on="values.append")

    error = sheets.failing(values=ROWS)

    assert "canary" not in f"{error!r} {error.body()}"
