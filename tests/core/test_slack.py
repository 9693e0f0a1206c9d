"""Slack: what is posted, and what each of its answers means."""

import json

import pytest
from pydantic import ValidationError

from core.connectors import slack
from core.errors import NotConfigured, UpstreamError
from core.sandbox import Answer, DropAfter
from core.sandbox.slack import GENERAL
from tests.support.sending import configured, golden, media_type, probe, refusal, send

SLACK = slack.CONNECTOR
HELLO = {"text": "Hello"}
NAMED = {"text": "Hello", "channel": GENERAL}
REQUESTS = {"refused": 1, "not_sent": 3, "unknown": 1}

WEBHOOK_ROWS = [
    (404, "no_service", "refused", "webhook_gone", "add a new webhook"),
    (404, "no_service_id", "refused", "webhook_gone", "add a new webhook"),
    (404, "no_active_hooks", "refused", "webhook_gone", "add a new webhook"),
    (404, "something new", "refused", "webhook_gone", "add a new webhook"),
    (403, "invalid_token", "refused", "webhook_invalid", "Copy the webhook's address again"),
    (400, "invalid_token", "refused", "webhook_invalid", "Copy the webhook's address again"),
    (400, "invalid_payload", "refused", "bad_request", "Report it"),
    (400, "no_text", "refused", "no_text", "Write some text"),
    (400, "missing_text_or_fallback_or_attachments", "refused", "no_text", "Write some text"),
    (410, "channel_is_archived", "refused", "channel_archived", "Unarchive the channel"),
    (400, "channel_is_archived", "refused", "channel_archived", "Unarchive the channel"),
    (404, "channel_is_archived", "refused", "channel_archived", "Unarchive the channel"),
    (404, "channel_not_found", "refused", "webhook_channel_gone", "Invite the app"),
    (403, "action_prohibited", "refused", "posting_forbidden", "Ask a workspace admin"),
    (
        403,
        "posting_to_general_channel_denied",
        "refused",
        "posting_forbidden",
        "Ask a workspace admin",
    ),
    (404, "no_team", "refused", "workspace_gone", "Install the app in the workspace again"),
    (403, "team_disabled", "refused", "workspace_gone", "Install the app in the workspace again"),
    (429, "", "not_sent", "too_fast", "Wait a little"),
    (429, "rate_limited", "not_sent", "too_fast", "Wait a little"),
    (500, "rollup_error", "unknown", "failed", "Look in the channel"),
    (500, "", "unknown", "failed", "Look in the channel"),
    (502, "<html>Bad gateway</html>", "unknown", "failed", "Look in the channel"),
    (503, "", "unknown", "failed", "Look in the channel"),
    (408, "", "unknown", "failed", "Look in the channel"),
    (418, "teapot", "refused", "unrecognised", "levqor doctor"),
    (200, "okay", "unknown", "unexpected_answer", "no proxy stands between"),
    (200, "ok\n", "unknown", "unexpected_answer", "no proxy stands between"),
    (200, "<html>Log in to the network</html>", "unknown", "unexpected_answer", "no proxy"),
    (302, "", "unknown", "unexpected_answer", "no proxy stands between"),
]

API_ROWS = [
    ("is_archived", "refused", "channel_archived", "Unarchive the channel"),
    ("restricted_action", "refused", "posting_forbidden", "Ask a workspace admin"),
    ("restricted_action_read_only_channel", "refused", "posting_forbidden", "workspace admin"),
    ("restricted_action_thread_only_channel", "refused", "posting_forbidden", "workspace admin"),
    ("restricted_action_non_threadable_channel", "refused", "posting_forbidden", "admin"),
    ("restricted_action_thread_locked", "refused", "posting_forbidden", "workspace admin"),
    ("ekm_access_denied", "refused", "posting_forbidden", "Ask a workspace admin"),
    ("channel_not_found", "refused", "channel_not_found", "Use the channel's ID"),
    ("team_not_found", "refused", "channel_not_found", "Use the channel's ID"),
    ("not_in_channel", "refused", "not_in_channel", "Type /invite @"),
    ("missing_scope", "refused", "missing_scope", "add the scope chat:write"),
    ("not_authed", "refused", "token_refused", "Bot User OAuth Token (xoxb-…)"),
    ("invalid_auth", "refused", "token_refused", "Bot User OAuth Token (xoxb-…)"),
    ("token_revoked", "refused", "token_refused", "Bot User OAuth Token (xoxb-…)"),
    ("token_expired", "refused", "token_refused", "Bot User OAuth Token (xoxb-…)"),
    ("account_inactive", "refused", "token_refused", "Bot User OAuth Token (xoxb-…)"),
    ("org_login_required", "refused", "workspace_migrating", "Wait until the move is over"),
    ("not_allowed_token_type", "refused", "wrong_token", "begins with xoxb-"),
    ("invalid_blocks", "refused", "message_too_long", "Make the message shorter"),
    ("invalid_blocks_format", "refused", "message_too_long", "Make the message shorter"),
    ("msg_too_long", "refused", "message_too_long", "Make the message shorter"),
    ("msg_blocks_too_long", "refused", "message_too_long", "Make the message shorter"),
    ("too_many_attachments", "refused", "message_too_long", "Make the message shorter"),
    ("no_text", "refused", "no_text", "Write some text"),
    ("messages_tab_disabled", "refused", "messages_off", "Messages Tab"),
    ("invalid_json", "refused", "bad_request", "Report it"),
    ("ratelimited", "not_sent", "too_fast", "Wait a little"),
    ("rate_limited", "not_sent", "too_fast", "Wait a little"),
    ("message_limit_exceeded", "refused", "slack_plan_limit", "upgrade the workspace's plan"),
    ("internal_error", "unknown", "failed", "Look in the channel"),
    ("fatal_error", "unknown", "failed", "Look in the channel"),
    ("service_unavailable", "unknown", "failed", "Look in the channel"),
    ("request_timeout", "unknown", "failed", "Look in the channel"),
    ("rollup_error", "unknown", "failed", "Look in the channel"),
    ("invalid_arg_name", "refused", "bad_request", "Report it"),
    ("invalid_array_arg", "refused", "bad_request", "Report it"),
    ("invalid_charset", "refused", "bad_request", "Report it"),
    ("invalid_form_data", "refused", "bad_request", "Report it"),
    ("invalid_post_type", "refused", "bad_request", "Report it"),
    ("missing_post_type", "refused", "bad_request", "Report it"),
    ("unknown_method", "refused", "bad_request", "Report it"),
    ("method_deprecated", "refused", "bad_request", "Report it"),
    ("deprecated_endpoint", "refused", "bad_request", "Report it"),
    ("access_denied", "refused", "posting_forbidden", "Ask a workspace admin"),
    ("accesslimited", "refused", "posting_forbidden", "Ask a workspace admin"),
    ("no_permission", "refused", "posting_forbidden", "Ask a workspace admin"),
    ("app_access_restricted", "refused", "posting_forbidden", "Ask a workspace admin"),
    ("enterprise_is_restricted", "refused", "posting_forbidden", "Ask a workspace admin"),
    ("two_factor_setup_required", "refused", "token_refused", "Bot User OAuth Token (xoxb-…)"),
    ("team_added_to_org", "refused", "workspace_migrating", "Wait until the move is over"),
    ("is_bot", "refused", "wrong_token", "begins with xoxb-"),
    (
        "attachment_payload_limit_exceeded",
        "refused",
        "message_too_long",
        "Make the message shorter",
    ),
    ("a_code_of_tomorrow", "refused", "unrecognised", "levqor doctor"),
]


@pytest.mark.parametrize(("status", "body", "outcome", "reason", "fix"), WEBHOOK_ROWS)
def test_each_answer_of_a_webhook_is_explained(sandbox, status, body, outcome, reason, fix):
    sandbox.slack.always(Answer(status, body, headers={"Retry-After": "0"}))

    error = refusal(SLACK, sandbox, HELLO)

    assert (error.outcome, error.reason, error.code) == (outcome, reason, "upstream_error")
    assert fix in error.fix
    assert len(sandbox.slack.calls("webhook")) == REQUESTS[outcome]


@pytest.mark.parametrize(("code", "outcome", "reason", "fix"), API_ROWS)
def test_each_answer_of_the_web_api_is_explained(sandbox, code, outcome, reason, fix):
    answer = {"ok": False, "error": code}
    sandbox.slack.always(Answer(200, json=answer, headers={"Retry-After": "0"}))

    error = refusal(SLACK, sandbox, NAMED)

    assert (error.outcome, error.reason, error.code) == (outcome, reason, "upstream_error")
    assert fix in error.fix
    assert len(sandbox.slack.calls("chat.postMessage")) == REQUESTS[outcome]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_status_without_a_code_speaks_for_itself_on_the_web_api(sandbox, status):
    sandbox.slack.always(Answer(status, "<html>", headers={"Retry-After": "0"}))

    error = refusal(SLACK, sandbox, NAMED)

    expected = {429: "too_fast", 500: "failed", 503: "failed"}
    assert error.reason == expected[status]


def test_every_error_the_vendor_lists_for_posting_has_an_outcome(sandbox, specs):
    listed = json.loads((specs / "slack_chat.postMessage.json").read_text())["errors"]
    in_doubt = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}
    for code in set(listed) - {"ratelimited", "rate_limited"}:
        sandbox.slack.next(Answer(json={"ok": False, "error": code}))

        error = refusal(SLACK, sandbox, NAMED)

        assert error.outcome == ("unknown" if code in in_doubt else "refused"), code


@pytest.mark.parametrize("values", [HELLO, NAMED], ids=["webhook", "Web API"])
def test_a_connection_dropped_after_the_message_is_in_doubt_and_not_repeated(sandbox, values):
    sandbox.slack.always(DropAfter())

    error = refusal(SLACK, sandbox, values)

    assert (error.outcome, error.body()["in_doubt"]) == ("unknown", True)
    assert error.fix
    assert len(sandbox.slack.received) == 1


@pytest.mark.parametrize("values", [HELLO, NAMED], ids=["webhook", "Web API"])
def test_a_wait_longer_than_the_run_is_told_and_not_slept(sandbox, values):
    sandbox.slack.always(Answer(429, "", headers={"Retry-After": "3600"}))

    error = refusal(SLACK, sandbox, values)

    assert (error.reason, error.body()["retry_after"]) == ("too_fast", 3600)
    assert len(sandbox.slack.received) == 1


def test_a_missing_scope_is_named(sandbox):
    answer = {"ok": False, "error": "missing_scope", "needed": "chat:write:bot", "provided": "x"}
    sandbox.slack.always(Answer(json=answer))

    assert "add the scope chat:write:bot under" in refusal(SLACK, sandbox, NAMED).fix


def test_a_needed_scope_that_is_no_scope_is_not_repeated(sandbox):
    answer = {"ok": False, "error": "missing_scope", "needed": "<!channel> SECRET"}
    sandbox.slack.always(Answer(json=answer))

    assert "add the scope chat:write under" in refusal(SLACK, sandbox, NAMED).fix


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
        "SLACK_BOT_TOKEN is not set: only the webhook's own channel is reached.",
    )
    assert not found.attention


@pytest.mark.parametrize("body", ["no_text", "invalid_payload"])
def test_a_webhook_that_refuses_the_empty_text_is_alive(sandbox, body):
    sandbox.slack.next(Answer(400, body), on="webhook")

    assert not probe(SLACK, sandbox).attention


@pytest.mark.parametrize(
    ("answer", "reason", "outcome"),
    [
        (Answer(404, "no_service"), "webhook_gone", "refused"),
        (Answer(410, "channel_is_archived"), "channel_archived", "refused"),
        (Answer(500, "oops"), "down", "not_sent"),
        (Answer(200, "<html>"), "down", "not_sent"),
    ],
)
def test_a_probe_of_a_dead_webhook_leaves_nothing_in_doubt(sandbox, answer, reason, outcome):
    sandbox.slack.always(answer)

    with pytest.raises(UpstreamError) as raised:
        probe(SLACK, sandbox)

    assert (raised.value.reason, raised.value.outcome) == (reason, outcome)


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
