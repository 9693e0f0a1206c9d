"""Telegram's Bot API on loopback."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import web

from core.sandbox.credentials import letters
from core.sandbox.standin import Received, StandIn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from core.sandbox.standin import Handler

    Method = Callable[[dict[str, Any], Received], Awaitable[Any]]

BOT_ID = 7_100_000_001
BOT_NAME = "levqor_sandbox_bot"
GROUP = -1_001_234_567_890
CHANNEL = -1_001_234_567_891

MAX_BYTES = 32_768
MAX_TEXT = 4096  # UTF-16 units, after entities are parsed


class Refusal(Exception):
    """The Bot API's refusal: code, description and parameters."""

    def __init__(self, code: int, description: str, parameters: Any = None) -> None:
        self.code, self.description, self.parameters = code, description, parameters
        super().__init__(description)


def bad(description: str) -> Refusal:
    """A 400 in the Bot API's words."""
    return Refusal(400, f"Bad Request: {description}")


class Telegram(StandIn):
    """The Bot API of one bot."""

    name: ClassVar[str] = "telegram"
    connector: ClassVar[str] = "telegram"

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
        """Forget messages and whom the bot has met."""
        self.message_id = 0
        self.chats: dict[int, dict[str, Any]] = {
            GROUP: {"id": GROUP, "type": "supergroup", "title": "Levqor sandbox"},
            CHANNEL: {
                "id": CHANNEL,
                "type": "channel",
                "title": "Levqor news",
                "username": "levqor_sandbox",
            },
            1: {"id": 1, "type": "private", "first_name": "Ada"},
        }

    def not_found(self) -> web.Response:
        """What the Bot API says to an address it does not have."""
        return _error(404, "Not Found")

    def methods(self) -> dict[str, Method]:
        """The methods by their names in lower case: the Bot API does not mind the case."""
        return {
            "getme": self._get_me,
            "getchat": self._get_chat,
            "getchatmember": self._get_chat_member,
            "sendmessage": self._send_message,
        }

    async def _call(self, request: web.Request, received: Received) -> web.Response:
        token, _, secret = request.match_info["token"].partition(":")
        if not token.isdecimal() or not secret:
            return _error(404, "Not Found")
        if request.match_info["token"] != self.token:
            return _error(401, "Unauthorized")
        method = self.methods().get(request.match_info["call"].lower())
        if method is None:
            return _error(404, "Not Found: method not found")
        try:
            result = await method(_parameters(request, received), received)
        except Refusal as refusal:
            return _error(refusal.code, refusal.description, refusal.parameters)
        return web.json_response({"ok": True, "result": result})

    async def _get_me(self, said: dict[str, Any], received: Received) -> dict[str, Any]:  # noqa: ARG002
        return {
            **self.bot(),
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    async def _get_chat(self, said: dict[str, Any], received: Received) -> dict[str, Any]:  # noqa: ARG002
        reactions = {"max_reaction_count": 11, "accent_color_id": 0}
        gifts = dict.fromkeys(
            ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription"), True
        )
        gifts["gifts_from_channels"] = True
        return {**self.chat(said), **reactions, "accepted_gift_types": gifts}

    async def _get_chat_member(self, said: dict[str, Any], received: Received) -> dict[str, Any]:  # noqa: ARG002
        chat = self.chat(said)
        user = said.get("user_id")
        if not str(user).isdecimal():
            raise bad("invalid user_id specified")
        if int(str(user)) != BOT_ID:
            raise bad("user not found")
        if chat["type"] != "channel":
            return {"status": "member", "user": self.bot()}
        rights = dict.fromkeys(_ADMIN_RIGHTS, False)
        can = {"can_post_messages": True, "can_manage_chat": True, "can_be_edited": False}
        return {"status": "administrator", "user": self.bot(), **rights, **can}

    async def _send_message(self, said: dict[str, Any], received: Received) -> dict[str, Any]:
        text = checked_text(said)
        chat = self.chat(said)
        self.message_id += 1
        message = {
            "message_id": self.message_id,
            "from": self.bot(),
            "chat": chat,
            "date": int(time.time()),
            "text": text,
        }
        received.done, received.result = True, self.message_id
        received.shown = text
        return message

    def bot(self) -> dict[str, Any]:
        """The bot as a user."""
        return {"id": BOT_ID, "is_bot": True, "first_name": "Levqor", "username": BOT_NAME}

    def chat(self, said: dict[str, Any]) -> dict[str, Any]:
        """The chat a call names; raises Refusal."""
        given = str(said.get("chat_id", "")).strip()
        if not given:
            raise bad("chat_id is empty")
        for ident, chat in self.chats.items():
            if given in (str(ident), f"@{chat.get('username', '')}"):
                return chat
        raise bad("chat not found")


_ADMIN_RIGHTS = (
    "is_anonymous",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)


def checked_text(said: dict[str, Any]) -> str:
    """The text of a message within the Bot API's bounds; raises Refusal."""
    text = said.get("text", "")
    if not isinstance(text, str):
        raise bad("text must be of type String")
    if not text.strip():
        raise bad("message text is empty")
    if len(text.encode()) > MAX_BYTES:
        raise bad("text is too long")
    if said.get("parse_mode", "").lower() not in ("", "html", "markdown", "markdownv2"):
        raise bad("unsupported parse_mode")
    if units(text) > MAX_TEXT:
        raise bad("message is too long")
    return text.strip()


def units(text: str) -> int:
    """A text's length in UTF-16 units, as Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _parameters(request: web.Request, received: Received) -> dict[str, Any]:
    if request.content_type == "application/json":
        if not received.body:
            return dict(received.query)
        said = received.json
        if not isinstance(said, dict):
            raise bad("can't parse request JSON object")
        return {**received.query, **said}
    return {**received.query, **{name: _loads(v) for name, v in received.form.items()}}


def _loads(text: str) -> Any:
    # A form carries objects as JSON; everything else stays text.
    if text[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _error(code: int, description: str, parameters: Any = None) -> web.Response:
    body = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = parameters
    return web.json_response(body, status=code)
