"""People who write to the bot, for tests: `sandbox.telegram.user(42).says("/help")`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from core.sandbox.telegram.messages import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.sandbox.telegram import Telegram
    from core.sandbox.telegram.messages import Said

_POLL = 0.01


class Person:
    """One person; `chat` is where he writes: his own chat with the bot, or a group."""

    def __init__(
        self, telegram: Telegram, ident: int, chat: int | None, name: str, thread: int | None = None
    ) -> None:
        self._telegram = telegram
        self.id = ident
        self.chat = chat if chat is not None else ident
        self.name = name
        self._thread = thread

    def says(self, text: str, reply_to: Said | None = None) -> Said:
        """Write a message."""
        number = reply_to.message_id if reply_to else None
        return self._telegram.says(
            self.id, text, chat=self.chat, reply_to=number, name=self.name, thread=self._thread
        )

    def edits(self, message: Said, text: str) -> Said:
        """Edit a message of his own."""
        return self._telegram.edits(self.id, message.message_id, text, chat=self.chat)

    def presses(self, message: Said, button: str) -> str:
        """Press a button by its label or its data; returns the callback query's id."""
        return self._telegram.presses(self.id, message.message_id, button, chat=self.chat)

    def sends_photo(self, caption: str) -> None:
        """Send a photo; a command in its caption is no command."""
        self._telegram.sends_photo(self.id, caption, chat=self.chat)

    def blocks(self) -> None:
        """Block the bot."""
        self._telegram.messages.blocked.add(self.id)

    @property
    def conversation(self) -> list[Said]:
        """What the bot has said in this chat, as it stands now, oldest first."""
        return [
            said
            for said in list(self._telegram.messages.said)
            if said.chat == self.chat and said.from_bot and not said.deleted
        ]

    def waits(
        self, count: int = 1, seconds: float = 5.0, until: Callable[[Said], bool] | None = None
    ) -> list[Said]:
        """Wait for `count` messages (of which the last one fits); raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            heard = self.conversation
            if len(heard) >= count and (until is None or until(heard[-1])):
                return heard
            time.sleep(_POLL)
        raise TimeoutError(f"the bot said {[said.text for said in self.conversation]}")


def user(ident: int, name: str) -> dict[str, Any]:
    """A person as Telegram describes one."""
    return {"id": ident, "is_bot": False, "first_name": name, "language_code": "en"}


def channel_post(number: int, text: str) -> dict[str, Any]:
    """A post in the channel the bot is in."""
    chat = {"id": CHANNEL, "type": "channel", "title": "Levqor news"}
    post = {"message_id": number, "date": int(time.time()), "chat": chat, "text": text}
    return {"channel_post": {**post, "sender_chat": chat}}
