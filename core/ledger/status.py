"""What was noticed: probes of the connectors, and how the ways in are doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.ledger.records import Inbound, ProbeStreak

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable


def probed(
    db: sqlite3.Connection,
    connector: str,
    verdict: str,
    reason: str | None,
    latency_ms: float | None,
    now: float,
) -> None:
    """Lengthen the connector's current stretch, or begin another."""
    last = stretches(db, connector, limit=1)
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


def stretches(db: sqlite3.Connection, connector: str, limit: int) -> list[ProbeStreak]:
    """A connector's verdicts, latest first."""
    rows = db.execute(
        "SELECT connector, verdict, reason, since, at, latency_ms FROM probes "
        # In the order they were written: a clock may be set back.
        "WHERE connector = ? ORDER BY rowid DESC LIMIT ?",
        (connector, limit),
    )
    return [ProbeStreak(*row) for row in rows]


def inbound(
    db: sqlite3.Connection,
    surface: str,
    *,
    ok: bool,
    verdict: str,
    fix: str | None,
    owner: str,
    now: float,
) -> None:
    """Write how a way in is doing; `since` stays while it is the same bot and the same words."""
    db.execute(
        "INSERT INTO inbound (surface, ok, verdict, fix, since, at, owner) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6) ON CONFLICT (surface) DO UPDATE SET "
        "since = CASE WHEN verdict = ?3 AND fix IS ?4 AND owner = ?6 THEN since ELSE ?5 END, "
        "ok = ?2, verdict = ?3, fix = ?4, at = ?5, owner = ?6",
        (surface, ok, verdict, fix, now, owner),
    )


def inbounds(db: sqlite3.Connection, alive: Callable[[str], bool]) -> list[Inbound]:
    """Every way in that a bot on this home has reported, by name."""
    rows = db.execute(
        "SELECT surface, ok, verdict, fix, since, at, owner FROM inbound ORDER BY surface"
    ).fetchall()
    return [
        Inbound(surface, bool(ok), verdict, fix, since, at, alive(owner))
        for surface, ok, verdict, fix, since, at, owner in rows
    ]


def gone(db: sqlite3.Connection, owner: str) -> None:
    """Forget the ways in of a bot that stops."""
    db.execute("DELETE FROM inbound WHERE owner = ?", (owner,))


def prune(db: sqlite3.Connection, before: float) -> None:
    """Forget stretches that ended before."""
    db.execute("DELETE FROM probes WHERE at < ?", (before,))
