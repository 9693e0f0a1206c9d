"""The running process: what its surfaces are, and what they share."""

from bot.runtime.background import step
from bot.runtime.bot import GRACE, Bot, End
from bot.runtime.surface import Hook, HookAnswer, HookRequest, Surface
from bot.runtime.verdicts import Verdict

__all__ = [
    "GRACE",
    "Bot",
    "End",
    "Hook",
    "HookAnswer",
    "HookRequest",
    "Surface",
    "Verdict",
    "step",
]
