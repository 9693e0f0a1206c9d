"""Answers that are no run's: whom they are owed, and of which kind they are."""

import sqlite3
import time

from core.ledger.records import Owed
from core.ledger.runs import ANSWER_SECONDS
from core.ledger.store import Store, writes
from core.ledger.writer import PATIENCE


class OwedAnswers(Store):
    """Answers that somebody waits for, until they were given."""

    def owe(self, owed: Owed, surface: str, *, patience: float = PATIENCE) -> None:
        """Write down an answer before its request is confirmed."""
        row = (owed.key, surface, owed.kind, owed.reply_to, time.time(), self._owner_id())
        self._write(
            lambda db: db.execute(
                "INSERT OR REPLACE INTO owed (key, surface, kind, reply_to, at, owner) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                row,
            ),
            durable=True,
            patience=patience,
        )

    @writes()
    def answered(self, db: sqlite3.Connection, key: str) -> None:
        """That answer was given; forget where."""
        db.execute("DELETE FROM owed WHERE key = ?", (key,))

    @writes()
    def owed(self, db: sqlite3.Connection, surface: str) -> list[Owed]:
        """Answers that dead processes owed, now ours to give."""
        rows = self._of_the_dead(
            db,
            "SELECT key, kind, reply_to, owner FROM owed WHERE surface = ? AND at >= ? ORDER BY at",
            (surface, time.time() - ANSWER_SECONDS),
        )
        for key, *_ in rows:
            db.execute("UPDATE owed SET owner = ? WHERE key = ?", (self._owner_id(), key))
        return [Owed(*row) for row in rows]


def forget_old(db: sqlite3.Connection, before: float) -> int:
    """Forget what nobody waits for any more; returns how many are left."""
    db.execute("DELETE FROM owed WHERE at < ?", (before,))
    return int(db.execute("SELECT count(*) FROM owed").fetchone()[0])
