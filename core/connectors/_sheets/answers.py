"""What Google may say, in plain words, and which of it an answer says.

Codes: https://developers.google.com/workspace/sheets/api/troubleshoot-api-errors and, for the
token, https://developers.google.com/identity/protocols/oauth2/service-account#error-codes
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from core.contract import AnswerRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.contract import Answer
    from core.errors import UpstreamError

NOT_SHARED = AnswerRow(
    "not_shared",
    "refused",
    "The spreadsheet is not shared with the service account, or only for reading.",
    "Share the spreadsheet, as Editor, with the client_email of the key file.",
    "Share the spreadsheet, as Editor, with {email}.",
)
API_DISABLED = AnswerRow(
    "api_disabled",
    "refused",
    "The Google Sheets API is switched off in the service account's project.",
    "In Google Cloud, open APIs & Services, enable the Google Sheets API and wait a few minutes.",
    "Open https://console.cloud.google.com/apis/library/sheets.googleapis.com?project={project},"
    " choose Enable and wait a few minutes.",
)
NO_SPREADSHEET = AnswerRow(
    "no_spreadsheet",
    "refused",
    "Google has no spreadsheet with that id.",
    "Open the spreadsheet and put its address in GOOGLE_SHEETS_SPREADSHEET_ID.",
)
EXCEL_FILE = AnswerRow(
    "excel_file",
    "refused",
    "That is an Excel file (.xlsx) kept in Drive, not a Google spreadsheet.",
    "Open it, choose File > Save as Google Sheets, and put the new address in"
    " GOOGLE_SHEETS_SPREADSHEET_ID.",
)
NO_SUCH_RANGE = AnswerRow(
    "no_such_range",
    "refused",
    "The spreadsheet has no tab of that name, or the range is not written as A1 notation.",
    "Write the tab's name exactly as it stands in the spreadsheet, then ! and a cell:"
    " 'Q3 plan'!A1.",
    "The tabs are: {tabs}; write one of them, then ! and a cell such as A1.",
)
NO_SUCH_DEFAULT = replace(
    NO_SUCH_RANGE, detailed="Set SHEETS_RANGE_DEFAULT to one of the tabs: {tabs}."
)
OUTSIDE_GRID = AnswerRow(
    "outside_grid",
    "refused",
    "The range or the rows reach beyond the columns the tab has.",
    "Add columns to the tab, or begin further left; a tab whose name looks like a cell is"
    " written with a cell after it: CRM26!A1.",
)
PROTECTED = AnswerRow(
    "protected",
    "refused",
    "That part of the spreadsheet is protected.",
    "Let the client_email of the key file edit it: Data > Protect sheets and ranges.",
    "Let {email} edit it: Data > Protect sheets and ranges.",
)
WORKBOOK_FULL = AnswerRow(
    "workbook_full",
    "refused",
    "The spreadsheet is full: Google allows 10 million cells.",
    "Delete rows and columns that are not used, or begin a new spreadsheet.",
)
CELL_TOO_LONG = AnswerRow(
    "cell_too_long",
    "refused",
    "A cell is longer than the 50,000 characters Google allows.",
    "Shorten that cell, or put its text in several.",
)
INVALID = AnswerRow(
    "invalid",
    "refused",
    "Google did not accept the rows.",
    "Compare the range and the rows with the spreadsheet; nothing was written.",
)
TOKEN_REFUSED = AnswerRow(
    "token_refused",
    "refused",
    "Google does not accept the service account's access, not even with a new token.",
    "Make a new JSON key for the service account and put it in GOOGLE_SERVICE_ACCOUNT_JSON.",
)
TOO_FAST = AnswerRow(
    "too_fast",
    "not_sent",
    "Google takes 60 writes a minute from one service account, and they are used up.",
    "Wait a minute, then send it again; many rows fit in one send.",
)
FAILED = AnswerRow(
    "failed",
    "unknown",
    "Google failed while it was writing: the rows may be there or not.",
    "Look at the end of the tab before you send them again.",
)
DOWN = AnswerRow(
    "down",
    "not_sent",
    "Google does not answer as it should at the moment.",
    "Wait a few minutes, then try again.",
)
UNEXPECTED = AnswerRow(
    "unexpected_answer",
    "unknown",
    "The answer was not one that Google gives.",
    "Look at the end of the tab, and check that no proxy stands between Levqor and Google.",
)
UNRECOGNISED = AnswerRow(
    "unrecognised",
    "refused",
    "Google refused the rows and gave a reason that Levqor does not know.",
    "Run levqor doctor to check the settings for Google Sheets, then try again.",
)
KEY_DELETED = AnswerRow(
    "key_deleted",
    "refused",
    "Google does not know the key: it was deleted or replaced, or it belongs to another account.",
    "Make a new JSON key for the service account and put it in GOOGLE_SERVICE_ACCOUNT_JSON.",
    "Make a new JSON key for {email} and put it in GOOGLE_SERVICE_ACCOUNT_JSON.",
)
KEY_DAMAGED = AnswerRow(
    "key_damaged",
    "refused",
    "The service account's private key is damaged, so nothing can be signed with it.",
    "Copy the key file whole, best as base64, and put it in GOOGLE_SERVICE_ACCOUNT_JSON.",
)
CLOCK_WRONG = AnswerRow(
    "clock_wrong",
    "refused",
    "This computer's clock is wrong, so Google does not accept its signature.",
    "Set the date and time automatically (on Linux: timedatectl set-ntp true), then send again.",
)
ACCOUNT_GONE = AnswerRow(
    "account_gone",
    "refused",
    "The service account was deleted or disabled.",
    "Enable or restore it in Google Cloud, or make a new one and share the spreadsheet with it.",
    "Enable or restore {email} in Google Cloud, or make a new service account and share the"
    " spreadsheet with it.",
)
NO_TOKEN = AnswerRow(
    "no_token",
    "refused",
    "Google gives the service account no access token.",
    "Make a new JSON key for the service account and put it in GOOGLE_SERVICE_ACCOUNT_JSON.",
)

REFUSALS = (
    *(NOT_SHARED, API_DISABLED, NO_SPREADSHEET, EXCEL_FILE, NO_SUCH_RANGE, OUTSIDE_GRID),
    *(PROTECTED, WORKBOOK_FULL, CELL_TOO_LONG, INVALID, TOKEN_REFUSED, TOO_FAST, FAILED),
    *(
        DOWN,
        UNRECOGNISED,
        UNEXPECTED,
        KEY_DELETED,
        KEY_DAMAGED,
        CLOCK_WRONG,
        ACCOUNT_GONE,
        NO_TOKEN,
    ),
)

# Google's codes say no more than INVALID_ARGUMENT; only the sentence tells what is wrong.
_BAD_REQUEST_WORDS = (
    ("not supported for this document", EXCEL_FILE),
    ("unable to parse range", NO_SUCH_RANGE),
    ("exceeds grid limits", OUTSIDE_GRID),
    ("protected cell", PROTECTED),
    ("cells in the workbook", WORKBOOK_FULL),
    ("50000 characters", CELL_TOO_LONG),
)
_TOKEN_WORDS = (
    ("short-lived token", CLOCK_WRONG),
    ("jwt signature", KEY_DELETED),
    ("account not found", ACCOUNT_GONE),
    ("disabled", ACCOUNT_GONE),
)


class Fault(BaseModel):
    """What the API says went wrong."""

    status: str = ""
    message: str = ""
    details: list[dict[str, Any]] = Field(default_factory=list)


class ApiError(BaseModel):
    """The API's error body."""

    error: Fault


class TokenError(BaseModel):
    """The token endpoint's error body, which has OAuth's shape."""

    error: str = ""
    error_description: str = ""


def explain(answer: Answer, *, wrote: bool = True, values: Mapping[str, str]) -> UpstreamError:
    """Say what the API's answer means; `wrote` tells a write's failure from a look's."""
    body = answer.parse(ApiError)
    said = body.error if body else Fault()
    row = _row(answer.status, said, wrote=wrote)
    return _error(row, answer, values)


def _row(status: int, said: Fault, *, wrote: bool) -> AnswerRow:
    if status < 400:
        return UNEXPECTED if wrote else DOWN
    if status == 408 or status >= 500:
        return FAILED if wrote else DOWN
    by_status = {
        400: _worded(said.message, _BAD_REQUEST_WORDS) or INVALID,
        401: TOKEN_REFUSED,
        403: _worded(said.message, _BAD_REQUEST_WORDS) or _forbidden(said),
        404: NO_SPREADSHEET,
        429: TOO_FAST,
    }
    return by_status.get(status, UNRECOGNISED)


def _forbidden(said: Fault) -> AnswerRow:
    reasons = {detail.get("reason") for detail in said.details}
    if "SERVICE_DISABLED" in reasons or "has not been used in project" in said.message:
        return API_DISABLED
    return NOT_SHARED if said.status == "PERMISSION_DENIED" else UNRECOGNISED


def explain_token(answer: Answer, values: Mapping[str, str]) -> UpstreamError:
    """Say what the token endpoint's answer means; no row was written yet."""
    said = answer.parse(TokenError) or TokenError()
    row = _worded(said.error_description, _TOKEN_WORDS) or NO_TOKEN
    if answer.status == 429:
        row = TOO_FAST
    elif answer.status < 400 or answer.status == 408 or answer.status >= 500:
        row = DOWN
    return _error(row, answer, values)


def _worded(text: str, table: Iterable[tuple[str, AnswerRow]]) -> AnswerRow | None:
    return next((row for words, row in table if words in text.lower()), None)


def _error(row: AnswerRow, answer: Answer, values: Mapping[str, str]) -> UpstreamError:
    # A wait would only tempt to repeat what may have been done.
    wait = answer.retry_after if row.outcome == "not_sent" else None
    known = {"email": "", "project": "", "tabs": ""} | dict(values)
    wanted = [name for name in known if row.detailed and f"{{{name}}}" in row.detailed]
    return row.error(retry_after=wait, values=known if all(known[n] for n in wanted) else None)
