"""What a sandbox service answers to an address, a token or an option that it does not know."""

import base64
import json
import socket
from urllib.parse import urlsplit

import pytest
import requests

from core.sandbox import Sandbox as Plain
from core.sandbox.google import GRANT, _check_times
from core.sandbox.notion.values import _person, read_uuid
from core.sandbox.service import Refusal
from core.sandbox.telegram import BOT_ID, PERSON


@pytest.fixture(scope="module")
def plain():
    """The sandbox as people start it, without what tests add to it."""
    with Plain() as sandbox:
        yield sandbox


@pytest.fixture
def settings(plain):
    return plain.settings()


@pytest.mark.parametrize(
    ("where", "status", "said"),
    [
        ("slack/api/no.such", 200, "unknown_method"),
        ("slack/no/such", 200, "unknown_method"),
        ("notion/v1/no/such", 400, "invalid_request_url"),
        ("sheets/v4/no/such", 404, "NOT_FOUND"),
        ("telegram/no/such", 404, "Not Found"),
        ("resend/no/such", 404, "The requested endpoint does not exist"),
    ],
)
def test_an_address_a_vendor_does_not_have_is_answered_in_its_words(plain, where, status, said):
    answer = requests.post(f"{plain.url}/{where}", timeout=20)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text


def joined(*parts):
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


@pytest.mark.parametrize(
    ("form", "error", "description"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type", "Invalid grant_type: password"),
        ({"grant_type": GRANT, "assertion": "a.b"}, "invalid_grant", "Bad Request"),
        ({"grant_type": GRANT, "assertion": "a.b.c"}, "invalid_grant", "Bad Request"),
        (
            {"grant_type": GRANT, "assertion": joined(b'{"alg":"none"}', b"{}", b"x")},
            "invalid_grant", "Invalid JWT: unsupported algorithm.",
        ),
    ],
)  # fmt: skip
def test_google_trades_nothing_else_for_a_token(settings, form, error, description):
    uri = json.loads(settings["GOOGLE_SERVICE_ACCOUNT_JSON"])["token_uri"]
    answer = requests.post(uri, data=form, timeout=20)
    assert answer.json() == {"error": error, "error_description": description}


def bearer(settings):
    from google.auth.transport.requests import Request
    from google.oauth2 import service_account

    from core.sandbox.google import SCOPE

    info = json.loads(settings["GOOGLE_SERVICE_ACCOUNT_JSON"])
    made = service_account.Credentials.from_service_account_info(info, scopes=[SCOPE])
    made.refresh(Request())
    return {"Authorization": f"Bearer {made.token}"}


@pytest.mark.parametrize(
    ("book", "query", "status", "said"),
    [
        ("", "", 200, "Sheet1"),
        ("", "?fields=sheets(properties(title,gridProperties),data),properties.title", 400, "arg"),
        ("", "?fields=properties.title,sheets(properties(title,sheetId))", 200, "Sheet1"),
        ("", "?fields=properties.title)", 200, "title"),
        ("", "?fields=nothing", 400, "Request contains an invalid argument."),
        ("", "?unheard=of", 400, "unheard"),
        ("x", "", 404, "Requested entity was not found."),
    ],
)
def test_google_says_what_it_does_not_know_of_a_spreadsheet(settings, book, query, status, said):
    ident = book or settings["GOOGLE_SHEETS_SPREADSHEET_ID"]
    url = f"{settings['SHEETS_API_URL']}/v4/spreadsheets/{ident}{query}"
    answer = requests.get(url, headers=bearer(settings), timeout=20)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text


def test_google_tells_a_stranger_from_nobody(settings):
    url = settings["SHEETS_API_URL"] + "/v4/spreadsheets/x"
    statuses = [
        requests.get(url, headers=headers, timeout=20).status_code
        for headers in ({}, {"Authorization": "Bearer no"})
    ]
    assert statuses == [403, 401]


@pytest.mark.parametrize(
    ("path", "setting", "status", "said"),
    [
        ("SLACK_API_URL/auth.test", "SLACK_BOT_TOKEN", 200, "not_authed"),
        ("NOTION_API_URL/v1/users/me", "NOTION_API_KEY", 401, "unauthorized"),
        ("RESEND_API_URL/domains", "RESEND_API_KEY", 401, "missing_api_key"),
        ("SHEETS_API_URL/v4/spreadsheets/x", "SLACK_BOT_TOKEN", 403, "PERMISSION_DENIED"),
    ],
)
def test_a_token_that_is_not_called_a_bearer_s_signs_nobody_in(
    settings, path, setting, status, said
):
    name, _, rest = path.partition("/")
    url, token = f"{settings[name].rstrip('/')}/{rest}", settings[setting]
    for header in (token, f"Basic {token}", f"Bearer{token}"):
        answer = requests.get(url, headers={"Authorization": header}, timeout=20)
        assert (answer.status_code, said in answer.text) == (status, True), (header, answer.text)
    answer = requests.get(url, headers={"Authorization": f"bearer {token}"}, timeout=20)
    assert said not in answer.text


@pytest.mark.parametrize("cell", ["Sheet1!A", "Sheet1!7", "Sheet1!"])
def test_a_cell_is_named_by_its_column_and_its_row(settings, cell):
    url = f"{settings['SHEETS_API_URL']}/v4/spreadsheets/{settings['GOOGLE_SHEETS_SPREADSHEET_ID']}"
    answer = requests.post(
        f"{url}/values/{cell}:append?valueInputOption=RAW",
        json={"values": [["a"]]}, headers=bearer(settings), timeout=20,
    )  # fmt: skip
    assert (answer.status_code, "Unable to parse range" in answer.text) == (400, True), answer.text


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("search", {"filter": {"property": "object", "value": "page"}}, "only data sources"),
        ("pages", {"children": {"a": 1}}, "body.children should be an array"),
        ("pages", {"children": [{}] * 101}, "body.children.length"),
    ],
)
def test_notion_takes_no_other_search_and_no_endless_page(settings, path, body, said):
    answer = requests.post(
        f"{settings['NOTION_API_URL']}/v1/{path}", json=body, timeout=20,
        headers={
            "Authorization": f"Bearer {settings['NOTION_API_KEY']}",
            "Notion-Version": "2026-03-11",
        },
    )  # fmt: skip
    assert (answer.status_code, said in answer.text) == (400, True), answer.text


@pytest.mark.parametrize(
    ("call", "given", "said"),
    [
        ("users.conversations", {"types": "im"}, {"channels": []}),
        ("users.conversations", {}, {"ok": True}),
        ("conversations.info", {"channel": "C0NOSUCH"}, {"error": "channel_not_found"}),
        ("no.such", {}, {"error": "unknown_method"}),
    ],
)
def test_slack_lists_channels_and_knows_no_others(settings, call, given, said):
    url = f"{settings['SLACK_API_URL']}{call}"
    answer = requests.post(url, data={**given, "token": settings["SLACK_BOT_TOKEN"]}, timeout=20)
    assert said.items() <= answer.json().items()


def test_slack_shows_a_channel_and_takes_a_webhook_s_form(settings):
    token = {"token": settings["SLACK_BOT_TOKEN"]}
    url = settings["SLACK_API_URL"]
    listed = requests.post(f"{url}users.conversations", data=token, timeout=20).json()["channels"]
    for channel in listed:
        info = {**token, "channel": channel["id"]}
        shown = requests.post(f"{url}conversations.info", data=info, timeout=20).json()["channel"]
        assert (shown["id"], shown["name"]) == (channel["id"], channel["name"])
    hook = settings["SLACK_WEBHOOK_URL"]
    for payload, said in (('{"text": "hi"}', "ok"), ("hi", "invalid_payload")):
        assert requests.post(hook, data={"payload": payload}, timeout=20).text == said


@pytest.mark.parametrize(
    ("call", "given", "said"),
    [
        ("noSuch", {}, "Not Found: method not found"),
        ("sendMessage", [1], "can't parse request JSON object"),
        ("getChatMember", {"user_id": "x"}, "invalid user_id specified"),
        ("getChatMember", {"user_id": 987654321}, "user not found"),
        ("getChatMember", {"user_id": PERSON}, '"first_name": "Ada"'),
        ("getUpdates", {"timeout": 0}, '"result": []'),
        ("getWebhookInfo", {}, '"url": ""'),
        ("getChatMember", {"user_id": BOT_ID}, '"is_bot": true'),
    ],
)
def test_telegram_says_what_it_does_not_know(settings, call, given, said):
    url = f"{settings['TELEGRAM_API_URL']}/bot{settings['TELEGRAM_BOT_TOKEN']}/{call}"
    chat = {"chat_id": settings["TELEGRAM_CHAT_ID_DEFAULT"]}
    body = given if isinstance(given, list) else chat | given
    answer = requests.post(url, json=body, timeout=20)
    assert said in answer.text


def test_telegram_reads_objects_in_a_form_as_json(settings):
    url = f"{settings['TELEGRAM_API_URL']}/bot{settings['TELEGRAM_BOT_TOKEN']}/sendMessage"
    form = {"chat_id": settings["TELEGRAM_CHAT_ID_DEFAULT"], "text": "hi"}
    markup = '{"inline_keyboard": [[{"text": "a", "callback_data": "b"}]]}'
    for given, status in ((markup, 200), ("no json", 400)):
        answer = requests.post(url, data={**form, "reply_markup": given}, timeout=20)
        assert answer.status_code == status, answer.text


def test_a_host_that_is_none_gets_no_page(plain):
    address = urlsplit(plain.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: [::1\r\nConnection: close\r\n\r\n")
        assert b" 403 " in line.recv(65536).partition(b"\r\n")[0]


@pytest.mark.parametrize("claims", [{}, {"iat": "now", "exp": 1}])
def test_google_wants_to_know_when_a_token_was_asked_for(claims):
    with pytest.raises(Refusal, match="invalid_grant"):
        _check_times(claims)


@pytest.mark.parametrize(("text", "read"), [("-" * 32, None), ("a" * 32, True), ("x" * 32, None)])
def test_what_is_no_uuid_is_read_as_none(text, read):
    assert (read_uuid(text) is not None) is bool(read)


def test_notion_knows_no_other_person():
    with pytest.raises(Refusal, match="Could not find user"):
        _person({"name": "Who"}, {"id": "a" * 32}, "at")
