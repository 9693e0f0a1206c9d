"""Slack's answers: what each means, what to do, and how often it was asked."""

import json

import pytest

from core.connectors import slack
from core.sandbox.slack import GENERAL
from tests.support.sandbox import Answer, DropAfter
from tests.support.sending import check_told, failing_probe, probe, refusal

SLACK = slack.CONNECTOR
HELLO = {"text": "Hello"}
NAMED = {"text": "Hello", "channel": GENERAL}
NOW = {"Retry-After": "0"}

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
    (200, "okay", "unknown", "unexpected_answer", "no proxy is between"),
    (200, "ok\n", "unknown", "unexpected_answer", "no proxy is between"),
    (200, "<html>Log in to the network</html>", "unknown", "unexpected_answer", "no proxy"),
    (302, "", "unknown", "unexpected_answer", "no proxy is between"),
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
    ("team_access_not_granted", "refused", "posting_forbidden", "Ask a workspace admin"),
    ("slack_connect_file_link_sharing_blocked", "refused", "posting_forbidden", "workspace admin"),
    ("slack_connect_canvas_sharing_blocked", "refused", "posting_forbidden", "workspace admin"),
    ("slack_connect_lists_sharing_blocked", "refused", "posting_forbidden", "workspace admin"),
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
    answer = Answer(status, body, headers=NOW)
    check_told(SLACK, sandbox, HELLO, answer, (outcome, reason, fix), on="webhook")


@pytest.mark.parametrize(("code", "outcome", "reason", "fix"), API_ROWS)
def test_each_answer_of_the_web_api_is_explained(sandbox, code, outcome, reason, fix):
    answer = Answer(200, json={"ok": False, "error": code}, headers=NOW)
    check_told(SLACK, sandbox, NAMED, answer, (outcome, reason, fix), on="chat.postMessage")


@pytest.mark.parametrize(
    ("status", "outcome", "reason", "fix"),
    [
        (429, "not_sent", "too_fast", "Wait a little"),
        (500, "unknown", "failed", "Look in the channel"),
        (503, "unknown", "failed", "Look in the channel"),
    ],
)
def test_a_status_without_a_code_speaks_for_itself_on_the_web_api(
    sandbox, status, outcome, reason, fix
):
    answer = Answer(status, "<html>", headers=NOW)
    check_told(SLACK, sandbox, NAMED, answer, (outcome, reason, fix), on="chat.postMessage")


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

    error = failing_probe(SLACK, sandbox)

    assert (error.reason, error.outcome) == (reason, outcome)
