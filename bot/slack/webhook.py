"""Slack over HTTP: signed posts to one address. The signature comes before everything."""

import contextlib
import json
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from slack_sdk.signature import SignatureVerifier

from bot.runtime import HookAnswer, HookRequest
from bot.slack.connection_status import REACHED, WAITING, ConnectionStatus
from bot.slack.handlers import Handle

# Slack's forms have two dozen fields.
MOST_FIELDS = 100
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


class WebhookReceiver:
    """Answers what is posted; puts it off until `open`, when Slack has said who we are."""

    def __init__(self, secret: str) -> None:
        self._verifier = SignatureVerifier(secret)
        self._handle: Handle | None = None
        self._status: ConnectionStatus | None = None
        self._reached = False

    def open(self, handle: Handle, status: ConnectionStatus) -> None:
        """Hand on from now what Slack posts."""
        self._handle, self._status = handle, status
        # Said last: whoever reads it may rely on it.
        status.up(WAITING)

    def authentic(self, request: HookRequest) -> bool:
        """Whether Slack signed it."""
        moment = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        good = False
        # The verifier raises on what is no number, no ASCII or no UTF-8.
        if re.fullmatch(r"[0-9]{1,12}", moment) and signature.isascii():
            with contextlib.suppress(UnicodeDecodeError):
                good = self._verifier.is_valid(request.body, moment, signature)
        # Anybody may post here; only what looks like Slack's is a sign of a wrong secret.
        if not good and self._status and _SIGNATURE.fullmatch(signature):
            self._status.unverified()
        return good

    async def answer(self, request: HookRequest) -> HookAnswer:
        """Hand on what Slack signed."""
        began = time.perf_counter()
        payload = read(request.body, request.headers)
        if payload is None:
            return HookAnswer(400)
        if self._handle is None or self._status is None:
            return HookAnswer(503, headers={"retry-after": "5"})
        if not self._reached:
            self._reached = True
            self._status.up(REACHED)
        ack = await self._handle(payload)
        self._status.acknowledged(time.perf_counter() - began)
        if not ack:
            return HookAnswer(200)
        body = json.dumps(ack).encode()
        return HookAnswer(200, body, {"content-type": "application/json;charset=utf-8"})


def read(body: bytes, headers: Mapping[str, str]) -> dict[str, Any] | None:
    """Read a form, a form's `payload` or JSON; None for anything else."""
    try:
        text = body.decode("utf-8")
        if headers.get("content-type", "").partition(";")[0].strip() == "application/json":
            payload = json.loads(text)
        else:
            form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
            payload = json.loads(form["payload"]) if "payload" in form else form
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None
