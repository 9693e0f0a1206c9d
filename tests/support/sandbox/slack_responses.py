"""Response URLs: five posts within thirty minutes, without a token."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from core.sandbox.credentials import letters
from core.sandbox.service import Card

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.sandbox.service import Received

    Fault = Callable[[dict[str, Any]], str | None]

MAX_POSTS = 5
SECONDS = 30 * 60


class Responses:
    """The response URLs that were handed out, by the last part of their path."""

    def __init__(self) -> None:
        self.posts: dict[str, list[dict[str, Any]]] = {}
        self._until: dict[str, float] = {}

    def new(self) -> str:
        """Hand one out."""
        ident = letters(f"response {time.monotonic_ns()} {len(self.posts)}", 24)
        self.posts[ident], self._until[ident] = [], time.monotonic() + SECONDS
        return ident

    def expire(self, ident: str) -> None:
        """Let its thirty minutes be over."""
        self._until[ident] = 0.0

    def post(self, ident: str, received: Received, fault: Fault) -> tuple[int, str]:
        """Take a post: the status and text Slack answers; `fault` names what is wrong with it."""
        if self._until.get(ident, 0.0) < time.monotonic():
            return 404, '{"ok":false,"error":"expired_url"}'
        if len(self.posts[ident]) >= MAX_POSTS:
            return 404, '{"ok":false,"error":"used_url"}'
        given = received.json
        if not isinstance(given, dict):
            return 400, "invalid_payload"
        deletes = given.get("delete_original") is True
        if not deletes and (error := fault(given)):
            return 400, error
        self.posts[ident].append(given)
        received.card = Card("Levqor", "response URL", str(given.get("text") or "deleted"))
        return 200, "ok"
