"""Slack on loopback: incoming webhooks and the part of the Web API that sends.

Slack has two manners: a webhook answers in plain text (`ok`, `no_text`, `invalid_token`),
the Web API always with HTTP 200 and `ok` in its JSON.
"""

import itertools
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from core.sandbox.credentials import letters, upper
from core.sandbox.service import (
    Card,
    Handler,
    Received,
    Refusal,
    SandboxService,
    bearer,
    loads,
)

Method = Callable[[dict[str, Any], Received], dict[str, Any]]

TEAM = "T" + upper("team", 10)
BOT_USER = "U" + upper("bot user", 10)
BOT = "B" + upper("bot", 10)
GENERAL = "C" + upper("general", 10)
CHANNELS = {GENERAL: "general", "C" + upper("random", 10): "random"}
SCOPES = "chat:write,chat:write.public,commands,users:read,im:write,channels:read,groups:read"
BOT_TOKEN = "-".join(("xoxb", "1" * 12, "2" * 13, letters("slack bot", 24)))
CREATED = 1_768_035_600
MAX_TEXT = 40_000


class Fault(Refusal):
    """The Web API's refusal: the error and, for bad arguments, its messages."""

    def __init__(self, error: str, messages: list[str] | None = None) -> None:
        more = {"response_metadata": {"messages": messages}} if messages else {}
        super().__init__(web.json_response({"ok": False, "error": error, **more}))


class Slack(SandboxService):
    """Slack's webhook and Web API."""

    name = "slack"
    connector = "slack"
    title = "Slack"

    hook = letters("hook", 24)
    bot_token = BOT_TOKEN

    def settings(self) -> dict[str, str]:
        """A webhook and a bot token."""
        return {
            "SLACK_WEBHOOK_URL": f"{self.url}/services/{TEAM}/{BOT}/{self.hook}",
            "SLACK_BOT_TOKEN": self.bot_token,
            "SLACK_API_URL": f"{self.url}/api/",
        }

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        """The webhook and the Web API, which takes GET as well."""
        return [
            ("POST", "/slack/services/{team}/{bot}/{hook}", "webhook", self._webhook),
            ("POST", "/slack/api/{call}", "", self._api),
            ("GET", "/slack/api/{call}", "", self._api),
        ]

    def reset(self) -> None:
        """Count messages anew."""
        self._counter = itertools.count(100)

    def not_found(self) -> Refusal:
        """What the Web API says to an address it does not have."""
        return Fault("unknown_method")

    def methods(self) -> dict[str, Method]:
        """The Web API's methods that take the bot's token."""
        return {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post_message,
            "users.conversations": self._conversations,
            "conversations.info": self._info,
        }

    def token_for(self, call: str) -> str:
        """The token that a method takes."""
        return self.bot_token

    def message_error(self, payload: dict[str, Any]) -> str | None:
        """What Slack calls the fault of a message; None for a sound one."""
        text = payload.get("text") or ""
        if not isinstance(text, str):
            return "invalid_payload"
        if not (text.strip() or parsed(payload.get("blocks")) or payload.get("attachments")):
            return "no_text"
        return "msg_too_long" if len(text) > MAX_TEXT else None

    async def _webhook(self, request: web.Request, received: Received) -> web.Response:
        where = (request.match_info["team"], request.match_info["bot"])
        if where != (TEAM, BOT):
            return _plain(404, "no_service")
        if request.match_info["hook"] != self.hook:
            return _plain(403, "invalid_token")
        payload = received.json
        if request.content_type == "application/x-www-form-urlencoded":
            payload = loads(received.form.get("payload", ""))
        if not isinstance(payload, dict):
            return _plain(400, "invalid_payload")
        if error := self.message_error(payload):
            return _plain(400, error)
        received.card = _card(GENERAL, payload)
        return _plain(200, "ok")

    async def _api(self, request: web.Request, received: Received) -> web.Response:
        call = request.match_info["call"]
        given = arguments(request, received)
        token = bearer(request) or str((given or {}).get("token", ""))
        if call not in self.methods():
            raise self.not_found()
        if error := _token_error(token, self.token_for(call)):
            raise Fault(error)
        if given is None:
            raise Fault("invalid_json")
        answer = {"ok": True, **self.methods()[call](given, received)}
        return web.json_response(answer, headers={"x-oauth-scopes": SCOPES})

    def _auth_test(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        return {
            "url": "https://levqor-sandbox.slack.com/",
            "team": "Levqor sandbox",
            "user": "levqor",
            "team_id": TEAM,
            "user_id": BOT_USER,
            "bot_id": BOT,
            "is_enterprise_install": False,
        }

    def _conversations(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        if "public_channel" not in str(given.get("types", "public_channel")).split(","):
            return {"channels": []}
        channels = [_conversation(each) for each in CHANNELS]
        return {"channels": channels, "response_metadata": {"next_cursor": ""}}

    def _info(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        channel = str(given.get("channel", ""))
        # Here a name is none, though chat.postMessage takes it.
        if channel not in CHANNELS and channel[:1] != "D":
            raise Fault("channel_not_found")
        return {"channel": _conversation(channel)}

    def _post_message(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        channel = _channel(str(given.get("channel", "")))
        if channel is None:
            raise Fault("channel_not_found")
        if problem := self.message_error(given):
            raise Fault(problem)
        text = str(given.get("text", ""))
        received.card = _card(channel, given)
        moment = f"{int(time.time())}.{next(self._counter):06d}"
        message = {"type": "message", "user": BOT_USER, "bot_id": BOT, "team": TEAM}
        return {
            "channel": channel,
            "ts": moment,
            "message": {**message, "ts": moment, "text": text},
        }


def parsed(text: Any) -> Any:
    """A form's JSON; None where it is none."""
    return loads(text) if isinstance(text, str) else text


def arguments(request: web.Request, received: Received) -> dict[str, Any] | None:
    """A call's arguments from the address, a form or JSON; None for broken JSON."""
    if request.content_type == "application/json":
        given = loads(received.text or "{}")
        return given if isinstance(given, dict) else None
    return {**received.query, **received.form}


def _token_error(token: str, wanted: str) -> str | None:
    if not token:
        return "not_authed"
    if token.partition("-")[0] in ("xoxb", "xoxp", "xapp") and token[:4] != wanted[:4]:
        return "not_allowed_token_type"
    return None if token == wanted else "invalid_auth"


def _channel(name: str) -> str | None:
    if name in CHANNELS or name[:1] == "D":
        return name
    if name[:1] in ("U", "W"):
        return f"D{name[1:]}"
    channels = {name: channel for channel, name in CHANNELS.items()}
    return channels.get(name.removeprefix("#"))


def _conversation(ident: str) -> dict[str, Any]:
    """A channel, or a direct message, as the Web API describes one."""
    made = {"id": ident, "created": CREATED, "is_org_shared": False}
    if ident not in CHANNELS:
        return {**made, "is_im": True, "user": f"U{ident[1:]}", "priority": 0}
    name, nobody = CHANNELS[ident], {"value": "", "creator": "", "last_set": 0}
    return {
        **made,
        **dict.fromkeys(("is_archived", "is_group", "is_im", "is_mpim", "is_private"), False),
        "name": name,
        "name_normalized": name,
        "creator": BOT_USER,
        "is_channel": True,
        "is_general": ident == GENERAL,
        "is_shared": False,
        "topic": nobody,
        "purpose": nobody,
    }


def _card(channel: str, payload: dict[str, Any]) -> Card:
    text = str(payload.get("text", ""))
    for escape, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(escape, sign)
    return Card(
        "Levqor", f"#{CHANNELS[channel]}" if channel in CHANNELS else "direct message", text
    )


def _plain(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/html")
