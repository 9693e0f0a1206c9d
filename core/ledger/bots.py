"""Which bots run on this database, and what one of them does for all."""

import json
import os
import socket
from collections.abc import Mapping

from core import __version__
from core.ledger.records import BotRecord
from core.ledger.store import Connection, Stored, reads, writes

# A process that holds a lock of the operating system needs no lease.
_FOR_EVER = 1e15


class Bots(Stored):
    """The bots that live, their leases, and the presses that one leaves to another."""

    def announce(self, settings: Mapping[str, str]) -> None:
        """Say that this process is a bot; `settings` has a digest of each setting's value."""
        row = {
            "owner": self.store.owner(),
            "label": f"{socket.gethostname()}:{os.getpid()}",
            "version": __version__,
            "settings": json.dumps(settings),
            "until": _FOR_EVER,
        }
        self.store.write(
            lambda db: db.execute(
                "INSERT INTO bots (owner, label, version, settings, since, held, until, dead) "
                "VALUES (:owner, :label, :version, :settings, :now, :now, :until, 0) "
                "ON CONFLICT (owner) DO UPDATE "
                "SET label = :label, version = :version, settings = :settings",
                {**row, "now": db.now()},
            )
        )

    @reads
    def bots(self, db: Connection) -> list[BotRecord]:
        """Every bot that runs, the oldest first."""
        rows = db.execute(
            "SELECT owner, label, version, since, settings FROM bots "
            "WHERE label IS NOT NULL AND dead = 0 AND until > :now ORDER BY since, owner",
            {"now": db.now()},
        ).fetchall()
        dead = self.store.dead(db, [row[0] for row in rows])
        leases: dict[str, list[str]] = {}
        held = "SELECT owner, name FROM leases WHERE until > :now ORDER BY name"
        for owner, name in db.execute(held, {"now": db.now()}):
            leases.setdefault(owner, []).append(name)
        return [
            BotRecord(label, version, since, json.loads(settings), tuple(leases.get(owner, ())))
            for owner, label, version, since, settings in rows
            if owner not in dead
        ]

    @writes()
    def lease(self, db: Connection, name: str, seconds: float) -> int | None:
        """Take or keep a lease; its term, which each new holder counts up.

        None where another holds it, who has not let it end and is not dead.
        """
        now = db.now()
        held = db.execute("SELECT owner FROM leases WHERE name = :name", {"name": name}).fetchone()
        gone = held and held[0] in self.store.dead(db, [held[0]])
        row = db.execute(
            "INSERT INTO leases (name, owner, term, until) VALUES (:name, :me, 1, :until) "
            "ON CONFLICT (name) DO UPDATE SET owner = :me, until = :until, "
            "term = leases.term + CASE WHEN leases.owner = :me THEN 0 ELSE 1 END "
            "WHERE leases.owner = :me OR leases.owner = :gone OR leases.until <= :now "
            "RETURNING term",
            {
                "name": name,
                "me": self.store.owner(),
                "gone": held[0] if gone else "",
                "now": now,
                "until": now + seconds,
            },
        ).fetchone()
        return None if row is None else int(row[0])

    @writes()
    def release(self, db: Connection, name: str) -> None:
        """Let a lease go, so that another may have it at once."""
        db.execute(
            "UPDATE leases SET until = 0 WHERE name = :name AND owner = :owner",
            {"name": name, "owner": self.store.owner()},
        )
