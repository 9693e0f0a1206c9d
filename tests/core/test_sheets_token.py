"""Google's answers to the signature, before any row is sent."""

import json

import pytest

from core.connectors.sheets import CONNECTOR
from core.sandbox.credentials import SERVICE_ACCOUNT
from tests.support.google_answers import said
from tests.support.sandbox import Answer
from tests.support.sending import Direct, check_told

ROWS = [["Ada", "42"]]
NOW = {"Retry-After": "0"}
NEW_KEY = f"Make a new JSON key for {SERVICE_ACCOUNT} and put it in GOOGLE_SERVICE_ACCOUNT_JSON."
ANY_KEY = "Make a new JSON key for the service account and put it in GOOGLE_SERVICE_ACCOUNT_JSON."

RESTORE = (
    f"Enable or restore {SERVICE_ACCOUNT} in Google Cloud, or make a new service account and"
    " share the spreadsheet with it."
)
A_MINUTE = "Wait a minute, then send it again; many rows fit in one send."
A_FEW = "Wait a few minutes, then try again."


def token(status, error, text="", headers=None):
    return Answer(status, json={"error": error, "error_description": text}, headers=headers or {})


ON_TOKEN = {
    "key deleted": (
        token(400, "invalid_grant", "Invalid JWT Signature."),
        "refused",
        "key_deleted",
        NEW_KEY,
    ),
    "clock": (
        token(
            *(400, "invalid_grant"),
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable"
            " timeframe. Check your iat and exp values in the JWT claim.",
        ),
        "refused",
        "clock_wrong",
        (
            "Set the date and time automatically (on Linux: timedatectl set-ntp true), then send"
            " again."
        ),
    ),
    "account not found": (
        token(400, "invalid_grant", "Invalid grant: account not found"),
        "refused",
        "account_gone",
        RESTORE,
    ),
    "account disabled": (
        token(401, "disabled_client", "The OAuth client was disabled."),
        "refused",
        "account_gone",
        RESTORE,
    ),
    "another refusal": (token(400, "invalid_scope", "Bad scope."), "refused", "no_token", ANY_KEY),
    "no JSON": (Answer(403, "<html>"), "refused", "no_token", ANY_KEY),
    "rate": (token(429, "rate", headers=NOW), "not_sent", "too_fast", A_MINUTE),
    "500": (token(500, "internal_failure", headers=NOW), "not_sent", "down", A_FEW),
    "503": (Answer(503, "<html>", headers=NOW), "not_sent", "down", A_FEW),
    "a login page": (Answer(200, "<html>", headers=NOW), "not_sent", "down", A_FEW),
    "redirect": (Answer(302, headers=NOW), "not_sent", "down", A_FEW),
}


@pytest.mark.parametrize("row", ON_TOKEN.values(), ids=ON_TOKEN)
def test_an_answer_to_the_signature_is_explained_and_no_row_is_sent(sandbox, row):
    answer, *told = row
    values = {"values": ROWS}
    error = check_told(CONNECTOR, sandbox, values, answer, told, on="token")
    assert error.fix == told[-1]
    assert {request.call for request in sandbox.sheets.received} == {"token"}


def test_a_new_token_that_is_refused_too_ends_the_run(sheets, sandbox):
    sandbox.sheets.always(said(401, "UNAUTHENTICATED"), on="values.append")

    error = sheets.failing(values=ROWS)

    assert (error.outcome, error.reason, error.fix) == ("refused", "token_refused", ANY_KEY)
    assert [request.call for request in sandbox.sheets.received] == [
        *("token", "values.append", "token", "values.append"),
    ]


def test_a_key_with_one_wrong_letter_is_said_to_be_damaged(sandbox):
    info = json.loads(sandbox.settings()["GOOGLE_SERVICE_ACCOUNT_JSON"])
    lines = info["private_key"].splitlines()
    lines[10] = ("A" if lines[10][0] != "A" else "B") + lines[10][1:]
    key_file = json.dumps(info | {"private_key": "\n".join(lines)})

    with Direct(CONNECTOR, sandbox, GOOGLE_SERVICE_ACCOUNT_JSON=key_file) as sheets:
        error = sheets.failing(values=ROWS)

    assert (error.outcome, error.reason) == ("refused", "key_damaged")
    assert error.fix == (
        "Copy the key file whole, best as base64, and put it in GOOGLE_SERVICE_ACCOUNT_JSON."
    )
    assert error.__cause__ is None
    assert sandbox.sheets.received == []
