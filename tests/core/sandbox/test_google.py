"""What the Google services refuse, in Google's words."""

import json
import time

import pytest
import requests
from google.auth import crypt, jwt

from core.sandbox.credentials import SERVICE_ACCOUNT
from core.sandbox.google import AUDIENCE, GRANT, SCOPE


@pytest.fixture
def set_up(sandbox):
    return sandbox.settings()


def assertion(set_up, **claims):
    info = json.loads(set_up["GOOGLE_SERVICE_ACCOUNT_JSON"])
    now = int(time.time())
    signer = crypt.RSASigner.from_service_account_info(info)
    claims = {"iss": SERVICE_ACCOUNT, "aud": AUDIENCE, "scope": SCOPE, "iat": now} | claims
    return jwt.encode(signer, {"exp": now + 3600} | claims).decode()


def token(set_up, signed, grant=GRANT):
    uri = json.loads(set_up["GOOGLE_SERVICE_ACCOUNT_JSON"])["token_uri"]
    return requests.post(uri, data={"grant_type": grant, "assertion": signed})


def test_a_signed_assertion_is_traded_for_a_token(set_up):
    said = token(set_up, assertion(set_up)).json()
    assert (said["token_type"], said["expires_in"]) == ("Bearer", 3599)


TIMEFRAME = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
    "timeframe. Check your iat and exp values in the JWT claim."
)


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"iss": "other@p.iam"}, "invalid_grant", "Invalid grant: account not found"),
        ({"aud": "https://example.com"}, "invalid_grant", "Invalid JWT: Failed audience check."),
        ({"iat": 1, "exp": 3601}, "invalid_grant", TIMEFRAME),
        ({"exp": int(time.time()) + 90_000}, "invalid_grant", TIMEFRAME),
        (
            {"scope": "email"},
            "invalid_scope",
            "Invalid OAuth scope or ID token audience provided.",
        ),
    ],
)
def test_google_refuses_an_assertion_that_claims_wrongly(set_up, claims, error, description):
    answer = token(set_up, assertion(set_up, **claims))
    assert answer.status_code == 400
    assert answer.json() == {"error": error, "error_description": description}


def test_google_refuses_a_signature_that_is_not_the_accounts(set_up):
    head, claims, signature = assertion(set_up).split(".")
    forged = ".".join((head, claims, signature[::-1]))
    assert token(set_up, forged).json()["error_description"] == "Invalid JWT Signature."


def append(set_up, place="A1", values=(("a",),), query="valueInputOption=RAW", bearer=None):
    book = f"{set_up['SHEETS_API_URL']}/v4/spreadsheets/{set_up['GOOGLE_SHEETS_SPREADSHEET_ID']}"
    bearer = bearer or token(set_up, assertion(set_up)).json()["access_token"]
    return requests.post(
        f"{book}/values/{requests.utils.quote(place, safe='')}:append?{query}",
        json={"values": values},
        headers={"Authorization": f"Bearer {bearer}"},
    )


@pytest.mark.parametrize("asked", ["false", "true"])
def test_sheets_gives_what_it_wrote_where_that_is_asked_for(set_up, asked):
    query = f"valueInputOption=RAW&includeValuesInResponse={asked}"
    updates = append(set_up, values=[["a", None], ["b", "c"]], query=query).json()["updates"]
    data = {"range": "Sheet1!A1:B2", "majorDimension": "ROWS", "values": [["a", None], ["b", "c"]]}
    assert updates.get("updatedData") == (data if asked == "true" else None)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"place": "Nope!A1"}, "Unable to parse range: Nope!A1"),
        ({"place": "Q3 plan!A1"}, "Unable to parse range: Q3 plan!A1"),
        ({"place": "A1:"}, "Unable to parse range: A1:"),
        (
            {"place": "CRM26!A1"},
            "Range (Sheet1!CRM26) exceeds grid limits. Max rows: 1000, max columns: 26",
        ),
        (
            {"values": [["x"] * 27]},
            "Range (Sheet1!A1) exceeds grid limits. Max rows: 1000, max columns: 26",
        ),
        ({"query": ""}, "'valueInputOption' is required but not specified"),
        ({"query": "valueInputOption=raw"}, "Invalid value at 'valueInputOption', \"raw\""),
        (
            {"values": [["x" * 50_001]]},
            "Your input contains more than the maximum of 50000 characters in a single cell.",
        ),
        ({"values": [[["x"]]]}, "Invalid data[0]: Invalid values[0][0]: list_value"),
    ],
)
def test_sheets_refuses_what_does_not_fit_the_sheet(sandbox, set_up, asked, message):
    answer = append(set_up, **asked)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == message
    assert sandbox.sheets.writes == []


@pytest.mark.parametrize(
    ("place", "where"),
    [
        ("A1", "Sheet1!A1"),
        ("Sheet1!B2", "Sheet1!B2"),
        ("'Q3 plan'!A:C", "'Q3 plan'!A1"),
        ("'Jon''s'", "'Jon''s'!A1"),
        ("'CRM26'!A1", "'CRM26'!A1"),
        ("Übersicht", "Übersicht!A1"),
    ],
)
def test_sheets_appends_where_it_was_told(set_up, place, where):
    assert append(set_up, place).json()["updates"]["updatedRange"] == where


def test_sheets_appends_below_what_is_there(sandbox, set_up):
    append(set_up, values=[["a", 1], ["b", 2]])
    second = append(set_up, values=[["=1+1", True]]).json()
    assert second["tableRange"] == "Sheet1!A1:B2"
    assert second["updates"]["updatedRange"] == "Sheet1!A3:B3"
    assert sandbox.sheets.rows["Sheet1"] == [["a", 1], ["b", 2], ["=1+1", True]]


def test_a_token_that_ran_out_is_unauthenticated(sandbox, set_up):
    bearer = token(set_up, assertion(set_up)).json()["access_token"]
    sandbox.sheets.tokens.until.clear()
    answer = append(set_up, bearer=bearer)
    assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
