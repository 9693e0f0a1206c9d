"""Updates of every kind, made from Telegram's description of its Bot API, least and most."""

from __future__ import annotations

import re
import time
from itertools import islice
from typing import TYPE_CHECKING, Any

from core.sandbox.telegram import GROUP
from tests.support.canary import CANARIES

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = f"/slack_send {CANARIES['text']}"
MARKS = [{"type": "bot_command", "offset": 0, "length": 11}]
ASK = {"text": "/whoami", "entities": [{"type": "bot_command", "offset": 0, "length": 7}]}
# What the description does not say of its choices: the word that each goes by.
_WORDS = {"owner": "creator", "banned": "kicked"}
_DEEP = 3
_ALWAYS = {"message_id", "date", "chat", "from", "text", "entities"}
# A text message with one of these is not a person's own command to the bot.
OTHERS = {"forward_origin", "via_bot", "is_automatic_forward", "sender_business_bot"}
SILENT = {"sender_chat", "edit_date"}


class Maker:
    """Makes what one person does in one chat."""

    def __init__(self, schemas: dict[str, Any], user: int, chat: dict[str, Any]) -> None:
        self._schemas = schemas
        self._user = {"id": user, "is_bot": False, "first_name": CANARIES["title"]}
        self._chat = chat
        self._number = 10_000

    def updates(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Each update, and what it wants: `ask`, `others`, `text`, `gone`, or nothing."""
        message = self._schemas["Message"]["properties"]
        for name in sorted(
            message.keys() - {"message_id", "date", "chat", "from", "text", "entities"}
        ):
            for value in self._each(message[name]):
                yield {"message": {**self._base(), name: value}}, ""
                wants = "others" if name in OTHERS else "" if name in SILENT else "ask"
                yield {"message": {**self._base(), **ASK, name: value}}, wants
        yield {"message": self._base()}, ""
        yield {"message": {**self._base(), "text": CANARIES["text"]}}, "text"
        yield {"message": {**self._base(), **ASK, "levqor_new": {"a": [COMMAND]}}}, "ask"
        for kind, schema in self._schemas["Update"]["properties"].items():
            if kind in ("update_id", "message"):
                continue
            for deep in (_DEEP, 0):
                for made in self._choices(schema, kind, deep):
                    yield {kind: {**made, "levqor_new": [COMMAND]}}, ""
        yes = {"data": f"send:{self._user['id']}:x"}  # of a question that nobody asked
        for more in ({"data": COMMAND}, yes, {"game_short_name": "x"}, {}):
            for where in ({"message": self._base()}, {"inline_message_id": "x"}, {}):
                press = {"id": "1", "from": self._user, "chat_instance": "1", **where, **more}
                gone = more is yes and "message" in where
                yield {"callback_query": press}, "gone" if gone else ""
        yield {"levqor_new": {"text": COMMAND, "from": self._user, "chat": self._chat}}, ""
        yield {}, ""

    def _each(self, schema: dict[str, Any]) -> Iterator[Any]:
        yield from self._choices(schema, "", 1)

    def _choices(self, schema: dict[str, Any], name: str, deep: int) -> Iterator[Any]:
        """Every value that the schema has a choice of at its top."""
        if "$ref" in schema:
            title = schema["$ref"].rpartition("/")[2]
            schema = self._schemas[title]
            if "anyOf" not in schema:
                yield self._object(title, deep)
                return
            for choice in schema["anyOf"]:
                for made in self._choices(choice, name, deep):
                    yield _named(made, title, choice)
        elif "anyOf" in schema:
            for choice in schema["anyOf"]:
                yield from self._choices(choice, name, deep)
        elif schema.get("type") == "array":
            # Where the smallest still holds itself, it is left empty.
            yield [] if deep < 0 else [*islice(self._choices(schema["items"], name, deep), 3)]
        else:
            yield self._plain(schema.get("type", ""), name)

    def _object(self, title: str, deep: int) -> Any:
        if title in ("User", "Chat"):
            return self._user if title == "User" else self._chat
        schema = self._schemas[title]
        needed = schema.get("required", ())
        made = {}
        for name, inner in schema.get("properties", {}).items():
            if name in needed or (deep > 0 and name not in SILENT):
                # A message that holds a message holds a small one.
                made[name] = next(self._choices(inner, name, deep - 1), None)
        if title in ("Message", "InaccessibleMessage"):
            made |= self._base()
        return made

    def _base(self) -> dict[str, Any]:
        self._number += 1
        now = int(time.time())
        return {"message_id": self._number, "date": now, "chat": self._chat, "from": self._user}

    def _plain(self, kind: str, name: str) -> Any:
        if kind == "boolean":
            return True
        if kind in ("integer", "number"):
            return int(time.time()) if name.endswith("date") else 1
        special = {"type": "bot_command", "status": "member", "source": "premium"}
        return special.get(name, COMMAND)


def _named(made: Any, title: str, choice: dict[str, Any]) -> Any:
    """Call a choice by its word: ChatMemberOwner is `creator`."""
    own = choice.get("$ref", "").rpartition("/")[2].removeprefix(title)
    word = re.sub(r"(?<!^)(?=[A-Z])", "_", own).lower()
    if isinstance(made, dict):
        for key in ("type", "status", "source"):
            if isinstance(made.get(key), str):
                made = {**made, key: _WORDS.get(word, word)}
    return made


def private(user: int) -> dict[str, Any]:
    """A person's own chat with the bot."""
    return {"id": user, "type": "private", "first_name": "Ada"}


GROUP_CHAT = {"id": GROUP, "type": "supergroup", "title": "Levqor sandbox"}
