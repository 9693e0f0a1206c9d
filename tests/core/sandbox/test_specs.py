"""Connectors, bots and sandbox against the vendors' own descriptions, in both directions."""

import json
from dataclasses import replace
from functools import partial

import pytest
import requests

from core.connectors import CONNECTORS
from tests.support.sending import Direct
from tests.support.slack import at_work
from tests.support.telegram import living, sent, settings_for
from tests.support.vendor import Call, Vendor
from tests.support.vendor_sends import SENDS
from tests.support.waiting import wait_for


def faults(specs, *services):
    """What the vendors have against all that passed, and which calls that was."""
    found, made = [], set()
    for service in services:
        vendor = Vendor.read(specs, service.name)
        for call in service.answered:
            found += vendor.faults(call)
            made.add(vendor.operation(call)[0])
    return found, made


@pytest.fixture
def each_call(sandbox):
    """Have every connector do all it can."""
    for connector in CONNECTORS:
        action = connector.actions[0]
        for values in SENDS[connector.name]:
            sandbox.resend.reset()  # each is the first run of its id
            with Direct(connector, sandbox) as direct:
                direct.send(**values)
        with Direct(connector, sandbox) as direct:
            direct.probe()
            for choose in connector.choices.values():
                direct.ask(choose)
            for values in SENDS[connector.name] if action.look else ():
                direct.ask(partial(action.look, action.input.model_validate(values)))


def test_each_call_and_its_answer_are_as_the_vendor_describes_them(sandbox, specs, each_call):
    for service in sandbox.services:
        assert faults(specs, service)[0] == [], service.name


def test_a_running_bots_calls_are_as_the_vendors_describe_them(home, sandbox, specs):
    with living(settings_for(home, sandbox)) as bot:
        code, _ = bot.engine.ledger.pair_code("telegram")
        ada = sandbox.telegram.user(42)
        said = (f"/start {code}", "/help", "/slack_send", "hello", "/skip")
        for number, text in enumerate(said, 1):
            ada.says(text)
            preview = ada.waits(number)[-1]
        ada.presses(preview, "Send")
        ada.waits(until=sent)
    found, made = faults(specs, sandbox.telegram)
    assert found == []
    assert {path.rpartition("/")[2] for path in made} >= {
        "getUpdates", "sendMessage", "editMessageText", "answerCallbackQuery", "setMyCommands",
    }  # fmt: skip


def test_a_running_slack_apps_calls_are_as_slack_describes_them(home, sandbox, specs):
    with at_work(home, sandbox) as working:
        working.unlimited()
        working.people.command("/levqor-email-send", " ")
        wait_for(lambda: working.people.views.last)
        working.people.submit_view({"to": "delivered@resend.dev", "subject": "Hi", "text": "One."})
        working.people.event("app_home_opened", tab="home")
        wait_for(lambda: sandbox.slack.calls("views.publish") and sandbox.slack.calls("users.info"))
        wait_for(lambda: sandbox.resend.writes)
    # The 2021 file has no Socket Mode, and no response URLs.
    unknown = ("/api/apps.connections.open", "/response/")
    sandbox.slack.answered = [
        call for call in sandbox.slack.answered if not call.path.startswith(unknown)
    ]
    found, made = faults(specs, sandbox.slack)
    assert found == []
    assert made >= {"/api/auth.test", "/api/views.open", "/api/views.publish", "/api/users.info"}


def changed(call, *, body=None, data=None, query="", **more):
    """The call with fields of its body or its answer set anew, or more asked for."""
    if body:
        more["body"] = json.dumps(json.loads(call.body) | body).encode()
    if isinstance(data, bytes):
        more["data"] = data
    elif data:
        more["data"] = json.dumps(json.loads(call.data) | data).encode()
    joint = "&" if "?" in call.target else "?"
    return replace(call, **more, target=call.target + (joint + query if query else ""))


# The write of each vendor, and what its description must find wrong where it is changed.
WRITES = {
    "slack": "/api/chat.postMessage",
    "notion": "/v1/pages",
    "sheets": ":append",
    "telegram": "/sendMessage",
    "resend": "/emails",
}
WRONG = [
    *((name, {"body": {"levqor": 1}}) for name in WRITES),
    *((name, {"query": "levqor=1"}) for name in WRITES),
    *((name, {"data": {"levqor": 1}}) for name in WRITES),
    *((name, {"data": b"[]"}) for name in WRITES),
    *((name, {"headers": {"content-type": "application/json"}}) for name in WRITES),
    ("slack", {"body": {"text": {"a": 1}}}),
    ("slack", {"data": {"ok": False, "error": "channel_not_found"}}),
    ("notion", {"body": {"parent": {"type": "page_id", "data_source_id": "0" * 32}}}),
    ("notion", {"body": {"properties": {"Done": {"checkbox": "true"}}}}),
    ("notion", {"body": {"properties": {"Name": {"title": [{"text": {"content": "x" * 2001}}]}}}}),
    ("notion", {"data": {"in_trash": "no"}}),
    ("notion", {"status_code": 404}),
    ("sheets", {"query": "responseValueRenderOption=SOMEWHERE"}),
    ("sheets", {"body": {"values": ["x"]}}),
    ("sheets", {"data": {"updates": {"updatedRows": "1"}}}),
    ("telegram", {"body": {"text": 7}}),
    ("telegram", {"data": {"result": {"message_id": "1"}}}),
    ("telegram", {"status_code": 400}),
    ("resend", {"body": {"to": 7}}),
    ("resend", {"body": {"to": ["a@example.com"] * 51}}),
    ("resend", {"data": {"id": 7}}),
]


def test_what_a_vendor_would_not_take_or_answer_is_found(sandbox, specs, each_call):
    calls = {
        name: next(call for call in sandbox.service(name).answered if call.path.endswith(end))
        for name, end in WRITES.items()
    }
    for name, change in WRONG:
        if name == "telegram" and "headers" in change:
            continue  # its token stands in the address
        found = Vendor.read(specs, name).faults(changed(calls[name], **change))
        assert found, (name, change)


def test_refusals_are_as_the_vendors_describe_them(sandbox, specs, notion, google):
    settings = sandbox.settings()
    api, good = settings["SLACK_API_URL"], {"Authorization": f"Bearer {sandbox.slack.bot_token}"}
    hook = settings["SLACK_WEBHOOK_URL"]
    base, headers, database = notion
    bot = f"{settings['TELEGRAM_API_URL']}/bot{settings['TELEGRAM_BOT_TOKEN']}"
    book = f"{settings['SHEETS_API_URL']}/v4/spreadsheets/"
    ours = book + settings["GOOGLE_SHEETS_SPREADSHEET_ID"]
    mail, key = f"{settings['RESEND_API_URL']}/emails", f"Bearer {settings['RESEND_API_KEY']}"
    wrong = {"parent": {"database_id": database}, "properties": {"Nom": {"checkbox": True}}}
    for status, url, sent_headers, body in [
        (200, f"{api}chat.postMessage", {}, {}),
        (200, f"{api}chat.postMessage", {"Authorization": "Bearer xoxb-1"}, {}),
        (200, f"{api}chat.postMessage", {"Authorization": "Bearer xoxp-1"}, {}),
        (200, f"{api}chat.postMessage", good, {"channel": "#nope"}),
        (200, f"{api}chat.postMessage", good, {"channel": "#general"}),
        (200, f"{api}chat.postMessage", good, {"channel": "#general", "text": "x" * 40_001}),
        (200, f"{api}conversations.info", good, {"channel": "#general"}),
        (200, f"{api}users.info", good, {"user": "x"}),
        (400, hook, {}, {"text": ""}), (400, hook, {}, []), (403, hook + "x", {}, {"text": "x"}),
        (404, hook.replace("/T", "/X"), {}, {"text": "x"}),
        (401, f"{base}/pages", {"Notion-Version": "2026-03-11"}, wrong),
        (400, f"{base}/pages", {"Authorization": headers["Authorization"]}, wrong),
        (400, f"{base}/pages", headers, wrong),
        (404, f"{base}/pages", headers, {"parent": {"data_source_id": "0" * 32}}),
        (403, f"{ours}/values/A1:append", {}, {}),
        (401, f"{ours}/values/A1:append", {"Authorization": "Bearer x"}, {}),
        (400, f"{settings['SHEETS_API_URL'].removesuffix('/sheets')}/google/token", {}, {}),
        (400, f"{bot}/sendMessage", {}, {"chat_id": 1, "text": " "}),
        (400, f"{bot}/sendMessage", {}, {"chat_id": 2, "text": "x"}),
        (401, f"{bot}x/sendMessage", {}, {"chat_id": 1, "text": "x"}),
        (401, mail, {}, {}), (403, mail, {"Authorization": "Bearer re_x"}, {}),
        (422, mail, {"Authorization": key}, {}),
    ]:  # fmt: skip
        answer = requests.post(url, json=body, headers=sent_headers)
        assert answer.status_code == status, answer.text
    for address, status in (
        (f"{book}x", 404),
        (f"{ours}?levqor=1", 400),
        (f"{ours}?fields=x", 400),
    ):
        assert google.get(address).status_code == status
    for service in sandbox.services:
        vendor = Vendor.read(specs, service.name)
        found = [each for call in service.answered for each in vendor.answer_faults(call)]
        assert found == [], service.name


def test_the_official_sdks_requests_are_as_the_vendors_describe_them(specs):
    """Or else a description is mended too far: what the SDKs send is right."""
    checked = 0
    for file in sorted((specs / "golden").glob("*.json")):
        name, _, rest = file.stem.partition(".")
        # Older than the description, or (Socket Mode, Google's sign-in) not in it.
        if name == "google" or rest in (
            "apps_connections_open",
            "pages_create.database_2022-06-28",
        ):
            continue
        for request in json.loads(file.read_text("utf-8"))["requests"]:
            headers = dict(request["headers"])
            if name == "notion":
                headers["notion-version"] = "2026-03-11"
            call = Call(
                request["method"], request["raw_target"].replace("/botTOKEN/", "/bot1:x/"), headers,
                request["body_raw"].encode(), 200, {}, b"",
            )  # fmt: skip
            assert Vendor.read(specs, name).request_faults(call) == [], file.name
            checked += 1
    assert checked > 20


def test_real_refusals_of_telegrams_fit_its_description(specs):
    vendor = Vendor.read(specs, "telegram")
    files = sorted((specs / "telegram-errors").glob("*.json"))
    assert len(files) > 30
    for file in files:
        data = file.read_bytes()
        status = json.loads(data)["error_code"]
        call = Call(
            "POST", "/bot1:x/sendMessage", {}, None, status, {"content-type": "application/json"},
            data,
        )  # fmt: skip
        assert vendor.answer_faults(call) == [], file.name
