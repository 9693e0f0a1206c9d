"""Resend's answers: what each means, what to do, and how often it was asked."""

import pytest

from core.connectors import email
from tests.support.sandbox import Answer, DropAfter
from tests.support.sending import RUN, check_told, failing_probe, send

EMAIL = email.CONNECTOR
MAIL = {"to": "ann@example.com", "subject": "Hello", "text": "All tests pass."}
NOW = {"Retry-After": "0"}
# The key tells a repeat, so what is in doubt is sent again.
REQUESTS = {"refused": 1, "not_sent": 3, "unknown": 3}

ROWS = [
    (401, "missing_api_key", "Missing API Key", "refused", "key_missing", "RESEND_API_KEY"),
    (400, "validation_error", "API key is invalid", "refused", "key_refused", "Make a new key"),
    (401, "validation_error", "API key is invalid", "refused", "key_refused", "Make a new key"),
    (403, "invalid_api_key", "API key is invalid", "refused", "key_refused", "Make a new key"),
    (401, "something_new", "Who are you?", "refused", "key_refused", "Make a new key"),
    (
        401,
        "restricted_api_key",
        "This API key is restricted to only send emails",
        "refused",
        "restricted_key",
        "full access",
    ),
    (403, "suspended_api_key", "Suspended", "refused", "key_suspended", "Resend's support"),
    (
        403,
        "validation_error",
        "You can only send testing emails to your own email address (ann@example.com).",
        "refused",
        "test_sender_only",
        "set RESEND_FROM",
    ),
    (
        403,
        "validation_error",
        "The example.com domain is not verified. Please, add and verify your domain",
        "refused",
        "domain_unverified",
        "Verify exactly that domain",
    ),
    (
        422,
        "validation_error",
        "Invalid `from` field. The email address needs to follow the format",
        "refused",
        "from_invalid",
        "Set RESEND_FROM",
    ),
    (422, "invalid_to_address", "Bad", "refused", "to_invalid", "Correct the address"),
    (403, "invalid_access", "Bad", "refused", "bad_request", "Report it"),
    (422, "invalid_from_address", "Bad", "refused", "from_invalid", "Set RESEND_FROM"),
    (403, "invalid_from_address", "Bad", "refused", "from_invalid", "Set RESEND_FROM"),
    (
        422,
        "validation_error",
        "Invalid `to` field.",
        "refused",
        "to_invalid",
        "Correct the address",
    ),
    (422, "missing_required_field", "Missing `to`", "refused", "field_missing", "Fill in"),
    (422, "missing_required_parameter", "Missing", "refused", "field_missing", "Fill in"),
    (422, "invalid_attachment", "Bad", "refused", "bad_request", "Report it"),
    (422, "invalid_parameter", "Bad", "refused", "bad_request", "Report it"),
    (422, "validation_error", "Something else", "refused", "bad_request", "Report it"),
    (400, "invalid_idempotency_key", "Length", "refused", "run_id_refused", "Report it"),
    (409, "invalid_idempotent_request", "Other", "refused", "run_id_reused", "as a new run"),
    (
        409,
        "concurrent_idempotent_requests",
        "Running",
        "unknown",
        "still_sending",
        "Look at resend.com/emails in a minute",
    ),
    (429, "rate_limit_exceeded", "Too many", "not_sent", "too_fast", "Wait a little"),
    (429, "a_new_name", "Too many", "not_sent", "too_fast", "Wait a little"),
    (
        429,
        "daily_quota_exceeded",
        "Quota",
        "refused",
        "resend_daily_quota",
        "upgrade your plan at resend.com",
    ),
    (
        429,
        "monthly_quota_exceeded",
        "Quota",
        "refused",
        "resend_monthly_quota",
        "upgrade your plan at resend.com",
    ),
    (500, "application_error", "Oops", "unknown", "failed", "Look at resend.com/emails"),
    (500, "internal_server_error", "Oops", "unknown", "failed", "Look at resend.com/emails"),
    (503, "service_unavailable", "Oops", "unknown", "failed", "Look at resend.com/emails"),
    (405, "method_not_allowed", "No", "refused", "bad_request", "Report it"),
    (404, "not_found", "No", "refused", "unrecognised", "levqor doctor"),
]


@pytest.mark.parametrize(("status", "name", "message", "outcome", "reason", "fix"), ROWS)
def test_each_answer_is_explained(sandbox, status, name, message, outcome, reason, fix):
    body = {"statusCode": status, "name": name, "message": message}
    answer = Answer(status, json=body, headers=NOW)
    check_told(EMAIL, sandbox, MAIL, answer, (outcome, reason, fix), requests=REQUESTS)
    assert {r.headers["idempotency-key"] for r in sandbox.resend.received} == {RUN}


@pytest.mark.parametrize(
    ("answer", "outcome", "reason", "fix"),
    [
        (Answer(403, "error code: 1010"), "refused", "client_blocked", "User-Agent"),
        (Answer(403, "<html>"), "refused", "unrecognised", "levqor doctor"),
        (Answer(502, "<html>", headers=NOW), "unknown", "failed", "Look at resend.com/emails"),
        (Answer(200, "<html>", headers=NOW), "unknown", "unexpected_answer", "no proxy is"),
        (Answer(200, json={}, headers=NOW), "unknown", "unexpected_answer", "no proxy is"),
        (Answer(302, "", headers=NOW), "unknown", "unexpected_answer", "no proxy is"),
    ],
)
def test_an_answer_that_is_not_resends_json_goes_by_its_status(
    sandbox, answer, outcome, reason, fix
):
    check_told(EMAIL, sandbox, MAIL, answer, (outcome, reason, fix), requests=REQUESTS)


@pytest.mark.parametrize("reason", ["resend_daily_quota", "resend_monthly_quota"])
def test_resends_own_quota_is_not_taken_for_levqors(reason):
    row = EMAIL.answers.find(reason)

    assert "your Resend plan" in row.message
    assert "not Levqor's limit" in row.message


def test_a_dropped_answer_is_repeated_with_the_same_key_and_arrives_once(sandbox):
    sandbox.resend.next(DropAfter())

    receipt = send(EMAIL, sandbox, MAIL)

    first, second = sandbox.resend.received
    assert receipt.status == "sent"
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == RUN
    assert first.body == second.body
    assert len(sandbox.resend.writes) == 1


def test_a_first_attempt_still_running_is_asked_about_again_with_the_same_key(sandbox):
    running = {"statusCode": 409, "name": "concurrent_idempotent_requests", "message": "Running"}
    sandbox.resend.next(Answer(409, json=running, headers={"Retry-After": "0"}))

    assert send(EMAIL, sandbox, MAIL).status == "sent"
    assert [r.headers["idempotency-key"] for r in sandbox.resend.received] == [RUN, RUN]


@pytest.mark.parametrize(
    ("answer", "reason", "outcome"),
    [
        (
            Answer(400, json={"name": "validation_error", "message": "API key is invalid"}),
            "key_refused",
            "refused",
        ),
        (Answer(503, "<html>"), "down", "not_sent"),
        (Answer(200, "<html>"), "down", "not_sent"),
    ],
)
def test_a_probe_that_fails_leaves_nothing_in_doubt(sandbox, answer, reason, outcome):
    sandbox.resend.always(answer)

    error = failing_probe(EMAIL, sandbox)

    assert (error.reason, error.outcome) == (reason, outcome)
