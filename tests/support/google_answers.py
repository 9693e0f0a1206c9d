"""Answers of Google's, as it writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.sandbox import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping


def said(
    code: int,
    status: str,
    message: str = "",
    reason: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """An answer in the shape of Google's errors."""
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    if reason:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        error["details"] = [{"@type": kind, "reason": reason, "domain": "googleapis.com"}]
    return Answer(code, json={"error": error}, headers=headers or {})
