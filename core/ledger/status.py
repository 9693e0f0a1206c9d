"""What was noticed: probes of the connectors, and how the interfaces are doing."""

import contextlib
import sqlite3
import time

from core.errors import LedgerError
from core.ledger.records import Inbound, ProbeStreak
from core.ledger.store import Store, reads, writes


class Status(Store):
    """What the bot and the probes report, each with since when."""

    @writes()
    def probed(
        self,
        db: sqlite3.Connection,
        connector: str,
        verdict: str,
        reason: str | None,
        latency_ms: float | None,
    ) -> None:
        """Write what a probe found: lengthen the connector's current streak, or begin another."""
        now, last = time.time(), _streaks(db, connector, 1)
        if last and (last[0].verdict, last[0].reason) == (verdict, reason):
            db.execute(
                "UPDATE probes SET at = ?, latency_ms = ? WHERE connector = ? AND since = ?",
                (now, latency_ms, connector, last[0].since),
            )
            return
        db.execute(
            "INSERT INTO probes (connector, verdict, reason, since, at, latency_ms) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (connector, verdict, reason, now, now, latency_ms),
        )

    @reads
    def probes(self, db: sqlite3.Connection, connector: str, limit: int = 1) -> list[ProbeStreak]:
        """A connector's verdicts, latest first, each with since when."""
        return _streaks(db, connector, limit)

    @writes()
    def inbound(
        self,
        db: sqlite3.Connection,
        surface: str,
        *,
        ok: bool,
        verdict: str,
        fix: str | None = None,
    ) -> None:
        """Write how an interface is doing, since when by the same bot and in the same words."""
        db.execute(
            "INSERT INTO inbound (surface, ok, verdict, fix, since, at, owner) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6) ON CONFLICT (surface) DO UPDATE SET "
            "since = CASE WHEN verdict = ?3 AND fix IS ?4 AND owner = ?6 THEN since ELSE ?5 END, "
            "ok = ?2, verdict = ?3, fix = ?4, at = ?5, owner = ?6",
            (surface, ok, verdict, fix, time.time(), self._owner_id()),
        )

    @reads
    def inbounds(self, db: sqlite3.Connection) -> list[Inbound]:
        """How each interface of this home's bot is doing, by name."""
        rows = db.execute(
            "SELECT surface, ok, verdict, fix, since, at, owner FROM inbound ORDER BY surface"
        )
        return [
            Inbound(surface, bool(ok), verdict, fix, since, at, self._alive(owner))
            for surface, ok, verdict, fix, since, at, owner in rows
        ]

    @reads
    def counts(self, db: sqlite3.Connection) -> list[tuple[str, str, str, int]]:
        """How many runs ever ended, for each action, outcome and surface."""
        return db.execute("SELECT action, outcome, surface, runs FROM run_counts").fetchall()

    def close(self) -> None:
        """Forget how the interfaces of this process are doing, then close."""
        if self._owner:
            owner = self._owner.id
            with contextlib.suppress(LedgerError):
                self._write(
                    lambda db: db.execute("DELETE FROM inbound WHERE owner = ?", (owner,)),
                    patience=1.0,
                )
        super().close()


def _streaks(db: sqlite3.Connection, connector: str, limit: int) -> list[ProbeStreak]:
    rows = db.execute(
        "SELECT connector, verdict, reason, since, at, latency_ms FROM probes "
        # In the order they were written: a clock may be set back.
        "WHERE connector = ? ORDER BY rowid DESC LIMIT ?",
        (connector, limit),
    )
    return [ProbeStreak(*row) for row in rows]
