"""The running process: what its surfaces are, and what they share."""

from bot.runtime.bot import GRACE, Bot, End
from bot.runtime.surface import Hook, HookAnswer, HookRequest, Surface

__all__ = ["GRACE", "Bot", "End", "Hook", "HookAnswer", "HookRequest", "Surface"]
