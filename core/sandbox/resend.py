"""Resend on loopback: sending an e-mail and listing domains.

Its rules: a User-Agent (its edge refuses a request without one), idempotency keys that
live for 24 hours, and a test sender that reaches nobody but the account's owner.
"""

import json
import re
import time
import uuid
from email.utils import parseaddr
from typing import Any

from aiohttp import web

from core.sandbox.credentials import letters
from core.sandbox.credentials import uuid as made_up_uuid
from core.sandbox.service import Card, Handler, Received, Refusal, SandboxService, bearer

OWNER = "owner@levqor-sandbox.dev"
DOMAIN = "levqor-sandbox.dev"
TEST_SENDER = "onboarding@resend.dev"
TEST_INBOXES = ("delivered", "bounced", "complained", "suppressed")

MAX_RECIPIENTS = 50
MAX_KEY = 256
KEY_SECONDS = 24 * 3600
_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+")


class Resend(SandboxService):
    """Resend's /emails and /domains."""

    name = "resend"
    connector = "email"
    title = "E-mail"

    api_key = "_".join(("re", letters("resend", 8), letters("resend key", 24)))
    sending_only = "_".join(("re", letters("sending only", 33)))

    def settings(self) -> dict[str, str]:
        """A full-access key and a verified sender."""
        return {
            "RESEND_API_KEY": self.api_key,
            "RESEND_FROM": f"Levqor <levqor@{DOMAIN}>",
            "RESEND_API_URL": self.url,
        }

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        """The two calls."""
        return [
            ("POST", "/resend/emails", "emails.send", self._send),
            ("GET", "/resend/domains", "domains.list", self._domains),
        ]

    def reset(self) -> None:
        """Begin without idempotency keys."""
        self._keys: dict[str, tuple[float, str, str]] = {}

    def not_found(self) -> Refusal:
        """What Resend says to an address it does not have."""
        return _refusal(404, "not_found", "The requested endpoint does not exist")

    async def _domains(self, request: web.Request, received: Received) -> web.Response:
        self._check_caller(request)
        if bearer(request) == self.sending_only:
            text = "This API key is restricted to only send emails"
            raise _refusal(401, "restricted_api_key", text)
        domain = {
            "id": made_up_uuid("domain"),
            "name": DOMAIN,
            "status": "verified",
            "created_at": "2026-01-10 09:00:00.000000+00",
            "region": "eu-west-1",
            "capabilities": {"sending": "enabled", "receiving": "disabled"},
        }
        return web.json_response({"object": "list", "has_more": False, "data": [domain]})

    async def _send(self, request: web.Request, received: Received) -> web.Response:
        self._check_caller(request)
        mail = received.json
        if not isinstance(mail, dict):
            raise _invalid("The request body must be valid JSON")
        key = request.headers.get("Idempotency-Key")
        if key is not None and not 1 <= len(key) <= MAX_KEY:
            text = "The key must be between 1-256 characters long"
            raise _refusal(400, "invalid_idempotency_key", text)
        payload = json.dumps(mail, sort_keys=True)
        if sent := self._sent_before(key, payload):
            return web.json_response({"id": sent}, headers=LIMITS)
        _check_mail(mail)
        _check_sender(mail)
        sent = str(uuid.uuid4())
        if key is not None:
            self._keys[key] = (time.monotonic(), payload, sent)
        to, subject = ", ".join(_list(mail["to"])), mail["subject"]
        text = str(mail.get("text") or "")
        received.card = Card(subject, f"{mail['from']} → {to}", text, summary=f"{subject} → {to}")
        return web.json_response({"id": sent}, headers=LIMITS)

    def _check_caller(self, request: web.Request) -> None:
        agent = request.headers.get("User-Agent", "")
        if not agent or agent.startswith("Python-urllib"):
            # Cloudflare's own answer, before Resend sees the request.
            raise Refusal(web.Response(status=403, text="error code: 1010"))
        if not bearer(request):
            raise _refusal(401, "missing_api_key", "Missing API Key")
        if bearer(request) not in (self.api_key, self.sending_only):
            raise _refusal(403, "invalid_api_key", "API key is invalid")

    def _sent_before(self, key: str | None, payload: str) -> str | None:
        at, first, sent = self._keys.get(key or "", (0.0, "", ""))
        if not sent or time.monotonic() - at > KEY_SECONDS:
            return None
        if first != payload:
            text = "This idempotency key has been used on a request with a different body"
            raise _refusal(409, "invalid_idempotent_request", text)
        return sent


LIMITS = {"ratelimit-limit": "5", "ratelimit-remaining": "4", "ratelimit-reset": "1"}


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value


_SHAPE = (
    "The email address needs to follow the `email@example.com` or "
    "`Name <email@example.com>` format."
)


def _check_mail(mail: dict[str, Any]) -> None:
    for name in ("from", "to", "subject"):
        if not mail.get(name):
            raise _refusal(422, "missing_required_field", f"Missing `{name}` field.")
    if not any(mail.get(name) for name in ("text", "html", "template")):
        raise _refusal(422, "missing_required_field", "Missing `html` or `text` field.")
    for name in ("subject", "text", "html", "from"):
        if not isinstance(mail.get(name, ""), str):
            raise _invalid(f"The `{name}` field must be a `string`.")
    if "\n" in mail["subject"] or "\r" in mail["subject"]:
        raise _invalid("The `\\n` is not allowed in the `subject` field.")
    for name in ("from", "to", "cc", "bcc", "reply_to"):
        given = mail.get(name, [])
        if not isinstance(given, str | list) or not all(map(_is_address, _list(given))):
            raise _invalid(f"Invalid `{name}` field. {_SHAPE}")
    if len(_list(mail["to"])) > MAX_RECIPIENTS:
        raise _invalid(f"The `to` field can hold at most {MAX_RECIPIENTS} addresses.")


def _is_address(given: Any) -> bool:
    if not isinstance(given, str) or "\n" in given or "\r" in given:
        return False
    return bool(_ADDRESS.fullmatch(parseaddr(given)[1])) and parseaddr(given)[1] in given


def _check_sender(mail: dict[str, Any]) -> None:
    sender = parseaddr(mail["from"])[1].lower()
    domain = sender.partition("@")[2]
    to = [parseaddr(address)[1].lower() for address in _list(mail["to"])]
    text = f"The {domain} domain is not verified. Please, add and verify your domain"
    if sender == TEST_SENDER:
        if all(address == OWNER or _is_test_inbox(address) for address in to):
            return
        text = f"You can only send testing emails to your own email address ({OWNER})."
    if domain != DOMAIN:
        raise _refusal(403, "validation_error", text)


def _is_test_inbox(address: str) -> bool:
    # `delivered+label@resend.dev` works as well.
    name, _, domain = address.partition("@")
    return domain == "resend.dev" and name.partition("+")[0] in TEST_INBOXES


def _refusal(status: int, name: str, message: str) -> Refusal:
    body = {"statusCode": status, "message": message, "name": name}
    return Refusal(web.json_response(body, status=status))


def _invalid(message: str) -> Refusal:
    return _refusal(422, "validation_error", message)
