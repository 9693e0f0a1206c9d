"""Answers that are no run's: whom they are owed, and of which kind they are."""

from core.ledger.records import Owed
from core.ledger.store import ANSWER_SECONDS, PATIENCE, Connection, Stored, reads, writes

# What the kind of a press begins with that waits for the bot that asked; WITHDRAWN where that bot
# did not come for it, and never will.
PRESS = "press:"
WITHDRAWN = "withdrawn"
# Somebody's sign-in link was used.
SIGNED_IN = "signed-in"


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

    @reads
    def owes(self, db: Connection, key: str) -> bool:
        """Whether an answer is this process's to give."""
        mine = {"key": key, "me": self.store.owner()}
        row = db.execute("SELECT 1 FROM owed WHERE key = :key AND owner = :me", mine)
        return row.fetchone() is not None

    @reads
    def pressed(self, db: Connection, surface: str) -> list[Owed]:
        """The presses that wait for the bots that asked."""
        rows = db.execute(
            "SELECT key, kind, reply_to FROM owed WHERE surface = :surface AND kind LIKE :press",
            {"surface": surface, "press": f"{PRESS}%"},
        )
        return [Owed(*row) for row in rows]

    @writes(durable=True)
    def take_press(self, db: Connection, key: str) -> bool:
        """Take a press over, to act on it; False where it was withdrawn."""
        return self._change(db, "owner = :me", key, "kind LIKE :press")

    @writes()
    def withdraw(self, db: Connection, key: str) -> bool:
        """Withdraw a press of ours: nobody acts on it from now on; False where it was taken."""
        return self._change(db, "kind = :withdrawn", key, "owner = :me")

    def _change(self, db: Connection, change: str, key: str, where: str) -> bool:
        args = {"key": key, "me": self.store.owner(), "press": f"{PRESS}%", "withdrawn": WITHDRAWN}
        sql = f"UPDATE owed SET {change} WHERE key = :key AND {where}"
        return db.execute(sql, args).rowcount == 1


def owe_notice(db: Connection, owed: Owed, surface: str, until: float) -> None:
    """Owe somebody what they did not ask for, from whichever bot has their surface.

    It is nobody's, as what a dead process left; and it waits until then, and a while longer.
    """
    db.execute(
        "INSERT INTO owed (key, surface, kind, reply_to, at, owner) "
        "VALUES (:key, :surface, :kind, :reply_to, :until, '')",
        {
            "key": owed.key, "surface": surface, "kind": owed.kind, "reply_to": owed.reply_to,
            "until": until,
        },
    )  # fmt: skip


def forget_old(db: Connection, before: float) -> int:
    """Forget what nobody waits for any more; returns how many are left."""
    db.execute("DELETE FROM owed WHERE at < :before", {"before": before})
    return int(db.execute("SELECT count(*) FROM owed").fetchone()[0])
