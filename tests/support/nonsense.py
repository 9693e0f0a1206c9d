"""What a proxy, a firewall's page or a broken gateway answers in place of a platform."""

from __future__ import annotations

from tests.support.sandbox import Answer

HTML = {"Content-Type": "text/html"}
JSON = {"Content-Type": "application/json"}
PAGE = "<html><body>Sign in to this network</body></html>"

NONSENSE = {
    "ok alone": Answer(json={"ok": True}),
    "a list": Answer(200, "[]", headers=JSON),
    "a word": Answer(200, '"x"', headers=JSON),
    "a number": Answer(200, "7", headers=JSON),
    "null": Answer(200, "null", headers=JSON),
    "an empty object": Answer(200, "{}", headers=JSON),
    "an empty result": Answer(json={"ok": True, "result": {}, "user": {}, "url": {}}),
    "a result that is a list": Answer(json={"ok": True, "result": [[]], "user": [], "url": []}),
    "a result that is a word": Answer(json={"ok": True, "result": "x", "user": "x", "url": "x"}),
    "a result that is null": Answer(json={"ok": True, "result": None, "user": None, "url": None}),
    "names of strange types": Answer(
        json={"ok": True, "team_id": 7, "user_id": [], "url": 7,
              "result": {"id": "x", "url": 7, "message_id": "x", "chat": 7, "date": 1e99}}
    ),
    "addresses that are none": Answer(
        json={"ok": True, "url": "wss://[slack.com", "result": {"url": "https://[levqor.example"}}
    ),
    "ok that is a word": Answer(json={"ok": "yes", "result": True}),
    "a refusal without words": Answer(json={"ok": False}),
    "a page": Answer(200, PAGE, headers=HTML),
    "a page called JSON": Answer(200, PAGE, headers=JSON),
    "nothing": Answer(200, ""),
    "nothing called JSON": Answer(200, "", headers=JSON),
    "no UTF-8": Answer(200, b'{"ok": true, "result": "\xff\xfe"}', headers=JSON),
    "too deep": Answer(200, "[" * 100_000, headers=JSON),
    "ten megabytes": Answer(200, "x" * 10_000_000, headers=JSON),
    "a page of a gateway that found nothing": Answer(404, PAGE, headers=HTML),
    "a page of a gateway that wants a password": Answer(401, PAGE, headers=HTML),
    "a redirect": Answer(302, "", headers={"Location": "/elsewhere"}),
    "an error that is a list": Answer(400, "[]", headers=JSON),
    "an error with strange words": Answer(
        400, json={"ok": False, "description": [], "parameters": [7], "error": 7}
    ),
    "a gateway's own trouble": Answer(502, PAGE, headers=HTML),
}  # fmt: skip
