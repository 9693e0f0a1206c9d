"""Slack on loopback: webhooks, the Web API, Socket Mode, and people who use the app.

Slack has two manners: a webhook answers in plain text (`ok`, `no_text`, `invalid_token`),
the Web API always with HTTP 200 and `ok` in its JSON.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import web

from core.sandbox.slack import rules
from core.sandbox.slack.app import App
from core.sandbox.slack.identity import (
    APP_TOKEN,
    BOT,
    BOT_TOKEN,
    BOT_USER,
    CHANNELS,
    COLLEAGUE,
    GENERAL,
    GUEST,
    HOOK,
    OTHER_TEAM,
    PERSON,
    SCOPES,
    SIGNING_SECRET,
    STRANGER,
    TEAM,
    user,
)
from core.sandbox.slack.payloads import Exchange, signed
from core.sandbox.slack.views import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.sandbox.standin import Handler, Raw, Received

    Method = Callable[[dict[str, Any], Received], dict[str, Any]]

__all__ = [
    "BOT",
    "BOT_USER",
    "CHANNELS",
    "COLLEAGUE",
    "GENERAL",
    "GUEST",
    "OTHER_TEAM",
    "PERSON",
    "STRANGER",
    "TEAM",
    "Exchange",
    "Slack",
    "signed",
]


class Slack(App):
    """Slack's webhook and Web API; what people do with the app is in its base."""

    connector: ClassVar[str] = "slack"

    hook: ClassVar[str] = HOOK
    bot_token: ClassVar[str] = BOT_TOKEN
    app_token: ClassVar[str] = APP_TOKEN

    def settings(self) -> dict[str, str]:
        """A webhook and a bot token."""
        return {
            "SLACK_WEBHOOK_URL": f"{self.url}/services/{TEAM}/{BOT}/{self.hook}",
            "SLACK_BOT_TOKEN": self.bot_token,
            "SLACK_API_URL": f"{self.url}/api/",
        }

    def socket_settings(self) -> dict[str, str]:
        """What turns the bot's Slack surface on in Socket Mode."""
        return {"SLACK_APP_TOKEN": self.app_token}

    def http_settings(self) -> dict[str, str]:
        """What turns the bot's Slack surface on over HTTP."""
        return {"SLACK_SIGNING_SECRET": SIGNING_SECRET}

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        """The webhook, response URLs and the Web API, which takes GET as well."""
        return [
            ("POST", "/slack/services/{team}/{bot}/{hook}", "webhook", self._webhook),
            ("POST", "/slack/response/{id}", "response_url", self._response),
            ("POST", "/slack/api/{call}", "", self._api),
            ("GET", "/slack/api/{call}", "", self._api),
        ]

    def raw_routes(self) -> list[tuple[str, Raw]]:
        """Socket Mode's WebSocket."""
        return [("/slack/link", self.socket.serve)]

    def reset(self) -> None:
        """Forget views, response URLs and messages; open sockets stay open."""
        super().reset()
        self._counter = itertools.count(100)

    def not_found(self) -> web.Response:
        """What the Web API says to an address it does not have."""
        return _answer({"ok": False, "error": "unknown_method"})

    def methods(self) -> dict[str, Method]:
        """The Web API's methods that take the bot's token."""
        return {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post_message,
            "conversations.open": self._open_conversation,
            "users.info": self._user,
            "views.open": self._open_view,
            "views.publish": self._publish_view,
            "views.update": self._update_view,
        }

    async def _webhook(self, request: web.Request, received: Received) -> web.Response:
        where = (request.match_info["team"], request.match_info["bot"])
        if where != (TEAM, BOT):
            return _plain(404, "no_service")
        if request.match_info["hook"] != self.hook:
            return _plain(403, "invalid_token")
        payload = received.json
        if request.content_type == "application/x-www-form-urlencoded":
            payload = rules.loads(received.form.get("payload", ""))
        if not isinstance(payload, dict):
            return _plain(400, "invalid_payload")
        if error := rules.message_error(payload):
            return _plain(400, error)
        received.done = True
        received.shown = str(payload.get("text", ""))
        return _plain(200, "ok")

    async def _response(self, request: web.Request, received: Received) -> web.Response:
        return _plain(*self.responses.post(request.match_info["id"], received))

    async def _api(self, request: web.Request, received: Received) -> web.Response:
        call = request.match_info["call"]
        said = arguments(request, received)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = token or str((said or {}).get("token", ""))
        opens = call == "apps.connections.open"
        if not opens and call not in self.methods():
            return self.not_found()
        if error := _token_error(token, self.app_token if opens else self.bot_token):
            return _answer({"ok": False, "error": error})
        if said is None:
            return _answer({"ok": False, "error": "invalid_json"})
        if opens:
            return _answer({"ok": True, "url": self.socket_url()})
        try:
            return _answer({"ok": True, **self.methods()[call](said, received)})
        except Fault as fault:
            return _answer(fault.body)

    def _auth_test(self, said: dict[str, Any], received: Received) -> dict[str, Any]:
        return {
            "url": "https://levqor-sandbox.slack.com/",
            "team": "Levqor sandbox",
            "user": "levqor",
            "team_id": TEAM,
            "user_id": BOT_USER,
            "bot_id": BOT,
            "is_enterprise_install": False,
        }

    def _post_message(self, said: dict[str, Any], received: Received) -> dict[str, Any]:
        channel = _channel(str(said.get("channel", "")))
        if channel is None:
            raise Fault("channel_not_found")
        if problem := rules.message_error(said):
            raise Fault(problem)
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
        blocks = rules.loads(said.get("blocks"))
        self.messages.append({**message, "channel": channel, "blocks": blocks or []})
        return {"channel": channel, "ts": moment, "message": message}

    def _open_conversation(self, said: dict[str, Any], received: Received) -> dict[str, Any]:
        users = str(said.get("users", ""))
        if not users:
            raise Fault("users_list_not_supplied")
        if user(users) is None:
            raise Fault("user_not_found")
        return {"channel": {"id": f"D{users[1:]}"}}

    def _user(self, said: dict[str, Any], received: Received) -> dict[str, Any]:
        found = user(str(said.get("user", "")))
        if found is None:
            raise Fault("user_not_found")
        return {"user": found}

    def _open_view(self, said: dict[str, Any], received: Received) -> dict[str, Any]:
        view = self.views.open(str(said.get("trigger_id", "")), said.get("view"))
        return _shown(view, received)

    def _update_view(self, said: dict[str, Any], received: Received) -> dict[str, Any]:
        ident = str(said.get("view_id", ""))
        return _shown(self.views.update(ident, said.get("view"), said.get("hash")), received)

    def _publish_view(self, said: dict[str, Any], received: Received) -> dict[str, Any]:
        view = self.views.publish(str(said.get("user_id", "")), said.get("view"))
        return _shown(view, received)


def arguments(request: web.Request, received: Received) -> dict[str, Any] | None:
    """A call's arguments from the address, a form or JSON; None for broken JSON."""
    if request.content_type == "application/json":
        said = rules.loads(received.text or "{}")
        return said if isinstance(said, dict) else None
    return {**received.query, **received.form}


def _token_error(token: str, wanted: str) -> str | None:
    if not token:
        return "not_authed"
    if token.partition("-")[0] in ("xoxb", "xoxp", "xapp") and token[:4] != wanted[:4]:
        return "not_allowed_token_type"
    return None if token == wanted else "invalid_auth"


def _channel(asked: str) -> str | None:
    if asked in CHANNELS or asked[:1] == "D":
        return asked
    if user(asked) is not None:
        return f"D{asked[1:]}"
    names = {name: channel for channel, name in CHANNELS.items()}
    return names.get(asked.removeprefix("#"))


def _shown(view: dict[str, Any], received: Received) -> dict[str, Any]:
    title = (view.get("title") or {}).get("text", "")
    received.done, received.result, received.shown = True, view["id"], title or "home tab"
    return {"view": view}


def _plain(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/html")


def _answer(body: dict[str, Any]) -> web.Response:
    headers = {"x-oauth-scopes": SCOPES} if body["ok"] else {}
    return web.json_response(body, headers=headers)
