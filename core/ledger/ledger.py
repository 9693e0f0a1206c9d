"""The ledger of one home: what is kept of runs, people and interfaces, and for how long."""

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from core.ledger import backup, owed, runs, usage
from core.ledger.owed import OwedAnswers
from core.ledger.records import day_of, midnight_after
from core.ledger.recovery import Recovery
from core.ledger.status import Status
from core.ledger.store import reads, writes
from core.reports import Quota, Usage, UsageDay

_GIVE_WAY_SECONDS = 0.03


class Ledger(Recovery, OwedAnswers, Status):
    """The journal of one home; open it with `Ledger.open`, close it when done."""

    @reads
    def quota(self, db: sqlite3.Connection, caller: str, actions: Sequence[str]) -> list[Quota]:
        """Where a caller stands with each of these actions today."""
        now = time.time()
        limit = None if self._plan(db, caller) == "pro" else runs.FREE_LIMIT
        return [
            Quota(
                action=action,
                used=runs.used(db, caller, action, day_of(now)),
                limit=limit,
                resets_at=midnight_after(now),
            )
            for action in actions
        ]

    def usage(self, days: int) -> list[UsageDay]:
        """Runs by connector and day over the last `days` days, today included."""
        with self._reading(long=True) as db:
            return usage.days(db, days, time.time())

    def usage_report(self, days: int, caller: str, actions: Sequence[str]) -> Usage:
        """Everybody's runs of the last days, and where a caller stands today."""
        return Usage(
            days=days,
            usage=tuple(self.usage(days)),
            caller=caller,
            plan=self.plan(caller),
            quota=tuple(self.quota(caller, actions)),
        )

    def backup(self, file: Path) -> None:
        """Write a consistent copy, owner-only, while others go on. Refuses to overwrite."""
        with self._reading(long=True) as db:
            backup.write(db, file)

    def prune(self, days: int) -> int:
        """Delete what is older than `days` days; returns how many runs."""
        before, gone = time.time() - days * 86400, 0
        while step := self._prune_runs(before):
            gone += step
            # SQLite gives its lock to who asks first; one who waits asks every 20 ms or so.
            time.sleep(_GIVE_WAY_SECONDS)
        self._prune_rest(before)
        return gone

    @writes(durable=True)
    def _prune_rest(self, db: sqlite3.Connection, before: float) -> None:
        """Forget strangers who were not seen since, codes nobody used, streaks that ended."""
        db.execute(
            "DELETE FROM callers WHERE last_seen < ? AND plan IS NULL AND paired_at IS NULL "
            "AND caller NOT IN (SELECT 'http:' || label FROM tokens)",
            (before,),
        )
        db.execute("DELETE FROM pairings WHERE expires_at < ?", (before,))
        db.execute("DELETE FROM probes WHERE at < ?", (before,))

    def _sweep(self, db: sqlite3.Connection) -> int:
        before = time.time() - runs.ANSWER_SECONDS
        return runs.forget_old_replies(db, before) + owed.forget_old(db, before)
