"""Which bots run on this database, and what one of them does for all."""

import contextlib
import json
import os
import socket
from collections.abc import Mapping

from core import __version__
from core.errors import LedgerError
from core.home import SHARED
from core.ledger.records import BotRecord
from core.ledger.store import PATIENCE, Connection, Stored, reads, writes

# A process that holds a lock of the operating system needs no lease.
_FOR_EVER = 1e15


class Bots(Stored):
    """The bots that live, their leases, and the presses that one leaves to another."""

    def announce(self, settings: Mapping[str, str]) -> None:
        """Say that this process is a bot; `settings` has a digest of each setting's value."""
        if self.store.shared:
            with contextlib.suppress(OSError):
                self.store.files.with_name(SHARED).touch(mode=0o600)
        row = {
            "owner": self.store.owner(),
            "label": f"{socket.gethostname()}:{os.getpid()}",
            "version": __version__,
            "settings": json.dumps(settings),
            "until": _FOR_EVER,
        }

        def announce(db: Connection) -> None:
            db.execute(
                "INSERT INTO bots (owner, label, version, settings, since, held, until, dead) "
                "VALUES (:owner, :label, :version, :settings, :now, :now, :until, 0) "
                "ON CONFLICT (owner) DO UPDATE "
                "SET label = :label, version = :version, settings = :settings",
                {**row, "now": db.now()},
            )
            if not self.store.shared:
                # No lease of theirs ends, by which they would be deleted.
                owners = [each for (each,) in db.execute("SELECT owner FROM bots").fetchall()]
                for owner in self.store.dead(db, owners):
                    db.execute("DELETE FROM bots WHERE owner = :owner", {"owner": owner})

        self.store.write(announce)

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
            BotRecord(
                owner, label, version, since, json.loads(settings), tuple(leases.get(owner, ()))
            )
            for owner, label, version, since, settings in rows
            if owner not in dead
        ]

    def others(self) -> list[BotRecord]:
        """Every other bot that runs."""
        me = self.store.owner()
        return [bot for bot in self.bots() if bot.owner != me]

    def sharing(self, setting: str) -> int:
        """How many other bots have the same value of a setting as this one."""
        me, bots = self.store.owner(), self.bots()
        mine = [bot.settings.get(setting) for bot in bots if bot.owner == me]
        return sum(bot.settings.get(setting) in mine for bot in bots if bot.owner != me)

    @reads
    def check_lease(self, db: Connection) -> None:
        """Raise LedgerError where this process may own no runs now."""
        mine = {"me": self.store.owner(), "now": db.now()}
        sql = "SELECT 1 FROM bots WHERE owner = :me AND (dead = 1 OR until <= :now)"
        if db.execute(sql, mine).fetchone():
            raise LedgerError(
                "This bot was not heard of for too long, and may take no runs.",
                fix="Wait a moment: it goes on by itself.",
                reason="ledger_lease",
            )

    def lease(self, name: str, seconds: float) -> int | None:
        """Take or keep a lease; its term, which each new holder counts up.

        None where another holds it, who has not let it end and is not dead.
        """
        me = self.store.owner()

        def held(db: Connection) -> tuple[int | None, bool]:
            """The term where it is ours, and whether there is anything to write."""
            owner, term, left = self._holder(db, name)
            if owner == me:
                return term, left < seconds * 2 / 3
            return None, left <= 0

        # A read waits for no writer, nor for room on the disk.
        term, due = self.store.read(held)
        if not due:
            return term
        patience = min(PATIENCE, seconds / 3)
        return self.store.write(lambda db: self._lease(db, name, seconds), patience=patience)

    def _holder(self, db: Connection, name: str) -> tuple[str, int, float]:
        """Who has a lease, in which term, and for how many seconds; none where they are dead."""
        row = db.execute("SELECT owner, term, until FROM leases WHERE name = :name", {"name": name})
        owner, term, until = row.fetchone() or ("", 0, 0.0)
        gone = owner and self.store.dead(db, [owner])
        return owner, term, 0.0 if gone else until - db.now()

    def _lease(self, db: Connection, name: str, seconds: float) -> int | None:
        me, now = self.store.owner(), db.now()
        owner, _, left = self._holder(db, name)
        if self.store.dead(db, [me]):
            return None
        row = db.execute(
            "INSERT INTO leases (name, owner, term, until) VALUES (:name, :me, 1, :until) "
            "ON CONFLICT (name) DO UPDATE SET owner = :me, until = :until, "
            "term = leases.term + CASE WHEN leases.owner = :me THEN 0 ELSE 1 END "
            "WHERE leases.owner = :me OR leases.owner = :gone OR leases.until <= :now "
            "RETURNING term",
            {
                "name": name,
                "me": me,
                "gone": owner if left <= 0 else "",
                "now": now,
                "until": now + seconds if self.store.shared else _FOR_EVER,
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
