"""Who was turned away: every answer is counted, some leave a line in the log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bot.web.authentication import SURFACE
from core.callers import Caller
from core.errors import Unauthorized

if TYPE_CHECKING:
    from bot.runtime import Bot, Hook
    from bot.web.metrics import Metrics
    from core.errors import LevqorError

# Strangers may knock as often as they like: their lines must not push those of runs out of
# the log, which keeps fifty megabytes.
LINES_A_MINUTE = 10


class RejectionLog:
    """Counts answers; writes down who was refused."""

    def __init__(self, bot: Bot, metrics: Metrics) -> None:
        self.answered = metrics.answered
        self._bot = bot
        self._metrics = metrics
        self._minute = 0
        self._seen: set[tuple[str, str]] = set()

    def unsigned(self, hook: Hook, address: str) -> None:
        """Count a post to a platform's address that did not carry the platform's signature."""
        self._metrics.unsigned(hook.path.split("/")[1])
        self.log(Unauthorized(reason="unsigned_post"), address)

    def log(self, error: LevqorError, address: str) -> None:
        """Write a line, but for the same address and reason only one a minute."""
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute = minute
            self._seen.clear()
        knock = (address, error.reason or error.code)
        if knock in self._seen or len(self._seen) >= LINES_A_MINUTE:
            return
        self._seen.add(knock)
        stranger = Caller(SURFACE, address, known=False)
        write = self._bot.engine.turned_away
        self._bot.spawn(self._bot.read(write, error, stranger, address), name="door")
