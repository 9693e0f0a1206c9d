"""What Slack sends a bot, and what becomes of it."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from core.sandbox.slack import BOT_USER, CHANNELS, TEAM
from tests.support.sandbox.slack_identity import APP, SIGNING_SECRET
from tests.support.sandbox.slack_identity import user as identity

_KINDS = {"slash_commands": "form", "interactive": "payload", "events_api": "json"}
_POLL = 0.01


@dataclass
class Exchange:
    """One thing a person did and how the bot took it.

    `acked` is whether the acknowledgement came in Slack's three seconds, `ack` what it said
    (JSON, text or None), `latency` its seconds, `status` its HTTP status (None over a
    socket), `replies` what was posted to the response URL so far.
    """

    kind: str
    payload: dict[str, Any]
    trigger_id: str = ""
    response_url: str = ""
    acked: bool = False
    ack: Any = None
    status: int | None = None
    latency: float = 0.0
    replies: list[dict[str, Any]] = field(default_factory=list)

    def waits(self, count: int = 1, seconds: float = 60.0) -> list[dict[str, Any]]:
        """Wait for that many replies; raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while len(self.replies) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the bot replied {self.replies}")
            time.sleep(_POLL)
        return self.replies


def body_of(kind: str, payload: dict[str, Any]) -> tuple[bytes, str]:
    """A payload as Slack's HTTP requests carry it, and its content type."""
    if _KINDS[kind] == "json":
        return json.dumps(payload).encode(), "application/json"
    form = payload if _KINDS[kind] == "form" else {"payload": json.dumps(payload)}
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


def signed(body: bytes, secret: str = SIGNING_SECRET, at: float | None = None) -> dict[str, str]:
    """The headers that prove a body is Slack's; `at` is Unix time, now by default."""
    moment = str(int(time.time() if at is None else at))
    base = f"v0:{moment}:".encode() + body
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": moment, "X-Slack-Signature": f"v0={digest}"}


def command(
    name: str, text: str, user: str, channel: str, team: str, trigger: str, response_url: str
) -> dict[str, Any]:
    """A slash command."""
    return {
        "token": "sandbox",
        "team_id": team,
        "team_domain": "levqor-sandbox",
        "channel_id": channel,
        "channel_name": CHANNELS.get(channel, "directmessage"),
        "user_id": user,
        "user_name": "ada",
        "command": name,
        "text": text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger,
    }


def interactive(kind: str, user: str, team: str, trigger: str) -> dict[str, Any]:
    """What every interaction holds: the workspace it came from, and the person's own."""
    home = (identity(user) or {}).get("team_id", team)
    return {
        "type": kind,
        "token": "sandbox",
        "team": {"id": team, "domain": "levqor-sandbox"},
        "user": {"id": user, "username": "ada", "name": "ada", "team_id": home},
        "api_app_id": APP,
        "trigger_id": trigger,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def event(number: int, kind: str, user: str, team: str, more: dict[str, Any]) -> dict[str, Any]:
    """An event of the Events API."""
    now = time.time()
    inner = {"type": kind, "user": user, "event_ts": f"{now:.6f}", **more}
    return {
        "token": "sandbox",
        "team_id": team,
        "api_app_id": APP,
        "event": inner,
        "type": "event_callback",
        "event_id": f"Ev{number:010d}",
        "event_time": int(now),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": team != TEAM,
    }


def select(source: dict[str, Any], wanted: str) -> tuple[dict[str, Any], str]:
    """A select that tells what is chosen in it, by its block; raises ValueError."""
    for block in source["blocks"]:
        if block["block_id"] == wanted and block.get("dispatch_action"):
            return block["element"], wanted
    raise ValueError(f"no select {wanted} tells what is chosen in it")


def button(source: dict[str, Any], wanted: str) -> tuple[dict[str, Any], str]:
    """A button by its action id, value or label, and the block it is in; raises ValueError."""
    found = []
    for block in source.get("blocks", []):
        accessory = [block["accessory"]] if "accessory" in block else []
        for element in block.get("elements", []) + accessory:
            if element.get("type") != "button":
                continue
            names = (element.get("action_id"), element.get("value"), element["text"]["text"])
            if wanted in names:
                return element, str(block.get("block_id", "b"))
            found.append(element["text"]["text"])
    raise ValueError(f"no such button; there are {', '.join(found)}")
