"""A sandbox service refuses what makes no sense, and never breaks on it."""

import copy
import json

import pytest
import requests
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from core.sandbox import slack, telegram
from core.sandbox.google import SCOPE
from core.sandbox.notion import schema
from tests.support.sandbox import slack_identity

ODD = [None, -1, 1.5, True, "", "x", "\ud800", [], {}, [1], {"a": 1}]
BROKEN = [b"", b"{", b"\xff", b'"x"', b"null", b"[" * 5000]


def plain(text):
    return {"type": "plain_text", "text": text}


BLOCKS = [
    {"type": "section", "text": plain("x"), "fields": [plain("y")]},
    {"type": "actions", "elements": [{"type": "button", "text": plain("x"), "value": "v"}]},
    {
        "type": "input",
        "label": plain("x"),
        "hint": plain("x"),
        "element": {
            "type": "plain_text_input",
            "max_length": 5,
            "min_length": 1,
            "initial_value": "v",
            "placeholder": plain("x"),
        },
    },
    {
        "type": "input",
        "label": plain("x"),
        "element": {"type": "static_select", "options": [{"text": plain("x"), "value": "v"}]},
    },
]
PAGE = {
    "parent": {"type": "data_source_id", "data_source_id": schema.TASKS.id},
    "children": [],
    "properties": {
        "Name": {"title": [{"text": {"content": "x", "link": {"url": "https://a.example"}}}]},
        "Points": {"number": 3},
        "Priority": {"select": {"name": "New"}},
        "Status": {"status": {"name": "Open"}},
        "Tags": {"multi_select": [{"name": "bug"}]},
        "Due": {"date": {"start": "2026-12-01", "end": "2026-12-02"}},
        "Done": {"checkbox": True},
        "Link": {"url": "https://a.example"},
        "Owner": {"people": [{"id": schema.PERSON}]},
        "Related": {"relation": [{"id": schema.TASK}]},
        "Files": {"files": [{"name": "a", "external": {"url": "https://a.example"}}]},
    },
}
MAIL = {
    "from": "Levqor <levqor@levqor-sandbox.dev>",
    "to": ["a@example.com"],
    "cc": "b@example.com",
    "subject": "s",
    "text": "t",
}
ROWS = {"range": "A1", "majorDimension": "COLUMNS", "values": [["a", 1], [True, None]]}
TELEGRAM = {
    "sendMessage": {
        "chat_id": 1,
        "text": "x",
        "parse_mode": "HTML",
        "reply_parameters": {"message_id": 1},
        "reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "b"}]]},
    },
    "editMessageText": {"chat_id": 1, "message_id": 1, "text": "y"},
    "answerCallbackQuery": {"callback_query_id": "1", "text": "x"},
    "getChatMember": {"chat_id": 1, "user_id": telegram.BOT_ID},
    "getUpdates": {"offset": 1, "limit": 1, "timeout": 0, "allowed_updates": ["message"]},
    "setWebhook": {"url": "https://127.0.0.1:1/", "allowed_updates": ["message"]},
    "setMyCommands": {
        "commands": [{"command": "a", "description": "b"}],
        "scope": {"type": "chat", "chat_id": 1},
    },
}


def bearer(token, **more):
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **more}


def google(settings):
    info = json.loads(settings["GOOGLE_SERVICE_ACCOUNT_JSON"])
    made = service_account.Credentials.from_service_account_info(info, scopes=[SCOPE])
    made.refresh(Request())
    return made.token


def calls(service, settings):
    """Each call of a sandbox service: address, headers and a body that it takes."""
    if service == "slack":
        api, head = settings["SLACK_API_URL"], bearer(settings["SLACK_BOT_TOKEN"])
        message = {"channel": slack.GENERAL, "text": "x", "blocks": BLOCKS}
        home = {"user_id": slack_identity.PERSON, "view": {"type": "home", "blocks": BLOCKS}}
        return [
            (settings["SLACK_WEBHOOK_URL"], bearer(""), {"text": "x", "blocks": BLOCKS}),
            (f"{api}chat.postMessage", head, message),
            (f"{api}views.publish", head, home),
            (f"{api}users.info", head, {"user": slack_identity.PERSON}),
        ]
    if service == "notion":
        head = bearer(settings["NOTION_API_KEY"], **{"Notion-Version": "2026-03-11"})
        return [(f"{settings['NOTION_API_URL']}/v1/pages", head, PAGE)]
    if service == "sheets":
        book = f"{settings['SHEETS_API_URL']}/v4/spreadsheets/"
        book += settings["GOOGLE_SHEETS_SPREADSHEET_ID"]
        append = f"{book}/values/A1:append?valueInputOption=RAW"
        return [(append, bearer(google(settings)), ROWS)]
    if service == "resend":
        head = bearer(settings["RESEND_API_KEY"])
        return [(f"{settings['RESEND_API_URL']}/emails", head, MAIL)]
    base = f"{settings['TELEGRAM_API_URL']}/bot{settings['TELEGRAM_BOT_TOKEN']}"
    return [(f"{base}/{call}", bearer(""), body) for call, body in TELEGRAM.items()]


def places(value, path=()):
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inner:
        if isinstance(one, dict | list):
            yield from places(one, (*path, key))
        else:
            yield (*path, key)


def replaced(body, path, odd):
    if not path:
        return odd
    changed = copy.deepcopy(body)
    inside = changed
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = odd
    return changed


@pytest.mark.parametrize("service", ["slack", "notion", "sheets", "telegram", "resend"])
def test_whatever_stands_in_a_request_it_is_answered_as_the_vendor_would(sandbox, service):
    sandbox.telegram.user(1).says("hello")
    with requests.Session() as session:
        for url, headers, body in calls(service, sandbox.settings()):
            assert session.post(url, json=body, headers=headers).status_code < 500
            odd = [json.dumps(replaced(body, p, one)).encode() for p in places(body) for one in ODD]
            for data in (*odd, *BROKEN):
                answer = session.post(url, data=data, headers=headers)
                assert answer.status_code < 500, (url.rpartition("/")[2], data[:500])
