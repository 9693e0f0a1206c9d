"""Slack: what is posted and where, and what a probe asks."""

import pytest
from pydantic import ValidationError

from core.connectors import slack
from core.errors import NotConfigured
from core.sandbox.slack import GENERAL
from tests.support.sandbox import Answer
from tests.support.sending import configured, golden, media_type, probe, send

SLACK = slack.CONNECTOR
HELLO = {"text": "Hello"}
NAMED = {"text": "Hello", "channel": GENERAL}


def test_a_message_without_a_channel_goes_to_the_webhook(sandbox):
    receipt = send(SLACK, sandbox, HELLO)

    (request,) = sandbox.slack.received
    assert receipt.status == "sent"
    assert request.call == "webhook"
    assert request.json == {"text": "Hello"}
    assert "authorization" not in request.headers


def test_a_named_channel_goes_through_the_web_api_with_the_bot_token(sandbox):
    receipt = send(SLACK, sandbox, NAMED)

    (request,) = sandbox.slack.received
    assert receipt.status == "sent"
    assert request.call == "chat.postMessage"
    assert request.json == {"channel": GENERAL, "text": "Hello"}
    assert request.headers["authorization"] == f"Bearer {sandbox.slack.bot_token}"


def test_a_named_channel_without_a_token_is_not_configured_and_nothing_is_posted(sandbox):
    with pytest.raises(NotConfigured) as raised:
        send(SLACK, sandbox, NAMED, SLACK_BOT_TOKEN=None)

    assert raised.value.settings == ("SLACK_BOT_TOKEN",)
    assert "SLACK_BOT_TOKEN" in raised.value.message
    assert "api.slack.com/apps" in raised.value.fix
    assert sandbox.slack.received == []


def test_slacks_control_characters_are_escaped_once(sandbox):
    send(SLACK, sandbox, {"text": "<!channel> & <http://x|y> &lt;"})

    assert sandbox.slack.received[0].json == {
        "text": "&lt;!channel&gt; &amp; &lt;http://x|y&gt; &amp;lt;"
    }


def test_3000_characters_go_whole_even_where_escaping_makes_them_more(sandbox):
    send(SLACK, sandbox, {"text": "<" * 3000})

    assert sandbox.slack.received[0].json == {"text": "&lt;" * 3000}


@pytest.mark.parametrize(
    ("name", "call", "values"),
    [
        ("slack.webhook.text", "webhook", {}),
        ("slack.chat_postMessage.text", "chat.postMessage", {"channel": "C0123456789"}),
    ],
)
def test_requests_are_those_of_slacks_own_sdk(sandbox, specs, name, call, values):
    theirs = golden(specs, name)
    said = theirs["body_json"]
    sandbox.slack.always(Answer(200, json={"ok": True}) if values else Answer(200, "ok"))

    send(SLACK, sandbox, {"text": said["text"], **values})

    (ours,) = sandbox.slack.calls(call)
    escaped = said["text"].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert ours.method == theirs["method"]
    assert ours.json == {**said, "text": escaped}
    assert media_type(ours.headers["content-type"]) == "application/json"
    assert ("authorization" in ours.headers) == ("authorization" in theirs["headers"])


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": " \n "}, "text"),
        ({"text": "x" * 3001}, "text"),
        ({"text": "bell \x07"}, "text"),
        ({"text": "x", "channel": "c" * 81}, "channel"),
        ({"text": "x", "channel": "a\nb"}, "channel"),
        ({"text": "x", "thread": "1"}, "thread"),
        ({"text": 3}, "text"),
    ],
)
def test_what_breaks_the_contract_is_refused_by_field(values, field):
    with pytest.raises(ValidationError) as raised:
        slack.Message.model_validate(values)

    assert [error["loc"][0] for error in raised.value.errors()] == [field]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://example.com/services/T1/B1/x", "must be an address at hooks.slack.com"),
        ("https://hooks.slack.com.evil.io/services/T1/B1/x", "must be an address at hooks.slack"),
        ("https://hooks.slack.com:444/services/T1/B1/x", "must be an address at hooks.slack.com"),
        ("https://x@hooks.slack.com/services/T1/B1/x", "with no name, password"),
        ("http://hooks.slack.com/services/T1/B1/x", "must begin with https://"),
        ("https://hooks.slack.com/workflows/T1/A1/1/x", "starts a Slack workflow"),
        ("https://hooks.slack.com/triggers/T1/1/x", "starts a Slack workflow"),
        ("https://hooks.slack.com/commands/T1/1/x", "must look like https://hooks.slack.com"),
        ("hooks.slack.com/services/T1/B1/x", "must be an address like"),
    ],
)
def test_a_webhook_that_is_none_is_refused_without_repeating_it(sandbox, url, words):
    with pytest.raises(ValidationError) as raised:
        configured(SLACK, sandbox, SLACK_WEBHOOK_URL=url)

    assert words in str(raised.value)
    assert "T1/" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T1/B1/x",
        "https://hooks.slack-gov.com/services/T1/B1/x",
        "http://127.0.0.1:9/services/T1/B1/x",
        "http://localhost:9/services/T1/B1/x",
    ],
)
def test_a_webhook_of_slacks_or_on_loopback_is_taken(sandbox, url):
    assert configured(SLACK, sandbox, SLACK_WEBHOOK_URL=url).webhook_url.get_secret_value() == url


def test_a_probe_posts_nothing_and_asks_who_the_bot_is(sandbox):
    found = probe(SLACK, sandbox)

    assert (found.notes, found.attention) == ((), False)
    assert [request.call for request in sandbox.slack.received] == ["webhook", "auth.test"]
    assert sandbox.slack.writes == []


def test_a_probe_without_a_token_says_what_that_means(sandbox):
    found = probe(SLACK, sandbox, SLACK_BOT_TOKEN=None)

    assert found.notes == (
        "SLACK_BOT_TOKEN is not set: messages go only to the webhook's channel.",
    )
    assert not found.attention


@pytest.mark.parametrize(
    ("answer", "fix"),
    [
        (Answer(json={"ok": False, "error": "token_revoked"}), "SLACK_BOT_TOKEN"),
        (
            Answer(json={"ok": True}, headers={"X-OAuth-Scopes": "commands,users:read"}),
            "chat:write",
        ),
    ],
)
def test_a_probe_tells_of_a_token_that_cannot_post(sandbox, answer, fix):
    sandbox.slack.next(answer, on="auth.test")

    found = probe(SLACK, sandbox)

    assert found.attention
    assert found.notes[0].startswith("SLACK_BOT_TOKEN: ")
    assert fix in found.fix
