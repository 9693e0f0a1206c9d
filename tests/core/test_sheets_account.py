"""The service account's key file and the spreadsheet's id, as people paste them."""

import base64
import json
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.connectors._sheets.account import read_account, spreadsheet_id
from core.connectors.sheets import CONNECTOR
from core.sandbox.credentials import SERVICE_ACCOUNT, rsa_key, service_account

# A busy machine is not a failure.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

GOOGLE = "https://oauth2.googleapis.com/token"
SPREADSHEET = "1AbC_dEf-123456789012345678901234567890abcd"
EC_KEY = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    .decode()
)


def key_file(**changes):
    info = json.loads(service_account(GOOGLE)) | changes
    return json.dumps({name: value for name, value in info.items() if value is not None})


def packed(text):
    return base64.b64encode(text.encode()).decode()


# So that the kinds of base64 differ: + and / in it, and padding at its end.
KEY_FILE = key_file(note=">>>???~~~")
KEY_FILE += " " * (-(len(KEY_FILE) + 2) % 3)
FORMS = {
    "raw": KEY_FILE,
    "raw, over several lines": json.dumps(json.loads(KEY_FILE), indent=2),
    "raw, with spaces around": f"\n  {KEY_FILE}\n",
    "raw, in quotes": f"'{KEY_FILE}'",
    "raw, with literal \\n in the key": key_file(private_key=rsa_key().replace("\n", "\\n")),
    "raw, with real line breaks in the key": KEY_FILE.replace("\\n", "\n"),
    "base64": packed(KEY_FILE),
    "base64 without padding": packed(KEY_FILE).rstrip("="),
    "base64 over several lines": base64.encodebytes(KEY_FILE.encode()).decode(),
    "base64, URL-safe": base64.urlsafe_b64encode(KEY_FILE.encode()).decode(),
    "base64, URL-safe and without padding": (
        base64.urlsafe_b64encode(KEY_FILE.encode()).decode().rstrip("=")
    ),
    "raw, behind a byte order mark": f"\ufeff{KEY_FILE}",
    "a JSON string of JSON": json.dumps(KEY_FILE),
    "a JSON string of JSON without its quotes": json.dumps(KEY_FILE)[1:-1],
    "a JSON string of base64": json.dumps(packed(KEY_FILE)),
    "base64 behind a byte order mark": f"\ufeff{packed(KEY_FILE)}",
    "base64 in quotes": f"'{packed(KEY_FILE)}'",
    "base64 of a byte order mark and the key": packed(f"\ufeff{KEY_FILE}"),
    "base64 of a JSON string of JSON": packed(json.dumps(KEY_FILE)),
    "base64 of UTF-16": base64.b64encode(KEY_FILE.encode("utf-16")).decode(),
    "base64 of UTF-16 without a mark": base64.b64encode(KEY_FILE.encode("utf-16-le")).decode(),
    "twice in base64": packed(packed(KEY_FILE)),
    "twice in base64, each over several lines": base64.encodebytes(
        base64.encodebytes(KEY_FILE.encode())
    ).decode(),
    "base64 of a key with literal \\n": packed(
        key_file(private_key=rsa_key().replace("\n", "\\n"))
    ),
}


@pytest.mark.parametrize("value", FORMS.values(), ids=FORMS)
def test_a_key_file_is_accepted_in_every_form_it_is_pasted_in(value):
    account = read_account(value)

    assert (account.email, account.project) == (SERVICE_ACCOUNT, "levqor-sandbox")
    assert account.info["private_key"] == rsa_key()
    assert account.info["token_uri"] == GOOGLE


def test_the_forms_do_differ():
    assert FORMS["base64"].endswith("=")
    assert any(char in FORMS["base64"] for char in "+/")
    assert any(char in FORMS["base64, URL-safe"] for char in "-_")


def test_a_key_whose_line_breaks_became_spaces_still_signs():
    assert read_account(key_file(private_key=rsa_key().replace("\n", " "))).email == SERVICE_ACCOUNT


SECRET = "MIIEvCANARY"
BROKEN = {
    "nothing": ("", "cut off or damaged JSON"),
    "words": ("my secret key file!", "neither the key file's JSON nor base64"),
    "base64 of something else": (packed("hello"), "neither the key file's JSON nor base64"),
    "base64 of bytes": (base64.b64encode(b"\xe9\x80 ").decode(), "neither the key file's JSON nor"),
    "cut off": (KEY_FILE[:200], "cut off or damaged JSON"),
    "cut off base64": (packed(KEY_FILE)[:201], "neither|cut off"),
    "cut off as a JSON string": (json.dumps(KEY_FILE)[:200], "cut off or damaged JSON"),
    "a number": ('"7"', "neither the key file's JSON nor base64"),
    "wrapped without end": (
        packed(packed(packed(packed(packed(packed(KEY_FILE)))))),
        "not a service account's JSON key",
    ),
    "a list": (packed("[1]"), "not a service account's JSON key"),
    "a file's name": ("secrets/key.json", "GOOGLE_SERVICE_ACCOUNT_JSON_FILE"),
    "an API key": (f"AIza{SECRET}", "an API key"),
    "an OAuth client": (json.dumps({"installed": {"client_id": SECRET}}), "not a service account"),
    "a person's login": (key_file(type="authorized_user"), "not a service account"),
    "no address": (key_file(client_email=None), "no client_email"),
    "a strange address": (key_file(client_email=SECRET), "no client_email"),
    "no key": (key_file(private_key=None), "damaged private_key"),
    "a key that is no text": (key_file(private_key=[1]), "damaged private_key"),
    "a damaged key": (
        key_file(private_key=f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n"),
        "damaged private_key",
    ),
    "a key of another kind": (key_file(private_key=EC_KEY), "damaged private_key"),
    "another universe": (key_file(universe_domain=f"{SECRET}.example"), "universe_domain"),
    "another's token_uri": (key_file(token_uri=f"https://{SECRET}.example/"), "token_uri"),
    "Google's name in another's": (
        key_file(token_uri="https://oauth2.googleapis.com.evil.example/token"),
        "token_uri",
    ),
    "Google's name before an @": (
        key_file(token_uri="https://oauth2.googleapis.com@evil.example/token"),
        "name, password",
    ),
    "token_uri without TLS": (key_file(token_uri="http://oauth2.googleapis.com/token"), "https://"),
    "token_uri that is no text": (key_file(token_uri=7), "token_uri"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "message"), BROKEN.values(), ids=BROKEN)
def test_anything_else_is_explained_and_not_shown(value, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_account(value)

    assert "CANARY" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:8080/token", "http://localhost:1/token", "https://[::1]:1/token"]
)
def test_a_token_uri_on_this_machine_is_accepted(uri):
    assert read_account(key_file(token_uri=uri)).info["token_uri"] == uri


def test_a_key_file_without_a_token_uri_gets_google_s():
    assert read_account(key_file(token_uri=None)).info["token_uri"] == GOOGLE


@UNTIMED
@given(st.text(max_size=200))
def test_no_text_makes_reading_it_break(text):
    with suppress(ValueError):
        assert read_account(text).email


def test_the_account_is_not_shown_by_its_repr():
    assert repr(read_account(KEY_FILE)) == (
        f"Account(email='{SERVICE_ACCOUNT}', project='levqor-sandbox')"
    )


@pytest.mark.parametrize(
    "given",
    [
        SPREADSHEET,
        f" {SPREADSHEET} ",
        f"https://docs.google.com/spreadsheets/d/{SPREADSHEET}/edit#gid=0",
        f"https://docs.google.com/spreadsheets/d/{SPREADSHEET}/edit?usp=sharing",
        f"https://docs.google.com/spreadsheets/d/{SPREADSHEET}",
        f"https://docs.google.com/spreadsheets/u/1/d/{SPREADSHEET}/edit",
        f"docs.google.com/spreadsheets/d/{SPREADSHEET}/",
    ],
)
def test_a_spreadsheet_is_named_by_id_or_address(given):
    assert spreadsheet_id(given) == SPREADSHEET


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "between /d/ and /edit"),
        ("../other", "between /d/ and /edit"),
        ("a b", "between /d/ and /edit"),
        ("abc?x=1", "between /d/ and /edit"),
        ("https://docs.google.com/document/d/1AbC/edit", "between /d/ and /edit"),
        ("https://docs.google.com/spreadsheets/d/e/2PACX-1v/pubhtml", "published copy"),
    ],
)
def test_what_names_no_spreadsheet_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        spreadsheet_id(given)


def test_a_setting_that_is_wrong_is_named_and_not_shown():
    with pytest.raises(ValidationError) as caught:
        CONNECTOR.config.model_validate(
            {
                "GOOGLE_SERVICE_ACCOUNT_JSON": key_file(private_key="CANARY"),
                "GOOGLE_SHEETS_SPREADSHEET_ID": "CANARY/../x",
                "SHEETS_RANGE_DEFAULT": "CANARY!",
            }
        )

    assert [fault["loc"] for fault in caught.value.errors(include_input=False)] == [
        ("GOOGLE_SERVICE_ACCOUNT_JSON",),
        ("GOOGLE_SHEETS_SPREADSHEET_ID",),
        ("SHEETS_RANGE_DEFAULT",),
    ]
    assert "CANARY" not in str(caught.value)
