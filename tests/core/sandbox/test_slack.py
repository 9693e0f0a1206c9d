"""What the sandbox's Slack refuses, in Slack's words."""

import pytest
import requests

from core.sandbox import slack


@pytest.fixture
def set_up(sandbox):
    return sandbox.settings()


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"text": ""}, 400, "no_text"),
        ({"text": "  "}, 400, "no_text"),
        ({"text": 3}, 400, "invalid_payload"),
        (["text"], 400, "invalid_payload"),
        ({"text": "x" * 40_001}, 400, "msg_too_long"),
        ({"text": "x", "blocks": [{}] * 51}, 400, "invalid_blocks"),
        (
            {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]},
            400,
            "invalid_blocks",
        ),
    ],
)
def test_the_webhook_refuses_in_plain_text(sandbox, set_up, body, status, text):
    answer = requests.post(set_up["SLACK_WEBHOOK_URL"], json=body)
    assert (answer.status_code, answer.text) == (status, text)
    assert sandbox.slack.writes == []


def test_a_webhook_of_a_removed_app_is_no_service(set_up):
    url = set_up["SLACK_WEBHOOK_URL"]
    gone = url.replace(slack.BOT, "B0000000000")
    assert requests.post(gone, json={"text": "x"}).text == "no_service"
    assert requests.post(f"{url}x", json={"text": "x"}).text == "invalid_token"


def test_the_web_api_says_no_with_a_200(set_up):
    answer = requests.post(f"{set_up['SLACK_API_URL']}chat.postMessage", json={"text": "x"})
    assert (answer.status_code, answer.json()) == (200, {"ok": False, "error": "not_authed"})
