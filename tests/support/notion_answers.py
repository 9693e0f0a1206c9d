"""Answers of Notion's, as it writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.sandbox import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = {"Retry-After": "0"}


def said(
    status: int, code: str, message: str = "", headers: Mapping[str, str] | None = None, **more: Any
) -> Answer:
    """An answer in the shape of Notion's errors; `more` is its additional data."""
    body: dict[str, Any] = {"object": "error", "status": status, "code": code, "message": message}
    if more:
        body["additional_data"] = more
    return Answer(status, json=body, headers=headers or {})


def invalid(message: str, **more: Any) -> Answer:
    """What Notion says of input that breaks its rules."""
    return said(400, "validation_error", message, **more)


def html(status: int, **headers: str) -> Answer:
    """A page that something in front of Notion sends."""
    page = "<html>Sorry, you have been blocked</html>"
    return Answer(status, page, headers={"Content-Type": "text/html", **headers})
