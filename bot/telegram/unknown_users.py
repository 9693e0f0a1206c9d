"""People nobody has paired: one short answer an hour, and a few tries of a code."""

import time
from collections import Counter
from typing import Literal

from bot.expiring import ExpiringMap

Use = Literal["answer", "try"]

HOUR = 3600.0
# Answers cost flood budget: so many people an hour are answered, the others are not.
MOST = 1000
TRIES = 5
PER_HOUR: dict[Use, int] = {"answer": 1, "try": TRIES}
# Each try is a write; all unknown users together get this many a minute.
TRIES_A_MINUTE = 60


class UnknownUsers:
    """What unknown users had of Levqor in the last hour; never more than MOST of them."""

    def __init__(self) -> None:
        self._used: ExpiringMap[int, Counter[Use]] = ExpiringMap(MOST, HOUR)
        self._minute = self._tries = 0

    def allow(self, user: int, use: Use) -> bool:
        """Whether somebody gets an answer, or their code is looked at; it is counted then."""
        if self._used.get(user) is None and len(self._used) < MOST:
            self._used[user] = Counter()
        used, minute = self._used.get(user), int(time.monotonic() // 60)
        if self._minute != minute:
            self._minute, self._tries = minute, 0
        if used is None or used[use] >= PER_HOUR[use]:
            return False
        if use == "try":
            if self._tries >= TRIES_A_MINUTE:
                return False
            self._tries += 1
        used[use] += 1
        return True

    def give_back(self, user: int, use: Use) -> None:
        """Count a use no more, because it could not be had."""
        if (used := self._used.get(user)) is not None:
            used[use] -= 1
        self._tries -= use == "try"
