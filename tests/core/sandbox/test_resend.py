"""What the sandbox's Resend refuses, in Resend's words."""

import pytest
import requests

SHAPE = (
    "The email address needs to follow the `email@example.com` or "
    "`Name <email@example.com>` format."
)
OWNER_ONLY = (
    "You can only send testing emails to your own email address (owner@levqor-sandbox.dev)."
)


@pytest.fixture
def set_up(sandbox):
    return sandbox.settings()


def send(set_up, key=None, headers=None, **mail):
    usual = {"from": set_up["RESEND_FROM"], "to": "a@example.com", "subject": "s", "text": "t"}
    head = {"Authorization": f"Bearer {set_up['RESEND_API_KEY']}", **(headers or {})}
    if key is not None:
        head["Idempotency-Key"] = key
    body = {name: value for name, value in (usual | mail).items() if value is not None}
    return requests.post(f"{set_up['RESEND_API_URL']}/emails", json=body, headers=head)


@pytest.mark.parametrize(
    ("mail", "status", "name", "message"),
    [
        ({"to": None}, 422, "missing_required_field", "Missing `to` field."),
        ({"from": None}, 422, "missing_required_field", "Missing `from` field."),
        ({"text": None}, 422, "missing_required_field", "Missing `html` or `text` field."),
        (
            {"from": "levqor-sandbox.dev"},
            422,
            "validation_error",
            f"Invalid `from` field. {SHAPE}",
        ),
        (
            {"to": "a@example.com\nBcc: b@example.com"},
            422,
            "validation_error",
            f"Invalid `to` field. {SHAPE}",
        ),
        (
            {"to": ["a@example.com"] * 51},
            422,
            "validation_error",
            "The `to` field can hold at most 50 addresses.",
        ),
        (
            {"subject": "a\nBcc: b@example.com"},
            422,
            "validation_error",
            r"The `\n` is not allowed in the `subject` field.",
        ),
        (
            {"from": "a@elsewhere.dev"},
            403,
            "validation_error",
            "The elsewhere.dev domain is not verified. Please, add and verify your domain",
        ),
        (
            {"from": "onboarding@resend.dev"},
            403,
            "validation_error",
            OWNER_ONLY,
        ),
    ],
)
def test_resend_refuses_a_mail_it_cannot_send(sandbox, set_up, mail, status, name, message):
    answer = send(set_up, **mail)
    assert answer.status_code == status
    assert answer.json() == {"statusCode": status, "name": name, "message": message}
    assert sandbox.resend.writes == []


@pytest.mark.parametrize("to", ["owner@levqor-sandbox.dev", "delivered+x@resend.dev"])
def test_the_test_sender_reaches_the_owner_and_the_test_inboxes(set_up, to):
    assert send(set_up, **{"from": "onboarding@resend.dev", "to": to}).status_code == 200


def test_a_request_without_a_user_agent_stops_at_the_edge(set_up):
    answer = send(set_up, headers={"User-Agent": ""})
    assert (answer.status_code, answer.text) == (403, "error code: 1010")


def test_the_same_key_and_mail_is_one_mail(sandbox, set_up):
    first, second = send(set_up, "k"), send(set_up, "k")
    assert first.json() == second.json()
    assert len(sandbox.resend.writes) == 1


def test_the_same_key_with_another_mail_is_a_conflict(set_up):
    send(set_up, "k")
    answer = send(set_up, "k", text="other")
    assert (answer.status_code, answer.json()["name"]) == (409, "invalid_idempotent_request")


@pytest.mark.parametrize("key", ["", "k" * 257])
def test_a_key_of_the_wrong_length_is_refused(set_up, key):
    assert send(set_up, key).json()["name"] == "invalid_idempotency_key"


def test_a_wrong_key_and_a_missing_one_are_refused_by_name(set_up):
    wrong = send(set_up, headers={"Authorization": "Bearer re_wrong"})
    assert (wrong.status_code, wrong.json()["name"]) == (403, "invalid_api_key")
    missing = send(set_up, headers={"Authorization": ""})
    assert (missing.status_code, missing.json()["name"]) == (401, "missing_api_key")


def test_a_sending_only_key_may_not_list_domains(sandbox, set_up):
    headers = {"Authorization": f"Bearer {sandbox.resend.sending_only}"}
    answer = requests.get(f"{set_up['RESEND_API_URL']}/domains", headers=headers)
    assert (answer.status_code, answer.json()["name"]) == (401, "restricted_api_key")
