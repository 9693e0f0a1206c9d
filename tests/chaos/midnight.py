"""A midnight (UTC) that comes in every round, and is jumped over."""

from __future__ import annotations

import datetime as dt
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.world import Member

DAY = 86400


def seconds_to_midnight() -> int:
    """How far the nearest one is, in either direction."""
    past = int(time.time()) % DAY
    return -past if past < DAY / 2 else DAY - past


def day_used_up(words: str) -> str | None:
    """The UTC day of which a program is told, as JSON, that its quota is used up."""
    found = re.search(r'"resets_at": ?"([^"]+)"', words)
    return str(dt.datetime.fromisoformat(found[1]).date() - dt.timedelta(1)) if found else None


class SystemClock:
    """The clock of this program and of all it started; the bots are wrong by it as before."""

    def __init__(self, bots: Sequence[Member]) -> None:
        self._clock, self._bots = Clock.shared(Path(os.environ["SKEW"])), bots

    @property
    def seconds(self) -> int:
        """How wrong it is by the machine's own."""
        return self._clock.seconds

    def before_midnight(self, seconds: float) -> int:
        """Set it to so long before midnight, or after; how far it jumped."""
        jump = seconds_to_midnight() - round(seconds)
        self._clock.set(self._clock.seconds + jump)
        for bot in self._bots:
            bot.wrong_by(bot.wrong)
        return jump
