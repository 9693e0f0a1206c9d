"""People nobody has paired: one short answer an hour, and a few tries of a code."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bot.expiring import ExpiringMap

HOUR = 3600.0
# Answers cost flood budget: so many people an hour are answered, the others are not.
MOST = 1000
TRIES = 5
# Each try is a write; all strangers together get this many a minute.
TRIES_A_MINUTE = 60


@dataclass
class _Visit:
    told: bool = False
    tries: int = 0


class UnknownUsers:
    """Who was answered in the last hour; never more than MOST of them."""

    def __init__(self) -> None:
        self._visits: ExpiringMap[int, _Visit] = ExpiringMap(MOST, HOUR)
        self._minute = (0, 0)

    def may_hear(self, user: int) -> bool:
        """Whether to answer a stranger now; once an hour each."""
        visit = self._visit(user)
        if visit is None or visit.told:
            return False
        visit.told = True
        return True

    def was_not_told(self, user: int) -> None:
        """Telegram did not take the answer: the next message gets it."""
        if (visit := self._visits.get(user)) is not None:
            visit.told = False

    def may_try(self, user: int) -> bool:
        """Whether a stranger's code is looked at; a few an hour each."""
        visit = self._visit(user)
        minute = int(time.monotonic() // 60)
        tries = self._minute[1] if self._minute[0] == minute else 0
        if visit is None or visit.tries >= TRIES or tries >= TRIES_A_MINUTE:
            return False
        visit.tries += 1
        self._minute = (minute, tries + 1)
        return True

    def was_no_try(self, user: int) -> None:
        """Give a try back: the code could not be looked at."""
        if (visit := self._visits.get(user)) is not None:
            visit.tries -= 1
        self._minute = (self._minute[0], self._minute[1] - 1)

    def __len__(self) -> int:
        return len(self._visits)

    def _visit(self, user: int) -> _Visit | None:
        if self._visits.get(user) is None and len(self._visits) < MOST:
            self._visits[user] = _Visit()
        return self._visits.get(user)
