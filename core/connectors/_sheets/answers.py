"""What Google may say, in plain words, and which of it an answer says.

Codes: https://developers.google.com/workspace/sheets/api/troubleshoot-api-errors and, for the
token, https://developers.google.com/identity/protocols/oauth2/service-account#error-codes
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field

from core.contract import Answer, AnswerModel, AnswerTable, not_sent, refused
from core.errors import UpstreamError

NO_SUCH_RANGE = refused(
    "no_such_range",
    "The spreadsheet has no tab of that name, or the range is not written as A1 notation.",
    "Write the tab's name exactly as it is in the spreadsheet, then ! and a cell: 'Q3 plan'!A1.",
    "The tabs are: {tabs}; write one of them, then ! and a cell such as A1.",
)
NO_SUCH_DEFAULT = replace(
    NO_SUCH_RANGE, detailed="Set SHEETS_RANGE_DEFAULT to one of the tabs: {tabs}."
)
TOO_FAST = not_sent(
    "too_fast",
    "Google takes 60 writes a minute from one service account, and they are used up.",
    "Wait a minute, then send it again; many rows fit in one send.",
)
KEY_DAMAGED = refused(
    "key_damaged",
    "The service account's private key is damaged, so nothing can be signed with it.",
    "Copy the key file whole, best as base64, and put it in GOOGLE_SERVICE_ACCOUNT_JSON.",
)
NO_TOKEN = refused(
    "no_token",
    "Google gives the service account no access token.",
    "Make a new JSON key for the service account and put it in GOOGLE_SERVICE_ACCOUNT_JSON.",
)

# What the token endpoint says; its codes say no more than invalid_grant.
_TOKEN_TEXTS = {
    "short-lived token": refused(
        "clock_wrong",
        "This computer's clock is wrong, so Google does not accept its signature.",
        "Set the date and time automatically (on Linux: timedatectl set-ntp true), then send"
        " again.",
    ),
    "jwt signature": refused(
        "key_deleted",
        "Google does not know the key: it was deleted or replaced, or it belongs to another"
        " account.",
        "Make a new JSON key for the service account and put it in GOOGLE_SERVICE_ACCOUNT_JSON.",
        "Make a new JSON key for {email} and put it in GOOGLE_SERVICE_ACCOUNT_JSON.",
    ),
    "account not found | disabled": refused(
        "account_gone",
        "The service account was deleted or disabled.",
        "Enable or restore it in Google Cloud, or make a new one and share the spreadsheet with"
        " it.",
        "Enable or restore {email} in Google Cloud, or make a new service account and share the"
        " spreadsheet with it.",
    ),
}

ANSWERS = AnswerTable(
    service="Google",
    what="the rows",
    look="Look at the end of the tab",
    it="them",
    while_failing="while it was writing: the rows may be there or not",
    settings="the settings for Google Sheets",
    # Its codes say no more than INVALID_ARGUMENT; only the sentence says what is wrong.
    by_text={
        "not supported for this document": refused(
            "excel_file",
            "That is an Excel file (.xlsx) kept in Drive, not a Google spreadsheet.",
            "Open it, choose File > Save as Google Sheets, and put the new address in"
            " GOOGLE_SHEETS_SPREADSHEET_ID.",
        ),
        "unable to parse range": NO_SUCH_RANGE,
        "exceeds grid limits": refused(
            "outside_grid",
            "The range or the rows reach beyond the columns the tab has.",
            "Add columns to the tab, or begin further left; a tab whose name looks like a cell is"
            " written with a cell after it: CRM26!A1.",
        ),
        "protected cell": refused(
            "protected",
            "That part of the spreadsheet is protected.",
            "Let the client_email of the key file edit it: Data > Protect sheets and ranges.",
            "Let {email} edit it: Data > Protect sheets and ranges.",
        ),
        "cells in the workbook": refused(
            "workbook_full",
            "The spreadsheet is full: Google allows 10 million cells.",
            "Delete rows and columns that are not used, or begin a new spreadsheet.",
        ),
        "50000 characters": refused(
            "cell_too_long",
            "A cell is longer than the 50,000 characters Google allows.",
            "Shorten that cell, or put its text in several.",
        ),
        "service_disabled | has not been used in project": refused(
            "api_disabled",
            "The Google Sheets API is switched off in the service account's project.",
            "In Google Cloud, open APIs & Services, enable the Google Sheets API and wait a few"
            " minutes.",
            "Open https://console.cloud.google.com/apis/library/sheets.googleapis.com"
            "?project={project}, choose Enable and wait a few minutes.",
        ),
        "permission_denied": refused(
            "not_shared",
            "The spreadsheet is not shared with the service account, or only for reading.",
            "Share the spreadsheet, as Editor, with the client_email of the key file.",
            "Share the spreadsheet, as Editor, with {email}.",
        ),
    },
    by_status={
        400: refused(
            "invalid",
            "Google did not accept the rows.",
            "Compare the range and the rows with the spreadsheet; nothing was written.",
        ),
        401: refused(
            "token_refused",
            "Google does not accept the service account's access, not even with a new token.",
            "Make a new JSON key for the service account and put it in"
            " GOOGLE_SERVICE_ACCOUNT_JSON.",
        ),
        404: refused(
            "no_spreadsheet",
            "Google has no spreadsheet with that id.",
            "Open the spreadsheet and put its address in GOOGLE_SHEETS_SPREADSHEET_ID.",
        ),
        429: TOO_FAST,
    },
    also=(*_TOKEN_TEXTS.values(), NO_TOKEN, KEY_DAMAGED),
)
TOKEN = replace(ANSWERS, by_text=_TOKEN_TEXTS, by_status={429: TOO_FAST}, otherwise=NO_TOKEN)


class Fault(AnswerModel):
    """What the API says went wrong."""

    status: str = ""
    message: str = ""
    details: list[dict[str, Any]] = Field(default_factory=list)


class ApiError(AnswerModel):
    """The API's error body."""

    error: Fault = Field(default_factory=Fault)


class TokenError(AnswerModel):
    """The token endpoint's error body, which has OAuth's shape."""

    error_description: str = ""


def explain(answer: Answer, values: Mapping[str, str]) -> UpstreamError:
    """Say what the API's answer means."""
    fault = (answer.parse(ApiError) or ApiError()).error
    reasons = [str(detail.get("reason", "")) for detail in fault.details]
    text = " ".join((fault.message, *reasons, fault.status))
    # Another status means the same whatever is said with it.
    text = text if answer.status in (400, 403) else ""
    return ANSWERS.error(answer, text=text, values=values)


def explain_token(answer: Answer, values: Mapping[str, str]) -> UpstreamError:
    """Say what the token endpoint's answer means; no row was written yet."""
    body = answer.parse(TokenError) or TokenError()
    text = "" if answer.status == 429 else body.error_description
    return TOKEN.error(answer, text=text, values=values)
