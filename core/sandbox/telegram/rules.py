"""The Bot API's rules for texts, keyboards and reactions, in its own words."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from core.sandbox.service import Refusal

MAX_BYTES = 32_768
MAX_TEXT = 4096  # UTF-16 units, after entities are parsed
MAX_CALLBACK = 64  # bytes
MAX_PLACEHOLDER = 64
MAX_POLL = 50  # seconds

_ENTITIES = re.compile(
    r"(?P<bot_command>(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?![\w/]))"
    r"|(?P<url>https?://[^\s<>\"]+)"
    r"|(?P<email>(?<![\w.+-])[\w.+-]{1,64}@[\w-]+\.[\w.-]+\w)"
    r"|(?P<mention>(?<!\w)@\w{3,32})"
)


def refusal(code: int, description: str, parameters: Any = None) -> Refusal:
    """The Bot API's refusal: code, description and parameters."""
    body = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = parameters
    return Refusal(web.json_response(body, status=code))


def bad(description: str) -> Refusal:
    """A 400 in the Bot API's words."""
    return refusal(400, f"Bad Request: {description}")


def units(text: str) -> int:
    """A text's length in UTF-16 units, as Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def entities(text: str) -> list[dict[str, Any]]:
    """What Telegram itself marks in a plain text: commands, addresses, mentions."""
    return [
        {
            "type": match.lastgroup,
            "offset": units(text[: match.start()]),
            "length": units(match[0]),
        }
        for match in _ENTITIES.finditer(text)
    ]


def text_of(given: dict[str, Any]) -> str:
    """The text of a message within its bounds."""
    text = given.get("text", "")
    if not isinstance(text, str):
        text = str(text)
    if not text.strip():
        raise bad("message text is empty")
    if len(text.encode()) > MAX_BYTES:
        raise bad("text is too long")
    if str(given.get("parse_mode") or "").lower() not in ("", "html", "markdown", "markdownv2"):
        raise bad("unsupported parse_mode")
    if units(text) > MAX_TEXT:
        raise bad("message is too long")
    return text.strip()


def markup_of(given: dict[str, Any]) -> dict[str, Any] | None:
    """The keyboard or forced reply under a message, within its bounds."""
    markup = given.get("reply_markup")
    if not markup:
        return None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    if units(str(markup.get("input_field_placeholder", ""))) > MAX_PLACEHOLDER:
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


def number(given: dict[str, Any], name: str, default: int) -> int:
    """A whole number as the Bot API reads it: what is none counts as left out."""
    try:
        return int(given.get(name) or default)
    except (TypeError, ValueError):
        return default
