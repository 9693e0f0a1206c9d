"""Telegram's Bot API on loopback: what a bot may call where nobody writes to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import web

from core.sandbox.credentials import letters
from core.sandbox.service import Received, Refusal, SandboxService, loads
from core.sandbox.telegram.menus import Menus
from core.sandbox.telegram.messages import BOT_ID, GROUP, Messages
from core.sandbox.telegram.rules import MAX_POLL, bad, number, refusal

if TYPE_CHECKING:
    from core.sandbox.service import Handler

Method = Callable[[dict[str, Any], Received], Awaitable[Any]]


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
        """Begin without messages and menus."""
        self.messages = Messages()
        self.menus = Menus(self.messages.chats)

    def not_found(self) -> Refusal:
        """What the Bot API says to an address it does not have."""
        return refusal(404, "Not Found")

    def accepts(self, token: str) -> bool:
        """Whether this is the bot's token."""
        return token == self.token

    def methods(self) -> dict[str, Method]:
        """The methods by their names in lower case: the Bot API does not mind the case."""
        messages, menus = self.messages, self.menus
        return {
            "getme": messages.get_me,
            "getchat": messages.get_chat,
            "getchatmember": messages.get_chat_member,
            "sendmessage": messages.send,
            "getupdates": _get_updates,
            "getwebhookinfo": _get_webhook_info,
            "setmycommands": menus.set,
            "getmycommands": menus.get,
            "deletemycommands": menus.delete,
        }

    async def _call(self, request: web.Request, received: Received) -> web.Response:
        token = request.match_info["token"]
        ident, _, secret = token.partition(":")
        if not ident.isdecimal() or not secret:
            raise refusal(404, "Not Found")
        if not self.accepts(token):
            raise refusal(401, "Unauthorized")
        method = self.methods().get(request.match_info["call"].lower())
        if method is None:
            raise refusal(404, "Not Found: method not found")
        result = await method(_parameters(request, received), received)
        return web.json_response({"ok": True, "result": result})


async def _get_updates(given: dict[str, Any], received: Received) -> list[dict[str, Any]]:
    """Wait as long as asked; nobody writes to the bot here."""
    await asyncio.sleep(min(max(number(given, "timeout", 0), 0), MAX_POLL))
    return []


async def _get_webhook_info(given: dict[str, Any], received: Received) -> dict[str, Any]:
    """None is set."""
    return {"url": "", "has_custom_certificate": False, "pending_update_count": 0}


# What a form carries as JSON; everything else stays text.
_OBJECTS = ("allowed_updates", "commands", "reply_markup", "reply_parameters", "scope")


def _parameters(request: web.Request, received: Received) -> dict[str, Any]:
    if request.content_type == "application/json":
        if not received.body:
            return dict(received.query)
        body = received.json
        if not isinstance(body, dict):
            raise bad("can't parse request JSON object")
        return {**received.query, **body}
    given = {**received.query, **received.form}
    return {name: _loads(text) if name in _OBJECTS else text for name, text in given.items()}


def _loads(text: str) -> Any:
    value = loads(text)
    if value is None:
        raise bad("can't parse JSON object")
    return value
