"""Telegram's Bot API on loopback: what a bot may call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import web

from core.sandbox.credentials import letters
from core.sandbox.service import Received, SandboxService, loads
from core.sandbox.telegram.menus import Menus
from core.sandbox.telegram.messages import (
    BOT_ID,
    BOT_NAME,
    CHANNEL,
    FORUM,
    GROUP,
    PERSON,
    Messages,
    Said,
)
from core.sandbox.telegram.rules import Refusal, bad
from core.sandbox.telegram.updates import Updates

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from core.sandbox.service import Handler

    Method = Callable[[dict[str, Any], Received], Awaitable[Any]]

__all__ = [
    "BOT_ID",
    "BOT_NAME",
    "CHANNEL",
    "FORUM",
    "GROUP",
    "PERSON",
    "Said",
    "Telegram",
]


class Telegram(SandboxService):
    """The Bot API of one bot."""

    name: ClassVar[str] = "telegram"
    connector: ClassVar[str] = "telegram"
    title: ClassVar[str] = "Telegram"

    token: ClassVar[str] = f"{BOT_ID}:{letters('telegram', 35)}"

    def settings(self) -> dict[str, str]:
        """A bot's token and a group it is a member of."""
        return {
            "TELEGRAM_BOT_TOKEN": self.token,
            "TELEGRAM_CHAT_ID_DEFAULT": str(GROUP),
            "TELEGRAM_API_URL": self.url,
        }

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        """One address for all methods, by GET or POST."""
        path = "/telegram/bot{token}/{call}"
        return [("GET", path, "", self._call), ("POST", path, "", self._call)]

    def reset(self) -> None:
        """Forget messages, updates and menus."""
        self.revoked = False
        self.messages = Messages()
        self.menus = Menus(self.messages.chats)
        old = getattr(self, "updates", None)
        self.updates = Updates()
        if old is not None:
            self.later(old.stop)

    async def stop(self) -> None:
        """End what waits."""
        await self.updates.stop()

    def not_found(self) -> web.Response:
        """What the Bot API says to an address it does not have."""
        return _error(404, "Not Found")

    def methods(self) -> dict[str, Method]:
        """The methods by their names in lower case: the Bot API does not mind the case."""
        messages, updates, menus = self.messages, self.updates, self.menus
        return {
            "getme": messages.get_me,
            "getchat": messages.get_chat,
            "getchatmember": messages.get_chat_member,
            "sendmessage": messages.send,
            "editmessagetext": messages.edit,
            "editmessagereplymarkup": messages.edit,
            "deletemessage": messages.delete,
            "setmessagereaction": messages.react,
            "sendchataction": messages.chat_action,
            "answercallbackquery": messages.answer_query,
            "getupdates": updates.get_updates,
            "setwebhook": updates.set_webhook,
            "deletewebhook": updates.delete_webhook,
            "getwebhookinfo": updates.webhook_info,
            "setmycommands": menus.set,
            "getmycommands": menus.get,
            "deletemycommands": menus.delete,
        }

    async def _call(self, request: web.Request, received: Received) -> web.Response:
        token, _, secret = request.match_info["token"].partition(":")
        if not token.isdecimal() or not secret:
            return _error(404, "Not Found")
        if request.match_info["token"] != self.token or self.revoked:
            return _error(401, "Unauthorized")
        method = self.methods().get(request.match_info["call"].lower())
        if method is None:
            return _error(404, "Not Found: method not found")
        try:
            result = await method(_parameters(request, received), received)
        except Refusal as refusal:
            return _error(refusal.code, refusal.description, refusal.parameters)
        return web.json_response({"ok": True, "result": result})


def _parameters(request: web.Request, received: Received) -> dict[str, Any]:
    if request.content_type == "application/json":
        if not received.body:
            return dict(received.query)
        said = received.json
        if not isinstance(said, dict):
            raise bad("can't parse request JSON object")
        return {**received.query, **said}
    given = {**received.query, **received.form}
    return {name: _loads(text) if name in _OBJECTS else text for name, text in given.items()}


# What a form carries as JSON; everything else stays text.
_OBJECTS = ("allowed_updates", "commands", "reaction", "reply_markup", "reply_parameters", "scope")


def _loads(text: str) -> Any:
    said = loads(text)
    if said is None:
        raise bad("can't parse JSON object")
    return said


def _error(code: int, description: str, parameters: Any = None) -> web.Response:
    body = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = parameters
    return web.json_response(body, status=code)
