"""Telegram's Bot API on loopback: its methods, chats, command menus, and its rules for texts."""

from core.sandbox.telegram.api import Method, Telegram
from core.sandbox.telegram.messages import BOT_ID, BOT_NAME, CHANNEL, FORUM, GROUP, PERSON

__all__ = [
    "BOT_ID",
    "BOT_NAME",
    "CHANNEL",
    "FORUM",
    "GROUP",
    "PERSON",
    "Method",
    "Telegram",
]
