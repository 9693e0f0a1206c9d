"""The sandbox services against the vendors' own descriptions and the official SDKs' requests."""

import json
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

from core.sandbox import slack, telegram

pytestmark = pytest.mark.filterwarnings("ignore:Unsupported scheme type:UserWarning")

HOSTS = {
    "slack": "https://slack.com",
    "notion": "https://api.notion.com",
    "sheets": "https://sheets.googleapis.com",
    "telegram": "https://api.telegram.org",
    "resend": "https://api.resend.com",
}
FILES = {"slack": "slack-web-2021", "sheets": "sheets.v4"}


@cache
def load(folder, name):
    spec = json.loads((folder / f"{FILES.get(name, name)}.openapi.json").read_text())
    return OpenAPI.from_dict(opened(spec) if name == "notion" else spec)


def opened(spec):
    """Open what Notion's file closes by mistake, so that its own answers fit.

    The parts of its allOf schemas each forbid what the other parts hold.
    """
    schemas = spec["components"]["schemas"]
    parts = set()
    collect(spec, schemas, parts, inside=False)
    for name in parts:
        schemas[name] = freed(schemas[name], inside=True)
    # A column may be a button, as the file's page values know and its columns do not.
    button = {"type": "object", "required": ["button"], "properties": {"type": {"const": "button"}}}
    schemas["databasePropertyConfigResponse"] = {
        "anyOf": [schemas["databasePropertyConfigResponse"], button]
    }
    return freed(spec, inside=False)


def collect(schema, schemas, parts, *, inside):
    """Gather the names of all schemas that are a part of an allOf."""
    if isinstance(schema, list):
        for inner in schema:
            collect(inner, schemas, parts, inside=inside)
    elif isinstance(schema, dict):
        name = schema.get("$ref", "").rpartition("/")[2]
        if inside and name and name not in parts:
            parts.add(name)
            collect(schemas[name], schemas, parts, inside=True)
        for key, inner in schema.items():
            within = key == "allOf" or (inside and key in ("oneOf", "anyOf"))
            collect(inner, schemas, parts, inside=within)


def freed(schema, *, inside):
    """The schema with the parts of its allOf open, and any one of several enough."""
    if isinstance(schema, list):
        return [freed(inner, inside=inside) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, inner in schema.items():
        within = key == "allOf" or (inside and key in ("oneOf", "anyOf"))
        kept["anyOf" if key == "oneOf" else key] = freed(inner, inside=within)
    if inside and kept.get("additionalProperties") is False:
        del kept["additionalProperties"]
    return kept


@dataclass
class Asked:
    host_url: str
    path: str
    method: str
    parameters: RequestParameters
    body: bytes | None
    content_type: str


@dataclass
class Answered:
    data: bytes
    status_code: int
    headers: Headers
    content_type: str


def faults(folder, name, response, *, method=None, request_too=True):
    """What the vendor's description has against a request to a sandbox service and its answer."""
    sent = response.request
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body
    query = ImmutableMultiDict(parse_qsl(urlsplit(sent.url).query))
    asked = Asked(
        HOSTS[name],
        urlsplit(sent.url).path.removeprefix(f"/{name}"),
        method or sent.method.lower(),
        RequestParameters(query=query, header=Headers(dict(sent.headers))),
        body,
        sent.headers.get("Content-Type", "").partition(";")[0],
    )
    kind = response.headers["Content-Type"].partition(";")[0]
    headers = Headers(dict(response.headers))
    answered = Answered(response.content, response.status_code, headers, kind)
    spec = load(folder, name)
    found = list(spec.iter_response_errors(asked, answered))
    if request_too:
        found += list(spec.iter_request_errors(asked))
    return [f"{error!r}: {error.__cause__!r}" for error in found]


def test_notion_answers_as_its_description_says(sandbox, specs, notion):
    base, headers, database = notion
    found = requests.get(f"{base}/databases/{database}", headers=headers)
    source = found.json()["data_sources"][0]["id"]
    body = {
        "parent": {"type": "data_source_id", "data_source_id": source},
        "properties": {
            "Name": {"title": [{"text": {"content": "Fix login"}}]},
            "Notes": {"rich_text": [{"text": {"content": "soon", "link": {"url": "https://a.b"}}}]},
            "Points": {"number": 3},
            "Priority": {"select": {"name": "High"}},
            "Status": {"status": {"name": "Open"}},
            "Tags": {"multi_select": [{"name": "bug"}, {"name": "brand new"}]},
            "Due": {"date": {"start": "2026-12-01"}},
            "Done": {"checkbox": True},
            "Link": {"url": "https://example.com"},
            "Mail": {"email": "a@example.com"},
            "Phone": {"phone_number": "+49 30 1"},
            "Owner": {"people": []},
            "Related": {"relation": []},
            "Files": {"files": [{"name": "f", "external": {"url": "https://example.com/f"}}]},
        },
    }
    page = requests.post(f"{base}/pages", headers=headers, json=body)
    answers = [
        found,
        page,
        requests.get(f"{base}/data_sources/{source}", headers=headers),
        requests.get(f"{base}/pages/{page.json()['id']}", headers=headers),
        requests.get(f"{base}/users/me", headers=headers),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert faults(specs, "notion", answer) == []


def test_notion_refuses_as_its_description_says(sandbox, specs, notion):
    base, headers, database = notion
    wrong = {"parent": {"database_id": database}, "properties": {"Nom": {"checkbox": True}}}
    answers = [
        requests.get(f"{base}/users/me", headers={"Notion-Version": "2026-03-11"}),
        requests.get(f"{base}/databases/{'0' * 32}", headers=headers),
        requests.post(f"{base}/pages", headers=headers, json=wrong),
    ]
    assert [answer.status_code for answer in answers] == [401, 404, 400]
    for answer in answers:
        assert faults(specs, "notion", answer, request_too=False) == []


def test_sheets_answers_as_its_description_says(sandbox, specs, google):
    settings, session = sandbox.settings(), google
    book = f"{settings['SHEETS_API_URL']}/v4/spreadsheets/"
    book += settings["GOOGLE_SHEETS_SPREADSHEET_ID"]
    append = f"{book}/values/A1:append?valueInputOption=RAW&includeValuesInResponse=true"
    for answer in (session.get(book), session.post(append, json={"values": [["a", 1, None]]})):
        assert answer.status_code == 200
        assert faults(specs, "sheets", answer) == []


def test_telegram_answers_as_its_description_says(sandbox, specs):
    settings = sandbox.settings()
    base = f"{settings['TELEGRAM_API_URL']}/bot{settings['TELEGRAM_BOT_TOKEN']}"
    group, bot = telegram.GROUP, telegram.BOT_ID
    calls = [
        ("getMe", {}),
        ("getChat", {"chat_id": group}),
        ("getChatMember", {"chat_id": group, "user_id": bot}),
        ("getChatMember", {"chat_id": telegram.CHANNEL, "user_id": bot}),
        ("sendMessage", {"chat_id": group, "text": "hello"}),
        ("editMessageText", {"chat_id": group, "message_id": 1, "text": "hello again"}),
        ("setMyCommands", {"commands": [{"command": "help", "description": "Help"}]}),
        ("getMyCommands", {}),
        ("getUpdates", {}),
        ("setWebhook", {"url": "https://127.0.0.1:1/", "secret_token": "s"}),
        ("getWebhookInfo", {}),
        ("deleteWebhook", {}),
    ]
    sandbox.telegram.user(42).says("/help")
    for method, body in calls:
        answer = requests.post(f"{base}/{method}", json=body)
        assert answer.status_code == 200
        assert faults(specs, "telegram", answer) == []


def test_resend_answers_as_its_description_says(sandbox, specs):
    settings = sandbox.settings()
    headers = {"Authorization": f"Bearer {settings['RESEND_API_KEY']}"}
    mail = {"from": settings["RESEND_FROM"], "to": "a@example.com", "subject": "s", "text": "t"}
    for answer in (
        requests.get(f"{settings['RESEND_API_URL']}/domains", headers=headers),
        requests.post(f"{settings['RESEND_API_URL']}/emails", headers=headers, json=mail),
    ):
        assert answer.status_code == 200
        assert faults(specs, "resend", answer) == []


def test_slack_answers_as_its_description_says(sandbox, specs):
    settings = sandbox.settings()
    headers = {"Authorization": f"Bearer {settings['SLACK_BOT_TOKEN']}"}
    tested = requests.post(f"{settings['SLACK_API_URL']}auth.test", headers=headers)
    message = {"channel": slack.GENERAL, "text": "hello"}
    posted = requests.post(
        f"{settings['SLACK_API_URL']}chat.postMessage", headers=headers, json=message
    )
    # The 2021 description wants form bodies and a `token` header; Slack takes JSON as well.
    assert faults(specs, "slack", tested, method="get", request_too=False) == []
    assert faults(specs, "slack", posted, request_too=False) == []
    assert (tested.json()["ok"], posted.json()["ok"]) == (True, True)


def test_slacks_refusals_are_words_slack_knows(sandbox, specs):
    files = ("slack_chat.postMessage.json", "slack_auth.test.json")
    known = {error for name in files for error in json.loads((specs / name).read_text())["errors"]}
    settings = sandbox.settings()
    url = f"{settings['SLACK_API_URL']}chat.postMessage"
    good = {"Authorization": f"Bearer {settings['SLACK_BOT_TOKEN']}"}
    said = [
        requests.post(url).json()["error"],
        requests.post(url, headers={"Authorization": "Bearer xoxb-1"}).json()["error"],
        requests.post(url, headers={"Authorization": "Bearer xoxp-1"}).json()["error"],
        requests.post(url, headers=good, json={"channel": "#nope"}).json()["error"],
        requests.post(url, headers=good, json={"channel": "#general"}).json()["error"],
    ]
    assert said == [
        "not_authed",
        "invalid_auth",
        "not_allowed_token_type",
        "channel_not_found",
        "no_text",
    ]
    assert set(said) <= known
