"""Answers that are no run's: whom they are owed, and of which kind they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.ledger.records import Owed
from core.ledger.runs import ANSWER_SECONDS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable


def owe(db: sqlite3.Connection, one: Owed, surface: str, owner: str, now: float) -> None:
    """Write down that somebody waits for an answer."""
    db.execute(
        "INSERT OR REPLACE INTO owed (key, surface, kind, reply_to, at, owner) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (one.key, surface, one.kind, one.reply_to, now, owner),
    )


def answered(db: sqlite3.Connection, key: str) -> None:
    """Forget it, for it was given."""
    db.execute("DELETE FROM owed WHERE key = ?", (key,))


def claim(
    db: sqlite3.Connection, surface: str, owner: str, alive: Callable[[str], bool], now: float
) -> list[Owed]:
    """Take over what dead processes owed."""
    rows = db.execute(
        "SELECT key, kind, reply_to, owner FROM owed WHERE surface = ? AND at >= ? ORDER BY at",
        (surface, now - ANSWER_SECONDS),
    ).fetchall()
    dead = {name for name in {row[-1] for row in rows} if name != owner and not alive(name)}
    claimed = [Owed(*row[:-1]) for row in rows if row[-1] in dead]
    db.executemany("UPDATE owed SET owner = ? WHERE key = ?", [(owner, o.key) for o in claimed])
    return claimed


def forget_old(db: sqlite3.Connection, now: float) -> int:
    """Forget what nobody waits for any more; returns how many are left."""
    db.execute("DELETE FROM owed WHERE at < ?", (now - ANSWER_SECONDS,))
    return int(db.execute("SELECT count(*) FROM owed").fetchone()[0])
