"""Which requests were rejected: some leave a line in the log."""

import time

from bot.runtime import Bot
from core.callers import ADDRESSED_SURFACE, Caller
from core.errors import LevqorError

# Strangers may try as often as they like: their lines must not push those of runs out of
# the log, which keeps fifty megabytes.
LINES_A_MINUTE = 10


class RejectionLog:
    """Writes rejected requests down: for the same address and reason one line a minute."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._minute = 0
        self._seen: set[tuple[str, str]] = set()

    def log(self, error: LevqorError, address: str) -> None:
        """Write a line, unless there have been enough this minute."""
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute = minute
            self._seen.clear()
        rejection = (address, error.reason or error.code)
        if rejection in self._seen or len(self._seen) >= LINES_A_MINUTE:
            return
        self._seen.add(rejection)
        stranger = Caller(ADDRESSED_SURFACE, address, known=False)
        write = self._bot.engine.log_rejection
        self._bot.spawn(self._bot.read(write, error, stranger, address), name="rejection")
