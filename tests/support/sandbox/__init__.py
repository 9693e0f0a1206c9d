"""The sandbox with people at the other end: what the bot hears is done here."""

from __future__ import annotations

from typing import ClassVar, Literal

import core.sandbox
from core.sandbox import SERVICES
from tests.support.sandbox.slack import SlackApp
from tests.support.sandbox.telegram import TelegramChats

PEOPLED = {"slack": SlackApp, "telegram": TelegramChats}


class Sandbox(core.sandbox.Sandbox):
    """The product's sandbox, whose chats people use."""

    kinds: ClassVar = tuple(PEOPLED.get(kind.name, kind) for kind in SERVICES)
    slack: SlackApp
    telegram: TelegramChats

    def settings(self, chat: Literal["socket", "http"] | None = None) -> dict[str, str]:
        """Settings that lead every connector here, and Slack to the bot where `chat` says how."""
        more = {"socket": self.slack.socket_settings, "http": self.slack.http_settings}
        return super().settings() | (more[chat]() if chat else {})
