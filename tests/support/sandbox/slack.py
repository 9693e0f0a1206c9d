"""Slack with a whole app in it: Socket Mode, views, response URLs, and people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import web

from core.sandbox.service import Card
from core.sandbox.slack import Fault, parsed
from tests.support.sandbox.slack_app import App
from tests.support.sandbox.slack_identity import APP_TOKEN, SIGNING_SECRET, user
from tests.support.sandbox.slack_payloads import Exchange, signed
from tests.support.sandbox.slack_rules import blocks_faults

if TYPE_CHECKING:
    from core.sandbox.service import Handler, Received
    from core.sandbox.slack import Method

__all__ = ["Exchange", "SlackApp", "signed"]

OPEN = "apps.connections.open"


class SlackApp(App):
    """What Slack offers to an app beside sending."""

    app_token: ClassVar[str] = APP_TOKEN

    def socket_settings(self) -> dict[str, str]:
        """What turns the bot's Slack interface on in Socket Mode."""
        return {"SLACK_APP_TOKEN": self.app_token}

    def http_settings(self) -> dict[str, str]:
        """What turns the bot's Slack interface on over HTTP."""
        return {"SLACK_SIGNING_SECRET": SIGNING_SECRET}

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        """Response URLs too."""
        return [("POST", "/slack/response/{id}", "response_url", self._response), *super().routes()]

    def methods(self) -> dict[str, Method]:
        """The methods that the bot calls for people."""
        return super().methods() | {
            OPEN: lambda given, received: {"url": self.socket_url()},
            "users.info": self._user,
            "users.list": self._users,
            "views.open": self._open_view,
            "views.publish": self._publish_view,
            "views.update": self._update_view,
        }

    def _post_message(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        answer = super()._post_message(given, received)
        blocks = parsed(given.get("blocks")) or []
        self.messages.append({**answer["message"], "channel": answer["channel"], "blocks": blocks})
        return answer

    def token_for(self, call: str) -> str:
        """The app's own token opens sockets."""
        return self.app_token if call == OPEN else super().token_for(call)

    def message_error(self, payload: dict[str, Any]) -> str | None:
        """Look at the blocks too."""
        given = payload.get("blocks")
        text = payload.get("text") or ""
        sound = given is None or not list(blocks_faults(parsed(given), "message"))
        if isinstance(text, str) and not sound:
            return "invalid_blocks"
        return super().message_error(payload)

    async def _response(self, request: web.Request, received: Received) -> web.Response:
        ident = request.match_info["id"]
        status, text = self.responses.post(ident, received, self.message_error)
        return web.Response(status=status, text=text, content_type="text/html")

    def _user(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        found = user(str(given.get("user", "")))
        if found is None:
            raise Fault("user_not_found")
        return {"user": found}

    def _users(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        first, most = int(given.get("cursor") or 0), int(given.get("limit", 100))
        # Slack's own bot is in every workspace.
        members = ["USLACKBOT", *self.members]
        page, rest = members[first : first + most], members[first + most :]
        following = {"next_cursor": str(first + most) if rest else ""}
        found = {"members": list(map(user, page)), "cache_ts": 1498777272}
        return {**found, "response_metadata": following}

    def _open_view(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        view = self.views.open(str(given.get("trigger_id", "")), given.get("view"))
        return _shown(view, received)

    def _update_view(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        ident = str(given.get("view_id", ""))
        return _shown(self.views.update(ident, given.get("view"), given.get("hash")), received)

    def _publish_view(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        view = self.views.publish(str(given.get("user_id", "")), given.get("view"))
        return _shown(view, received)


def _shown(view: dict[str, Any], received: Received) -> dict[str, Any]:
    title = (view.get("title") or {}).get("text", "")
    received.card = Card("Levqor", title or "home tab")
    return {"view": view}
