"""Addresses with letters beyond ASCII: sent in the form mail has for them, or refused in words."""

import re

import pytest
from pydantic import ValidationError

from core.connectors import email
from core.connectors._email_addresses import ADDRESS_SHAPES
from core.errors import Forbidden
from tests.support.sandbox import Answer
from tests.support.sending import configured, probe, send

EMAIL = email.CONNECTOR
MAIL = {"subject": "Hello", "text": "All tests pass."}
CYRILLIC_A = "\N{CYRILLIC SMALL LETTER A}"
WIDE_E = "\N{FULLWIDTH LATIN SMALL LETTER E}"

FORMS = [
    ("ann@münchen.example", "ann@xn--mnchen-3ya.example"),
    ("ann@MÜNCHEN.example", "ann@xn--mnchen-3ya.example"),
    ("ann@mu\N{COMBINING DIAERESIS}nchen.example", "ann@xn--mnchen-3ya.example"),
    ("ann@faß.de", "ann@xn--fa-hia.de"),  # Python's own codec makes it fass.de
    ("ann@例え.テスト", "ann@xn--r8jz45g.xn--zckzah"),
    ("ann@пример.example", "ann@xn--e1afmkfd.example"),
    ("ann@ex\N{IDEOGRAPHIC FULL STOP}example", "ann@ex.example"),
    (f"ann@{WIDE_E}xample.com", "ann@example.com"),
]


@pytest.mark.parametrize(("written", "sent"), FORMS)
def test_an_address_is_sent_in_its_own_form_and_the_receipt_shows_it(sandbox, written, sent):
    receipt = send(EMAIL, sandbox, {**MAIL, "to": written})

    [mail] = sandbox.resend.writes
    assert mail.json["to"] == [sent]
    assert receipt.note == f"It was sent to {sent}."


@pytest.mark.parametrize(
    "written", ["ann@example.com", "Ann@Example.COM", "ann@xn--mnchen-3ya.example"]
)
def test_an_address_in_plain_letters_is_sent_as_it_is(sandbox, written):
    receipt = send(EMAIL, sandbox, {**MAIL, "to": written})

    [mail] = sandbox.resend.writes
    assert mail.json["to"] == [written]
    assert receipt.note is None


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("änn@example.com", "only plain letters (a to z), digits and signs before the @"),
        ("änn@münchen.example", "only plain letters (a to z), digits and signs before the @"),
        ("ann＠example.com", "with a plain @"),  # noqa: RUF001 - it is meant
        ("ann@example.com.", "must be one address"),
        ("ann@münchen.example.", "must be one address"),
        ("ann@example\N{IDEOGRAPHIC FULL STOP}", "must be one address"),
        ("ann@münchen", "must be one address"),
        ("ann@münchen..example", "has letters after the @ that no domain has"),
        ("ann@☃.example", "has letters after the @ that no domain has"),
        ("ann@ü_b.example", "has letters after the @ that no domain has"),
        (f"ann@ex{CYRILLIC_A}mple.com", "mixes Latin and Cyrillic letters after the @"),
        ("ann@" + "ü" * 64 + ".example", "has letters after the @ that no domain has"),
    ],
)
def test_an_address_that_cannot_be_sent_to_is_refused_with_why(written, told):
    with pytest.raises(ValidationError) as raised:
        email.Mail.model_validate({**MAIL, "to": written})

    [fault] = raised.value.errors()
    assert told in fault["msg"]


@pytest.mark.parametrize(
    ("allowed", "to"),
    [
        ("ann@münchen.example", "ann@münchen.example"),
        ("ann@münchen.example", "ANN@xn--MNCHEN-3ya.example"),
        ("@xn--mnchen-3ya.example", "ann@MÜNCHEN.example"),
        ("@faß.de", "ann@faß.de"),
    ],
)
def test_recipients_are_compared_in_one_form(sandbox, allowed, to):
    send(EMAIL, sandbox, {**MAIL, "to": to}, LEVQOR_RECIPIENTS=allowed)

    assert len(sandbox.resend.writes) == 1


@pytest.mark.parametrize(("allowed", "to"), [("@fass.de", "ann@faß.de"), ("@faß.de", "a@fass.de")])
def test_another_domain_is_another_recipient(sandbox, allowed, to):
    with pytest.raises(Forbidden):
        send(EMAIL, sandbox, {**MAIL, "to": to}, LEVQOR_RECIPIENTS=allowed)

    assert sandbox.resend.received == []


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("bot@münchen.example", "bot@xn--mnchen-3ya.example"),
        ("Büro <bot@faß.de>", "Büro <bot@xn--fa-hia.de>"),
    ],
)
def test_a_sender_is_sent_in_the_same_form(sandbox, written, sent):
    assert configured(EMAIL, sandbox, RESEND_FROM=written).sender == sent


def test_a_sender_resend_cannot_take_is_refused_in_the_settings(sandbox):
    with pytest.raises(ValidationError, match="only plain letters"):
        configured(EMAIL, sandbox, RESEND_FROM="Büro <büro@example.com>")


def test_a_probe_finds_the_senders_domain_in_its_own_form(sandbox):
    domain = {"name": "xn--mnchen-3ya.example", "status": "verified"}
    listed = {"object": "list", "has_more": False, "data": [domain]}
    sandbox.resend.always(Answer(json=listed))

    assert not probe(EMAIL, sandbox, RESEND_FROM="bot@münchen.example").attention


def test_the_http_schema_takes_what_is_taken():
    for written, sent in FORMS:
        for address in (written, sent):
            assert all(re.search(shape, address) for shape in ADDRESS_SHAPES), address
    for wrong in ("ann", "änn@example.com", "ann@a b.example", "ann@b@c.de", "ann＠example.com"):  # noqa: RUF001
        assert not all(re.search(shape, wrong) for shape in ADDRESS_SHAPES), wrong
