"""Slack on loopback: incoming webhooks and the Web API's chat.postMessage and auth.test.

Slack has two manners: a webhook answers in plain text (`ok`, `no_text`, `invalid_token`),
the Web API always with HTTP 200 and `ok` in its JSON.
"""

from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import web

from core.sandbox.credentials import letters, upper
from core.sandbox.standin import Received, StandIn

if TYPE_CHECKING:
    from core.sandbox.standin import Handler

TEAM = "T" + upper("team", 10)
BOT_USER = "U" + upper("bot user", 10)
BOT = "B" + upper("bot", 10)
GENERAL = "C" + upper("general", 10)
CHANNELS = {GENERAL: "general", "C" + upper("random", 10): "random"}
SCOPES = "chat:write,chat:write.public,commands,users:read,im:write"

MAX_TEXT = 40_000  # docs.slack.dev: longer messages are cut, and Levqor never sends them
MAX_BLOCKS = 50
MAX_SECTION = 3000


class Slack(StandIn):
    """Slack's webhook and Web API."""

    name: ClassVar[str] = "slack"
    connector: ClassVar[str] = "slack"

    hook: ClassVar[str] = letters("hook", 24)
    bot_token: ClassVar[str] = "-".join(("xoxb", "1" * 12, "2" * 13, letters("slack bot", 24)))

    def settings(self) -> dict[str, str]:
        """A webhook and a bot token."""
        return {
            "SLACK_WEBHOOK_URL": f"{self.url}/services/{TEAM}/{BOT}/{self.hook}",
            "SLACK_BOT_TOKEN": self.bot_token,
            "SLACK_API_URL": f"{self.url}/api/",
        }

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        """The webhook and the Web API, which takes GET as well."""
        api: list[tuple[str, Handler]] = [
            ("auth.test", self._auth_test),
            ("chat.postMessage", self._post_message),
        ]
        return [
            ("POST", "/slack/services/{team}/{bot}/{hook}", "webhook", self._webhook),
            *(("POST", f"/slack/api/{call}", call, handler) for call, handler in api),
            *(("GET", f"/slack/api/{call}", call, handler) for call, handler in api),
        ]

    def reset(self) -> None:
        """Start the message clock anew."""
        self._counter = itertools.count(100)

    def not_found(self) -> web.Response:
        """What the Web API says to a method it does not have."""
        return _api({"ok": False, "error": "unknown_method"})

    async def _webhook(self, request: web.Request, received: Received) -> web.Response:
        where = (request.match_info["team"], request.match_info["bot"])
        if where != (TEAM, BOT):
            return _hook(404, "no_service")
        if request.match_info["hook"] != self.hook:
            return _hook(403, "invalid_token")
        payload = received.json
        if request.content_type == "application/x-www-form-urlencoded":
            payload = _loads(received.form.get("payload", ""))
        if not isinstance(payload, dict):
            return _hook(400, "invalid_payload")
        if error := _message_error(payload):
            return _hook(400, error)
        received.done = True
        received.shown = str(payload.get("text", ""))
        return _hook(200, "ok")

    async def _auth_test(self, request: web.Request, received: Received) -> web.Response:
        if error := self._token_error(request, received):
            return _api(error)
        return _api(
            {
                "ok": True,
                "url": "https://levqor-sandbox.slack.com/",
                "team": "Levqor sandbox",
                "user": "levqor",
                "team_id": TEAM,
                "user_id": BOT_USER,
                "bot_id": BOT,
                "is_enterprise_install": False,
            }
        )

    async def _post_message(self, request: web.Request, received: Received) -> web.Response:
        if error := self._token_error(request, received):
            return _api(error)
        said = arguments(request, received)
        if said is None:
            return _api({"ok": False, "error": "invalid_json"})
        channel = _channel(str(said.get("channel", "")))
        if channel is None:
            return _api({"ok": False, "error": "channel_not_found"})
        if problem := _message_error(said):
            return _api({"ok": False, "error": problem})
        moment = f"{int(time.time())}.{next(self._counter):06d}"
        received.done, received.result = True, moment
        received.shown = str(said.get("text", ""))
        message = {
            "type": "message",
            "user": BOT_USER,
            "bot_id": BOT,
            "team": TEAM,
            "ts": moment,
            "text": received.shown,
        }
        return _api({"ok": True, "channel": channel, "ts": moment, "message": message})

    def _token_error(self, request: web.Request, received: Received) -> dict[str, Any] | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = token or str((arguments(request, received) or {}).get("token", ""))
        if not token:
            return {"ok": False, "error": "not_authed"}
        if token.startswith(("xoxp-", "xapp-")):
            return {"ok": False, "error": "not_allowed_token_type"}
        return None if token == self.bot_token else {"ok": False, "error": "invalid_auth"}


def arguments(request: web.Request, received: Received) -> dict[str, Any] | None:
    """A call's arguments from the address, a form or JSON; None for broken JSON."""
    if request.content_type == "application/json":
        said = _loads(received.text or "{}")
        return said if isinstance(said, dict) else None
    return {**received.query, **received.form}


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _channel(asked: str) -> str | None:
    if asked in CHANNELS:
        return asked
    names = {name: channel for channel, name in CHANNELS.items()}
    return names.get(asked.removeprefix("#"))


def _message_error(payload: dict[str, Any]) -> str | None:
    text, blocks = payload.get("text", ""), payload.get("blocks")
    blocks = _loads(blocks) if isinstance(blocks, str) else blocks
    if not isinstance(text, str):
        return "invalid_payload"
    if blocks is not None and not _blocks_fit(blocks):
        return "invalid_blocks"
    if not (text.strip() or blocks or payload.get("attachments")):
        return "no_text"
    return "msg_too_long" if len(text) > MAX_TEXT else None


def _blocks_fit(blocks: Any) -> bool:
    if not isinstance(blocks, list) or len(blocks) > MAX_BLOCKS:
        return False
    return all(isinstance(block, dict) and _block_fits(block) for block in blocks)


def _block_fits(block: dict[str, Any]) -> bool:
    text = block.get("text")
    if block.get("type") != "section" or text is None:
        return isinstance(block.get("type"), str)
    return isinstance(text, dict) and 1 <= len(str(text.get("text", ""))) <= MAX_SECTION


def _hook(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/html")


def _api(body: dict[str, Any]) -> web.Response:
    headers = {"X-OAuth-Scopes": SCOPES} if body["ok"] else {}
    return web.json_response(body, headers=headers)
