"""Telegram's Bot API on loopback: what a bot may call where nobody writes to it."""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from core.plain import utf16_length
from core.sandbox.credentials import letters
from core.sandbox.service import Card, Handler, Received, Refusal, SandboxService, loads

Method = Callable[[dict[str, Any], Received], Awaitable[Any]]

BOT_ID = 7_100_000_001
BOT = {"id": BOT_ID, "is_bot": True, "first_name": "Levqor", "username": "levqor_sandbox_bot"}
GROUP = -1_001_234_567_890
CHANNEL = -1_001_234_567_891
PERSON = 1

MAX_BYTES = 32_768
MAX_TEXT = 4096  # UTF-16 units, after entities are parsed
MAX_POLL = 50  # seconds
MAX_COMMANDS = 100
MAX_DESCRIPTION = 256
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
# What a form carries as JSON; everything else stays text.
_OBJECTS = ("allowed_updates", "commands", "reply_markup", "reply_parameters", "scope")
_SCOPES = {
    **dict.fromkeys(("default", "all_private_chats", "all_group_chats"), ()),
    "all_chat_administrators": (),
    "chat": ("chat_id",),
    "chat_administrators": ("chat_id",),
    "chat_member": ("chat_id", "user_id"),
}
_NO_RIGHTS = (
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


def refusal(code: int, description: str, parameters: Any = None) -> Refusal:
    """The Bot API's refusal: code, description and parameters."""
    more = {"parameters": parameters} if parameters else {}
    body = {"ok": False, "error_code": code, "description": description, **more}
    return Refusal(web.json_response(body, status=code))


def bad(description: str) -> Refusal:
    """A 400 in the Bot API's words."""
    return refusal(400, f"Bad Request: {description}")


class Telegram(SandboxService):
    """The Bot API of one bot."""

    name = "telegram"
    connector = "telegram"
    title = "Telegram"
    token = f"{BOT_ID}:{letters('telegram', 35)}"

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
            raise self.not_found()
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
    return {"url": "", "has_custom_certificate": False, "pending_update_count": 0}


def _parameters(request: web.Request, received: Received) -> dict[str, Any]:
    if request.content_type == "application/json":
        body = received.json if received.body else {}
        if not isinstance(body, dict):
            raise bad("can't parse request JSON object")
        return {**received.query, **body}
    given: dict[str, Any] = {**received.query, **received.form}
    for name in given.keys() & set(_OBJECTS):
        given[name] = loads(given[name])
        if given[name] is None:
            raise bad("can't parse JSON object")
    return given


def number(given: dict[str, Any], name: str, default: int) -> int:
    """A whole number as the Bot API reads it: what is none counts as left out."""
    try:
        return int(given.get(name) or default)
    except (TypeError, ValueError):
        return default


def text_of(given: dict[str, Any]) -> str:
    """The text of a message within its bounds."""
    text = str(given.get("text", ""))
    if not text.strip():
        raise bad("message text is empty")
    if len(text.encode()) > MAX_BYTES:
        raise bad("text is too long")
    if str(given.get("parse_mode") or "").lower() not in ("", "html", "markdown", "markdownv2"):
        raise bad("unsupported parse_mode")
    if utf16_length(text) > MAX_TEXT:
        raise bad("message is too long")
    return text.strip()


class Messages:
    """The chats that the bot is in, and what it says there."""

    def __init__(self) -> None:
        self._numbers: Counter[int] = Counter()
        self.chats: dict[int, dict[str, Any]] = {
            GROUP: {"id": GROUP, "type": "supergroup", "title": "Levqor sandbox"},
            CHANNEL: {
                "id": CHANNEL,
                "type": "channel",
                "title": "Levqor news",
                "username": "levqor_sandbox",
            },
            PERSON: {"id": PERSON, "type": "private", "first_name": "Ada"},
        }

    def write(self, chat: dict[str, Any], text: str) -> dict[str, Any]:
        """Put a message of the bot's into a chat."""
        # Supergroups and channels count their messages on their own.
        counter = chat["id"] if chat["type"] in ("supergroup", "channel") else 0
        self._numbers[counter] += 1
        made = {"message_id": self._numbers[counter], "date": int(time.time())}
        return {**made, "chat": chat, "from": BOT, "text": text}

    def chat(self, given: dict[str, Any]) -> dict[str, Any]:
        """The chat a call names; raises Refusal."""
        name = str(given.get("chat_id", "")).strip()
        if not name:
            raise bad("chat_id is empty")
        for ident, chat in self.chats.items():
            if name in (str(ident), f"@{chat.get('username', '')}"):
                return chat
        raise bad("chat not found")

    async def get_me(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        """The bot."""
        flags = ("can_read_all_group_messages", "supports_inline_queries")
        more = ("can_connect_to_business", "has_main_web_app")
        return {**BOT, "can_join_groups": True, **dict.fromkeys(flags + more, False)}

    async def get_chat(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        """A chat, read rights only."""
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription")
        accepted = dict.fromkeys((*gifts, "gifts_from_channels"), True)
        looks = {"max_reaction_count": 11, "accent_color_id": 0}
        return {**self.chat(given), **looks, "accepted_gift_types": accepted}

    async def get_chat_member(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        """What the bot, or somebody who has spoken, is in a chat."""
        chat, user = self.chat(given), str(given.get("user_id", ""))
        if not user.isdecimal():
            raise bad("invalid user_id specified")
        if int(user) != BOT_ID:
            person = self.chats.get(int(user))
            if person is None or person["type"] != "private":
                raise bad("user not found")
            who = {"id": int(user), "is_bot": False, "first_name": person["first_name"]}
            return {"status": "member", "user": who}
        if chat["type"] != "channel":
            return {"status": "member", "user": BOT}
        can = {"can_post_messages": True, "can_manage_chat": True, "can_be_edited": False}
        return {"status": "administrator", "user": BOT, **dict.fromkeys(_NO_RIGHTS, False), **can}

    async def send(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        """A message from the bot."""
        text, chat = text_of(given), self.chat(given)
        received.card = Card("Levqor", chat.get("title") or chat["first_name"], text)
        return self.write(chat, text)


class Menus:
    """The bot's command menus, one for each scope and language."""

    def __init__(self, chats: dict[int, Any]) -> None:
        self._chats = chats
        self.menus: dict[str, list[dict[str, Any]]] = {}

    async def set(self, given: dict[str, Any], received: Received) -> bool:
        """Replace the menu of a scope."""
        key, commands = self._key(given), given.get("commands")
        if not isinstance(commands, list):
            raise bad("can't parse commands: expected an Array")
        if len(commands) > MAX_COMMANDS:
            raise bad("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not isinstance(command, dict):
                raise bad("can't parse commands: expected an Object")
            if not _COMMAND.fullmatch(str(command.get("command", ""))):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= len(str(command.get("description", ""))) <= MAX_DESCRIPTION:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        names = ("command", "description")
        self.menus[key] = [{name: command[name] for name in names} for command in commands]
        return True

    async def get(self, given: dict[str, Any], received: Received) -> list[dict[str, Any]]:
        """The menu of a scope; empty where none is set."""
        return self.menus.get(self._key(given), [])

    async def delete(self, given: dict[str, Any], received: Received) -> bool:
        """Take the menu of a scope away."""
        self.menus.pop(self._key(given), None)
        return True

    def _key(self, given: dict[str, Any]) -> str:
        scope = given.get("scope") or {"type": "default"}
        kind = str(scope.get("type")) if isinstance(scope, dict) else ""
        if kind not in _SCOPES:
            raise bad("can't parse BotCommandScope: unsupported type specified")
        for name in _SCOPES[kind]:
            if not str(scope.get(name, "")).lstrip("-").isdecimal():
                raise bad(f"can't parse BotCommandScope: {name} is empty")
        if "chat_id" in _SCOPES[kind] and int(scope["chat_id"]) not in self._chats:
            raise bad("chat not found")
        return scope_key(scope, str(given.get("language_code") or ""))


def scope_key(scope: dict[str, Any], language: str) -> str:
    """What a menu is kept under."""
    names = ("type", *_SCOPES[scope["type"]])
    return json.dumps([*(str(scope[name]) for name in names), language])
