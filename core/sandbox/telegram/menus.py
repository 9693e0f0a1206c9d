"""The bot's command menus, one for each scope and language."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from core.sandbox.telegram.rules import bad

if TYPE_CHECKING:
    from collections.abc import Container

    from core.sandbox.service import Received

MAX_COMMANDS = 100
MAX_DESCRIPTION = 256
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_SCOPES = {
    "default": (),
    "all_private_chats": (),
    "all_group_chats": (),
    "all_chat_administrators": (),
    "chat": ("chat_id",),
    "chat_administrators": ("chat_id",),
    "chat_member": ("chat_id", "user_id"),
}


class Menus:
    """What `setMyCommands` has set."""

    def __init__(self, chats: Container[int]) -> None:
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
        self.menus[key] = [
            {"command": one["command"], "description": one["description"]} for one in commands
        ]
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
