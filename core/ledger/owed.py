"""Answers that are no run's: whom they are owed, and of which kind they are."""

from core.ledger.records import Owed
from core.ledger.runs import ANSWER_SECONDS
from core.ledger.store import PATIENCE, Connection, Stored, writes


class OwedAnswers(Stored):
    """Answers that somebody waits for, until they were given."""

    def owe(self, owed: Owed, surface: str, *, patience: float = PATIENCE) -> None:
        """Write down an answer before its request is confirmed."""
        row = {"key": owed.key, "surface": surface, "kind": owed.kind, "reply_to": owed.reply_to}
        owner = self.store.owner()
        self.store.write(
            lambda db: db.execute(
                "INSERT INTO owed (key, surface, kind, reply_to, at, owner) "
                "VALUES (:key, :surface, :kind, :reply_to, :now, :owner) "
                "ON CONFLICT (key) DO UPDATE SET surface = :surface, kind = :kind, "
                "reply_to = :reply_to, at = :now, owner = :owner",
                {**row, "owner": owner, "now": db.now()},
            ),
            durable=True,
            patience=patience,
        )

    @writes()
    def answered(self, db: Connection, key: str) -> None:
        """That answer was given; forget where."""
        db.execute("DELETE FROM owed WHERE key = :key", {"key": key})

    def owed(self, surface: str) -> list[Owed]:
        """Answers that dead processes owed, now ours to give."""
        rows = self._claim(
            surface,
            "SELECT key, kind, reply_to, owner FROM owed "
            "WHERE surface = :surface AND at >= :after ORDER BY at",
            "UPDATE owed SET owner = :me WHERE key = :key AND owner IN (:was, :me)",
            after_seconds=ANSWER_SECONDS,
        )
        return [Owed(*row) for row in rows]


def forget_old(db: Connection, before: float) -> int:
    """Forget what nobody waits for any more; returns how many are left."""
    db.execute("DELETE FROM owed WHERE at < :before", {"before": before})
    return int(db.execute("SELECT count(*) FROM owed").fetchone()[0])
