"""Telegram: what is sent and where, and what a probe asks."""

import re

import pytest
from pydantic import ValidationError

from core.connectors import telegram
from core.errors import InvalidInput
from core.sandbox.telegram import CHANNEL, GROUP
from tests.support.sandbox import Answer
from tests.support.sending import configured, golden, probe, send

TELEGRAM = telegram.CONNECTOR
HELLO = {"text": "Hello"}
TAB = "Telegram makes each tab a space."
DIRECTION = "Telegram takes out marks of direction, which nobody sees."


def test_the_text_goes_as_it_is_with_no_parse_mode(sandbox):
    send(TELEGRAM, sandbox, {"text": "*a* _b_ <b> [x](y) & é 🚀\nline 2"})

    assert sandbox.telegram.received[0].json == {
        "chat_id": GROUP,
        "text": "*a* _b_ <b> [x](y) & é 🚀\nline 2",
    }


@pytest.mark.parametrize(
    ("text", "sent", "note"),
    [
        ("/start", "/start", None),
        ("a\u2028b\u2029c", "a\nb\nc", None),
        ("A\u030angstro\u0308m \u00e5", "\u00c5ngstro\u0308m \u00e5", None),
        ("a\tb", "a\tb", TAB),
        (
            "\u202a+1 234\u202c",
            "\u202a+1 234\u202c",
            DIRECTION,
        ),
        (
            "a\u200e\u200f\tb",
            "a\u200e\u200f\tb",
            f"{TAB} {DIRECTION}",
        ),
        ("\u05d0\u200f!", "\u05d0\u200f!", None),
    ],
)
def test_what_telegram_would_change_is_kept_or_said(sandbox, text, sent, note):
    receipt = send(TELEGRAM, sandbox, {"text": text})

    assert sandbox.telegram.received[0].json["text"] == sent
    assert receipt.note == note


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("x\u0333", "U+0333, combining double low line"),
        ("1\u030a", "U+030A, combining ring above"),
        ("b\u030a", "U+030A, combining ring above"),
        ("a\u033f", "U+033F, combining double overline"),
    ],
)
def test_a_mark_that_telegram_takes_out_is_refused(text, mark):
    with pytest.raises(ValidationError, match=re.escape(f"takes out ({mark}): leave it out")):
        telegram.Message.model_validate({"text": text})


@pytest.mark.parametrize(
    ("chat", "sent"),
    [
        (1, 1),
        ("1", 1),
        (CHANNEL, CHANNEL),
        (str(CHANNEL), CHANNEL),
        ("@levqor_sandbox", "@levqor_sandbox"),
    ],
)
def test_a_chat_is_a_number_or_a_public_name(sandbox, chat, sent):
    send(TELEGRAM, sandbox, {"text": "Hello", "chat_id": chat})

    assert sandbox.telegram.received[0].json["chat_id"] == sent


@pytest.mark.parametrize(
    "chat", ["", "levqor", "@x", "12.5", "t.me/levqor", "0", "-", "9" * 17, True]
)
def test_what_is_no_chat_is_refused_by_field(chat):
    with pytest.raises(ValidationError) as raised:
        telegram.Message.model_validate({"text": "x", "chat_id": chat})

    assert [error["loc"][0] for error in raised.value.errors()] == ["chat_id"]


def test_without_a_chat_and_without_a_default_the_sender_is_told_what_to_give(sandbox):
    with pytest.raises(InvalidInput) as raised:
        send(TELEGRAM, sandbox, HELLO, TELEGRAM_CHAT_ID_DEFAULT=None)

    (fault,) = raised.value.faults
    assert fault.field == "chat_id"
    assert fault.message == "is missing: say which chat, or set TELEGRAM_CHAT_ID_DEFAULT"
    assert sandbox.telegram.received == []


def test_the_bound_counts_characters_as_telegram_does(sandbox):
    send(TELEGRAM, sandbox, {"text": "🚀" * 2048})
    with pytest.raises(ValidationError) as raised:
        telegram.Message.model_validate({"text": "🚀" * 2048 + "x"})

    assert "is 4097 characters long as Telegram counts them" in str(raised.value)


@pytest.mark.parametrize("text", ["", "  ", "x" * 4097, "a\x00b"])
def test_a_text_out_of_bounds_is_refused_by_field(text):
    with pytest.raises(ValidationError) as raised:
        telegram.Message.model_validate({"text": text})

    assert [error["loc"][0] for error in raised.value.errors()] == ["text"]


@pytest.mark.parametrize(
    ("chat", "link"),
    [
        (str(GROUP), "https://t.me/c/1234567890/1"),
        ("@levqor_sandbox", "https://t.me/levqor_sandbox/1"),
        ("1", None),
    ],
)
def test_a_receipt_links_to_the_message_where_telegram_has_a_page_for_it(sandbox, chat, link):
    receipt = send(TELEGRAM, sandbox, {"text": "Hello", "chat_id": chat})

    assert (receipt.status, receipt.link, receipt.note) == ("sent", link, None)


def test_ok_true_is_a_success_whatever_else_the_answer_leaves_out(sandbox):
    sandbox.telegram.next(Answer(json={"ok": True, "result": {}}))

    assert send(TELEGRAM, sandbox, HELLO).status == "sent"


def test_a_request_is_that_of_the_usual_library(sandbox, specs):
    theirs = golden(specs, "telegram.sendMessage.text")
    said = theirs["body_form"]
    sandbox.telegram.always(Answer(json={"ok": True, "result": {}}))

    send(TELEGRAM, sandbox, said)

    (ours,) = sandbox.telegram.received
    assert ours.method == theirs["method"]
    assert ours.path.endswith(f"/bot{sandbox.telegram.token}/sendMessage")
    assert {name: str(value) for name, value in ours.json.items()} == said


@pytest.mark.parametrize("token", ["123/../x:abc", "abc", "123:abc/def", "123:a?b", "123:a b"])
def test_a_token_that_would_change_the_address_is_refused_without_repeating_it(sandbox, token):
    with pytest.raises(ValidationError) as raised:
        configured(TELEGRAM, sandbox, TELEGRAM_BOT_TOKEN=token)

    assert token not in str(raised.value)


def test_a_probe_looks_at_bot_chat_and_membership_and_sends_nothing(sandbox):
    found = probe(TELEGRAM, sandbox)

    assert (found.notes, found.attention) == ((), False)
    assert [(r.method, r.call) for r in sandbox.telegram.received] == [
        ("GET", "getMe"),
        ("GET", "getChat"),
        ("GET", "getChatMember"),
    ]
    assert sandbox.telegram.writes == []


def test_a_probe_without_a_default_chat_says_what_that_means(sandbox):
    found = probe(TELEGRAM, sandbox, TELEGRAM_CHAT_ID_DEFAULT=None)

    assert found.notes == (
        "TELEGRAM_CHAT_ID_DEFAULT is not set: each message must name its chat_id.",
    )
    assert not found.attention


@pytest.mark.parametrize(
    ("chat", "member", "attention"),
    [
        ({"type": "group"}, {"status": "left"}, True),
        ({"type": "group"}, {"status": "kicked"}, True),
        ({"type": "group"}, {"status": "restricted", "can_send_messages": False}, True),
        (
            {"type": "group", "permissions": {"can_send_messages": False}},
            {"status": "member"},
            True,
        ),
        (
            {"type": "group", "permissions": {"can_send_messages": False}},
            {"status": "administrator"},
            False,
        ),
        ({"type": "channel"}, {"status": "member"}, True),
        ({"type": "channel"}, {"status": "administrator", "can_post_messages": False}, True),
        ({"type": "channel"}, {"status": "administrator", "can_post_messages": True}, False),
        ({"type": "private"}, {"status": "member"}, False),
    ],
)
def test_a_probe_tells_whether_the_bot_may_post(sandbox, chat, member, attention):
    sandbox.telegram.always(Answer(json={"ok": True, "result": {"id": 7, **chat}}), on="getChat")
    sandbox.telegram.always(Answer(json={"ok": True, "result": member}), on="getChatMember")

    found = probe(TELEGRAM, sandbox)

    assert found.attention is attention
    assert ("admin of the chat" in (found.fix or "")) is attention


def test_a_default_chat_that_is_gone_is_the_chats_trouble_and_not_the_bots(sandbox):
    found = probe(TELEGRAM, sandbox, TELEGRAM_CHAT_ID_DEFAULT="-100999")

    assert found.attention
    assert found.notes == (
        "TELEGRAM_CHAT_ID_DEFAULT: Telegram knows no such chat, or the bot has never met it.",
    )
    assert "press Start" in found.fix
