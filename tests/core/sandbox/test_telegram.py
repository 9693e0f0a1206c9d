"""What the sandbox's Telegram refuses, in Telegram's words."""

import pytest
import requests

from core.sandbox import telegram


@pytest.fixture
def set_up(sandbox):
    return sandbox.settings()


def telegram_call(set_up, method, **body):
    base = f"{set_up['TELEGRAM_API_URL']}/bot{set_up['TELEGRAM_BOT_TOKEN']}"
    return requests.post(f"{base}/{method}", json=body)


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ({"chat_id": 404, "text": "x"}, "Bad Request: chat not found"),
        ({"text": "x"}, "Bad Request: chat_id is empty"),
        ({"chat_id": telegram.GROUP}, "Bad Request: message text is empty"),
        ({"chat_id": telegram.GROUP, "text": " \n"}, "Bad Request: message text is empty"),
        ({"chat_id": telegram.GROUP, "text": "x" * 4097}, "Bad Request: message is too long"),
        ({"chat_id": telegram.GROUP, "text": "🚀" * 2049}, "Bad Request: message is too long"),
        ({"chat_id": telegram.GROUP, "text": "x" * 32_769}, "Bad Request: text is too long"),
        (
            {"chat_id": telegram.GROUP, "text": "x", "parse_mode": "rtf"},
            "Bad Request: unsupported parse_mode",
        ),
    ],
)
def test_telegram_refuses_a_message_it_cannot_send(sandbox, set_up, body, description):
    answer = telegram_call(set_up, "sendMessage", **body)
    assert answer.status_code == 400
    assert answer.json() == {"ok": False, "error_code": 400, "description": description}
    assert sandbox.telegram.writes == []


def test_telegram_counts_in_utf16_units(set_up):
    body = {"chat_id": telegram.GROUP, "text": "🚀" * 2048}
    assert telegram_call(set_up, "sendMessage", **body).json()["ok"] is True


def test_telegram_tells_a_wrong_token_from_a_malformed_one(set_up):
    base = set_up["TELEGRAM_API_URL"]
    assert requests.get(f"{base}/bot1:x/getMe").json()["description"] == "Unauthorized"
    assert requests.get(f"{base}/botx/getMe").json()["description"] == "Not Found"
