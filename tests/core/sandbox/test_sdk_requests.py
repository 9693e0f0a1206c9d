"""What the vendors' official SDKs put on the wire is accepted."""

import json
import re

import pytest
import requests

from core.sandbox import slack
from core.sandbox.notion import schema


def golden(specs, name):
    return json.loads((specs / "golden" / f"{name}.json").read_text())["requests"]


def replay(request, url, headers):
    """Send a recorded request to a service, with its credentials in place of the recorded."""
    raw = request["body_raw"].encode()
    return requests.request(request["method"], url, data=raw, headers=headers)


@pytest.mark.parametrize("name", ["slack.webhook.text", "slack.webhook.blocks"])
def test_the_sdks_webhook_requests_are_accepted(sandbox, specs, name):
    (request,) = golden(specs, name)
    answer = replay(request, sandbox.settings()["SLACK_WEBHOOK_URL"], request["headers"])
    assert (answer.status_code, answer.text) == (200, "ok")
    assert sandbox.slack.writes[0].json == request["body_json"]


@pytest.mark.parametrize("call", ["auth_test", "chat_postMessage.text", "chat_postMessage.blocks"])
def test_the_sdks_slack_requests_are_accepted(sandbox, specs, call):
    (request,) = golden(specs, f"slack.{call}")
    settings = sandbox.settings()
    headers = request["headers"] | {"authorization": f"Bearer {settings['SLACK_BOT_TOKEN']}"}
    request["body_raw"] = request["body_raw"].replace("C0123456789", slack.GENERAL)
    answer = replay(request, sandbox.slack.url + request["path"], headers)
    assert answer.json()["ok"] is True


@pytest.mark.parametrize("name", ["data_source", "page_children"])
def test_the_sdks_notion_requests_are_accepted(sandbox, specs, name, notion):
    (request,) = golden(specs, f"notion.pages_create.{name}")
    base, headers, database = notion
    source = requests.get(f"{base}/databases/{database}", headers=headers).json()
    parent = schema.HOME if name == "page_children" else source["data_sources"][0]["id"]
    # The recorded client is of an older version, and its database had other columns.
    body = request["body_raw"].replace("d9824bdc-8445-4327-be8b-5b47500af6ce", parent)
    body = body.replace('"N":', '"Points":').replace('"When":', '"Due":')
    request["body_raw"] = body
    answer = replay(request, f"{base}/pages", request["headers"] | headers)
    assert (answer.status_code, answer.json()["object"]) == (200, "page")


@pytest.mark.parametrize(
    "name",
    [
        "append_row.gspread",
        "append_row.gspread_options",
        "values_append.apiclient",
        "values_append.apiclient_quoted_tab",
    ],
)
def test_the_sdks_sheets_requests_are_accepted(sandbox, specs, name, google):
    session, settings = google, sandbox.settings()
    for request in golden(specs, f"sheets.{name}"):
        target = request["raw_target"].replace("SHEET", settings["GOOGLE_SHEETS_SPREADSHEET_ID"], 1)
        target = target.replace("%27My%20T%C3%A4b%27", "%27%C3%9Cbersicht%27")
        url = settings["SHEETS_API_URL"] + target
        headers = {"Content-Type": "application/json"}
        answer = session.request(
            request["method"], url, data=request["body_raw"].encode(), headers=headers
        )
        assert answer.status_code == 200, answer.text
    assert len(sandbox.sheets.writes) == 1


@pytest.mark.parametrize("name", ["getMe", "sendMessage.text", "sendMessage.full"])
def test_the_sdks_telegram_requests_are_accepted(sandbox, specs, name):
    (request,) = golden(specs, f"telegram.{name}")
    settings = sandbox.settings()
    for _ in range(7):  # the recorded reply is to the seventh message
        sandbox.telegram.user(1).says("hello")
    path = re.sub(r"/bot[^/]+", f"/bot{settings['TELEGRAM_BOT_TOKEN']}", request["path"])
    answer = replay(request, settings["TELEGRAM_API_URL"] + path, request["headers"])
    assert answer.json()["ok"] is True


@pytest.mark.parametrize("name", ["min", "full_idempotent"])
def test_the_sdks_resend_requests_are_accepted(sandbox, specs, name):
    (request,) = golden(specs, f"resend.emails_send.{name}")
    settings = sandbox.settings()
    headers = request["headers"] | {"authorization": f"Bearer {settings['RESEND_API_KEY']}"}
    request["body_raw"] = request["body_raw"].replace("bot@example.com", "bot@levqor-sandbox.dev")
    answer = replay(request, settings["RESEND_API_URL"] + request["path"], headers)
    assert (answer.status_code, list(answer.json())) == (200, ["id"])
