"""The Bot API's rules for what only chats with people have: keyboards, replies, topics."""

from __future__ import annotations

import re
from typing import Any

from core.plain import utf16_length
from core.sandbox.telegram import bad

MAX_CALLBACK = 64  # bytes
MAX_PLACEHOLDER = 64

_ENTITIES = re.compile(
    r"(?P<bot_command>(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?![\w/]))"
    r"|(?P<url>https?://[^\s<>\"]+)"
    r"|(?P<email>(?<![\w.+-])[\w.+-]{1,64}@[\w-]+\.[\w.-]+\w)"
    r"|(?P<mention>(?<!\w)@\w{3,32})"
)


def entities(text: str) -> list[dict[str, Any]]:
    """What Telegram itself marks in a plain text: commands, addresses, mentions."""
    return [
        {
            "type": match.lastgroup,
            "offset": utf16_length(text[: match.start()]),
            "length": utf16_length(match[0]),
        }
        for match in _ENTITIES.finditer(text)
    ]


def markup_of(given: dict[str, Any]) -> dict[str, Any] | None:
    """The keyboard or forced reply under a message, within its bounds."""
    markup = given.get("reply_markup")
    if not markup:
        return None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    if utf16_length(str(markup.get("input_field_placeholder", ""))) > MAX_PLACEHOLDER:
        raise bad("reply markup input field placeholder is too long")
    rows = markup.get("inline_keyboard", [])
    if not isinstance(rows, list):
        raise bad("inline keyboard must be an Array")
    for row in rows:
        if not isinstance(row, list):
            raise bad("inline keyboard button row must be an Array")
        for button in row:
            _check_button(button)
    return markup


def _check_button(button: Any) -> None:
    if not isinstance(button, dict) or not str(button.get("text", "")).strip():
        raise bad("inline keyboard button text must be non-empty")
    if not set(button) & {"callback_data", "url", "copy_text"}:
        raise bad("text buttons are unallowed in the inline keyboard")
    data = button.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= MAX_CALLBACK:
        raise bad("BUTTON_DATA_INVALID")
