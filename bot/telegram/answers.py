"""Telegram's answers, read with suspicion: a gateway in between may say anything.

The library takes every answer for Telegram's own and trips over what is not. It gets to see
what was checked here and no more.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from telegram.error import TelegramError

# The year 9999, where Python's dates end.
_Time = Annotated[int, Field(ge=0, le=253402300799)]


class InvalidAnswer(TelegramError):
    """What came is no answer of Telegram's."""

    def __init__(self) -> None:
        super().__init__("no answer of Telegram's")


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Me(_Model):
    id: int
    is_bot: bool
    first_name: str
    username: str
    can_read_all_group_messages: bool = False


class _Webhook(_Model):
    url: str
    has_custom_certificate: bool = False
    pending_update_count: int = 0
    last_error_date: _Time | None = None


class _Command(_Model):
    command: str
    description: str


class _Chat(_Model):
    id: int
    type: str


class _Message(_Model):
    message_id: int
    date: _Time
    chat: _Chat


class _Parameters(_Model):
    migrate_to_chat_id: int | None = None


class _Refusal(_Model):
    ok: Literal[False]
    description: str = ""
    parameters: _Parameters | None = None


_DONE: TypeAdapter[Any] = TypeAdapter(Literal[True])
_RESULTS: dict[str, TypeAdapter[Any]] = {
    "getMe": TypeAdapter(_Me),
    "getWebhookInfo": TypeAdapter(_Webhook),
    "getMyCommands": TypeAdapter(list[_Command]),
    "sendMessage": TypeAdapter(_Message),
    "editMessageText": TypeAdapter(_Message | Literal[True]),
    # Each update is read for itself: one that cannot be read must not lose the others.
    "getUpdates": TypeAdapter(list[Any]),
}


def checked(method: str, status: int, body: bytes) -> bytes:
    """An answer's body with what was checked of it; raises InvalidAnswer."""
    if status >= 500:
        # Telegram in trouble, or a gateway that cannot reach it, each in its own words.
        return b"{}"
    try:
        said = json.loads(body)
        if not 200 <= status < 300:
            return _Refusal.model_validate(said).model_dump_json(exclude_none=True).encode()
        if not isinstance(said, dict) or said.get("ok") is not True:
            raise InvalidAnswer
        adapter = _RESULTS.get(method, _DONE)
        result = adapter.validate_python(said.get("result"))
        return json.dumps({"ok": True, "result": adapter.dump_python(result)}).encode()
    except (ValueError, RecursionError, ValidationError):
        raise InvalidAnswer from None
