"""People nobody has paired: one short answer an hour, and a few tries of a code."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bot.expiring import ExpiringMap

HOUR = 3600.0
# Answers cost flood budget: so many people an hour are answered, the others are not.
MOST = 1000
TRIES = 5
# Each try is a write; all unknown users together get this many a minute.
TRIES_A_MINUTE = 60


@dataclass
class _User:
    answered: bool = False
    tries: int = 0


class UnknownUsers:
    """Who was answered or tried a code in the last hour; never more than MOST of them."""

    def __init__(self) -> None:
        self._users: ExpiringMap[int, _User] = ExpiringMap(MOST, HOUR)
        self._minute = self._tries = 0

    def may_be_answered(self, ident: int) -> bool:
        """Whether to answer somebody now; once an hour each."""
        user = self._user(ident)
        if user is None or user.answered:
            return False
        user.answered = True
        return True

    def was_not_answered(self, ident: int) -> None:
        """Telegram did not take the answer: the next message gets it."""
        if (user := self._users.get(ident)) is not None:
            user.answered = False

    def may_try(self, ident: int) -> bool:
        """Whether somebody's code is looked at; a few an hour each."""
        user = self._user(ident)
        minute = int(time.monotonic() // 60)
        if self._minute != minute:
            self._minute, self._tries = minute, 0
        if user is None or user.tries >= TRIES or self._tries >= TRIES_A_MINUTE:
            return False
        user.tries += 1
        self._tries += 1
        return True

    def was_no_try(self, ident: int) -> None:
        """Give a try back: the code could not be looked at."""
        if (user := self._users.get(ident)) is not None:
            user.tries -= 1
        self._tries -= 1

    def __len__(self) -> int:
        return len(self._users)

    def _user(self, ident: int) -> _User | None:
        if self._users.get(ident) is None and len(self._users) < MOST:
            self._users[ident] = _User()
        return self._users.get(ident)
