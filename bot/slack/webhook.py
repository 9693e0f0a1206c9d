"""Slack over HTTP: signed posts to one address. The signature comes before everything."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from slack_sdk.signature import SignatureVerifier

from bot.runtime import HookAnswer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.runtime import HookRequest
    from bot.slack.app import Ack

# Slack's forms have two dozen fields.
MOST_FIELDS = 100
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


class WebhookReceiver:
    """Answers what is posted; `handle` is None until Slack has been asked who we are."""

    def __init__(self, secret: str) -> None:
        self._verifier = SignatureVerifier(secret)
        self.handle: Callable[[dict[str, Any]], Awaitable[Ack]] | None = None
        self.on_acknowledged: Callable[[float], None] | None = None
        self.on_unverified: Callable[[], None] | None = None

    def authentic(self, request: HookRequest) -> bool:
        """Whether Slack signed it."""
        good = self._is_slacks(request)
        # Anybody may post here; only what looks like Slack's tells of a wrong secret.
        if not good and self.on_unverified and _SIGNATURE.fullmatch(_signature(request)):
            self.on_unverified()
        return good

    async def answer(self, request: HookRequest) -> HookAnswer:
        """Hand on what Slack signed."""
        began = time.perf_counter()
        payload = read(request.body, request.headers)
        if payload is None:
            return HookAnswer(400)
        if self.handle is None:
            return HookAnswer(503, headers={"retry-after": "5"})
        ack = await self.handle(payload)
        if self.on_acknowledged:
            self.on_acknowledged(time.perf_counter() - began)
        if isinstance(ack.body, dict):
            return HookAnswer(
                ack.status, json.dumps(ack.body).encode(), {"content-type": "application/json"}
            )
        return HookAnswer(ack.status, str(ack.body or "").encode(), {"content-type": "text/plain"})

    def _is_slacks(self, request: HookRequest) -> bool:
        moment = request.headers.get("x-slack-request-timestamp", "")
        signature = _signature(request)
        # The verifier raises on what is no number, no ASCII or no UTF-8.
        if not re.fullmatch(r"[0-9]{1,12}", moment) or not signature.isascii():
            return False
        try:
            return self._verifier.is_valid(request.body, moment, signature)
        except UnicodeDecodeError:
            return False


def _signature(request: HookRequest) -> str:
    return request.headers.get("x-slack-signature", "")


def read(body: bytes, headers: Mapping[str, str]) -> dict[str, Any] | None:
    """Read a form, a form's `payload` or JSON; None for anything else."""
    try:
        text = body.decode("utf-8")
        if headers.get("content-type", "").partition(";")[0].strip() == "application/json":
            found = json.loads(text)
        else:
            form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
            found = json.loads(form["payload"]) if "payload" in form else form
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
