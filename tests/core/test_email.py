"""E-mail: what Resend is sent, for whom, and what a probe asks."""

import pytest
from pydantic import ValidationError

from core.connectors import email
from core.errors import Forbidden
from core.sandbox.resend import OWNER
from tests.support.sandbox import Answer
from tests.support.sending import RUN, configured, golden, media_type, probe, send

EMAIL = email.CONNECTOR
MAIL = {"to": "ann@example.com", "subject": "Hello", "text": "All tests pass."}


def test_an_email_is_sent_with_the_runs_id_as_its_key(sandbox):
    receipt = send(EMAIL, sandbox, MAIL)

    (request,) = sandbox.resend.received
    assert receipt.status == "sent"
    assert (request.method, request.path) == ("POST", "/emails")
    assert request.json == {
        "from": "Levqor <levqor@levqor-sandbox.dev>",
        "to": ["ann@example.com"],
        "subject": "Hello",
        "text": "All tests pass.",
    }
    assert request.headers["idempotency-key"] == RUN
    assert request.headers["authorization"] == f"Bearer {sandbox.resend.api_key}"


def test_without_a_sender_resends_test_sender_is_used(sandbox):
    send(EMAIL, sandbox, {**MAIL, "to": OWNER}, RESEND_FROM=None)

    assert sandbox.resend.received[0].json["from"] == "onboarding@resend.dev"


@pytest.mark.parametrize(
    "to",
    [
        "ann@example.com",
        "ann.b+tag@sub.example.co.uk",
        "o'neil_1@example.com",
        "a@b.c",
        "ann@xn--bcher-kva.example",
        "a" * 64 + "@example.com",
    ],
)
def test_one_plain_address_is_taken(to):
    assert email.Mail.model_validate({**MAIL, "to": to}).to == to


@pytest.mark.parametrize(
    "to",
    [
        "ann",
        "ann@",
        "@example.com",
        "ann@localhost",
        "ann@example..com",
        "ann@-example.com",
        ".ann@example.com",
        "ann.@example.com",
        "Ann <ann@example.com>",
        "ann@example.com, bob@example.com",
        "ann@example.com;bob@example.com",
        "ann@example.com bob@example.com",
        "ann@exa mple.com",
        "ann@bob@example.com",
        '"ann"@example.com',
        "ann@example.com\nBcc: bob@example.com",
        "ann\x00@example.com",
        "a" * 65 + "@example.com",
        "ann@" + "a" * 63 + "." + "b" * 63 + "." + "c" * 63 + "." + "d" * 60 + ".com",
        ["ann@example.com"],
    ],
)
def test_what_is_not_one_plain_address_is_refused_by_field(to):
    with pytest.raises(ValidationError) as raised:
        email.Mail.model_validate({**MAIL, "to": to})

    assert {error["loc"][0] for error in raised.value.errors()} == {"to"}


def test_all_faults_of_an_email_are_told_at_once():
    with pytest.raises(ValidationError) as raised:
        email.Mail.model_validate(
            {"to": "ann", "subject": "a\r\nBcc: bob@example.com", "text": "", "cc": "x"}
        )

    assert [error["loc"][0] for error in raised.value.errors()] == ["to", "subject", "text", "cc"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("subject", "x" * 201), ("subject", " "), ("text", "x" * 100_001), ("text", "\n")],
)
def test_bounds_are_kept(field, value):
    with pytest.raises(ValidationError) as raised:
        email.Mail.model_validate({**MAIL, field: value})

    assert [error["loc"][0] for error in raised.value.errors()] == [field]


@pytest.mark.parametrize(
    "sender", ["bot@example.com", "Levqor <bot@example.com>", "Büro Süd <bot@example.com>"]
)
def test_a_sender_is_an_address_with_or_without_a_name(sandbox, sender):
    assert configured(EMAIL, sandbox, RESEND_FROM=sender).sender == sender


@pytest.mark.parametrize(
    "sender",
    [
        "example.com",
        "bot",
        "Bot bot@example.com",
        "a@b.c\nBcc: x@y.z",
        "A <a@b.c> <d@e.f>",
        "A\u2028B <a@b.c>",
    ],
)
def test_a_sender_that_resend_would_refuse_is_refused_in_the_settings(sandbox, sender):
    with pytest.raises(ValidationError) as raised:
        configured(EMAIL, sandbox, RESEND_FROM=sender)

    assert "must be like bot@example.com or Name <bot@example.com>" in str(raised.value)


ALLOWED = "Ann@Example.com , @example.org,"


@pytest.mark.parametrize("to", ["ann@example.com", "ANN@EXAMPLE.COM", "any.one@example.org"])
def test_a_recipient_who_is_allowed_is_written_to(sandbox, to):
    send(EMAIL, sandbox, {**MAIL, "to": to}, LEVQOR_RECIPIENTS=ALLOWED)

    assert sandbox.resend.writes[0].json["to"] == [to]


@pytest.mark.parametrize(
    "to",
    ["bob@example.com", "ann@sub.example.org", "ann@example.org.evil.io", "delivered@resend.dev"],
)
def test_a_recipient_who_is_not_allowed_is_forbidden_before_anything_is_sent(sandbox, to):
    with pytest.raises(Forbidden) as raised:
        send(EMAIL, sandbox, {**MAIL, "to": to}, LEVQOR_RECIPIENTS=ALLOWED)

    assert raised.value.http == 403
    assert "LEVQOR_RECIPIENTS" in raised.value.fix
    assert to not in f"{raised.value.message} {raised.value.fix}"
    assert sandbox.resend.received == []


def test_a_test_send_goes_to_resends_own_inbox_whoever_is_allowed(sandbox):
    sample = EMAIL.actions[0].sample
    send(EMAIL, sandbox, sample, test=True, LEVQOR_RECIPIENTS=ALLOWED)

    assert sandbox.resend.writes[0].json["to"] == ["delivered@resend.dev"]


def test_a_test_send_to_anybody_else_is_restricted_as_always(sandbox):
    with pytest.raises(Forbidden):
        send(EMAIL, sandbox, MAIL, test=True, LEVQOR_RECIPIENTS="@example.org")


@pytest.mark.parametrize(
    "value", [",", "example.org", "@", "ann@", "@example", "ann@example.com bob@x.y"]
)
def test_recipients_that_make_no_sense_stop_the_connector(sandbox, value):
    with pytest.raises(ValidationError) as raised:
        configured(EMAIL, sandbox, LEVQOR_RECIPIENTS=value)

    assert "must be addresses or @domains with commas between them" in str(raised.value)


def test_a_request_is_that_of_resends_own_sdk(sandbox, specs):
    theirs = golden(specs, "resend.emails_send.min")
    keyed = golden(specs, "resend.emails_send.full_idempotent")
    said = theirs["body_json"]
    sandbox.resend.always(Answer(json={"id": "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}))

    values = {"to": said["to"][0], "subject": said["subject"], "text": said["text"]}
    send(EMAIL, sandbox, values, RESEND_FROM=said["from"])

    (ours,) = sandbox.resend.received
    assert (ours.method, ours.path) == (theirs["method"], theirs["path"])
    assert ours.json == said
    assert media_type(ours.headers["content-type"]) == theirs["headers"]["content-type"]
    assert set(keyed["headers"]) <= set(ours.headers)


def test_a_probe_lists_domains_and_sends_nothing(sandbox):
    found = probe(EMAIL, sandbox)

    assert (found.notes, found.attention) == ((), False)
    assert [(r.method, r.path) for r in sandbox.resend.received] == [("GET", "/domains")]


def test_a_key_for_sending_only_is_fine(sandbox):
    found = probe(EMAIL, sandbox, RESEND_API_KEY=sandbox.resend.sending_only)

    assert found.notes == ("The key can only send: Levqor cannot check the domain of RESEND_FROM.",)
    assert not found.attention


@pytest.mark.parametrize("key", ["api_key", "sending_only"])
def test_resends_test_sender_is_told_of(sandbox, key):
    found = probe(EMAIL, sandbox, RESEND_FROM=None, RESEND_API_KEY=getattr(sandbox.resend, key))

    assert found.notes == (
        "From onboarding@resend.dev, e-mail reaches only the owner of the Resend account.",
    )
    assert not found.attention


@pytest.mark.parametrize(
    ("name", "status", "more", "attention"),
    [
        ("levqor-sandbox.dev", "verified", False, False),
        ("Levqor-Sandbox.dev", "verified", False, False),
        ("levqor-sandbox.dev", "pending", False, True),
        ("mail.levqor-sandbox.dev", "verified", False, True),
        ("other.dev", "verified", True, False),
    ],
)
def test_a_probe_looks_for_the_senders_own_domain(sandbox, name, status, more, attention):
    listed = {"object": "list", "has_more": more, "data": [{"name": name, "status": status}]}
    sandbox.resend.always(Answer(json=listed))

    found = probe(EMAIL, sandbox)

    assert found.attention is attention
    assert ("resend.com/domains" in (found.fix or "")) is attention
