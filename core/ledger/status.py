"""What was noticed: probes of the connectors, and how the interfaces are doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.ledger.records import DAY, Inbound, ProbeStreak, day_of
from core.ledger.store import Connection, Stored, reads, writes

if TYPE_CHECKING:
    from core.reports import ChecksDay

# A check speaks for the time until the next one, and no longer than this: nobody looked.
HOLDS_SECONDS = 2 * 3600.0


class Status(Stored):
    """What the bot and the probes report, each with since when."""

    @writes()
    def probed(
        self,
        db: Connection,
        connector: str,
        verdict: str,
        reason: str | None,
        latency_ms: float | None,
    ) -> None:
        """Write what a probe found: lengthen the connector's current streak, or begin another."""
        last = "(SELECT max(id) FROM probes WHERE connector = :connector)"
        row = {
            "connector": connector,
            "verdict": verdict,
            "reason": reason,
            "latency_ms": latency_ms,
            "now": db.now(),
        }
        # Of two that write at once, the second finds what the first has written.
        before = db.execute(
            f"UPDATE probes SET at = at WHERE id = {last} RETURNING verdict, at", row
        ).fetchone()
        if before is not None:
            held, since = before
            _held(db, connector, held, since, min(row["now"], since + HOLDS_SECONDS))
        same = db.execute(
            f"UPDATE probes SET at = :now, latency_ms = :latency_ms WHERE id = {last} "
            "AND verdict = :verdict AND reason IS NOT DISTINCT FROM :reason",
            row,
        )
        if same.rowcount == 0:
            db.execute(
                "INSERT INTO probes (connector, verdict, reason, since, at, latency_ms) "
                "VALUES (:connector, :verdict, :reason, :now, :now, :latency_ms)",
                row,
            )

    @reads
    def probes(self, db: Connection, connector: str, limit: int = 1) -> list[ProbeStreak]:
        """A connector's verdicts, latest first, each with since when."""
        rows = db.execute(
            "SELECT connector, verdict, reason, since, at, latency_ms FROM probes "
            # In the order they were written: a clock may be set back.
            "WHERE connector = :connector ORDER BY id DESC LIMIT :limit",
            {"connector": connector, "limit": limit},
        )
        return [ProbeStreak(*row) for row in rows]

    @reads
    def checks_by_day(self, db: Connection, connector: str, days: int) -> list[ChecksDay]:
        """How long which verdict held on each of the last `days` UTC days, today included.

        The earliest first. A day of which nothing is known has no verdicts.
        """
        from core.reports import ChecksDay

        first = int(db.now() // DAY - days + 1) * DAY
        seconds: dict[int, dict[str, float]] = {first + n * DAY: {} for n in range(days)}
        rows = db.execute(
            "SELECT start, verdict, seconds FROM checks "
            "WHERE connector = :connector AND start >= :first ORDER BY start, verdict",
            {"connector": connector, "first": first},
        )
        for start, verdict, held in rows:
            seconds.setdefault(start, {})[verdict] = round(held, 1)
        return [ChecksDay(day_of(start), held) for start, held in seconds.items()]

    @reads
    def note(self, db: Connection, name: str) -> str | None:
        """Read what the bots leave for one another under a name."""
        row = db.execute("SELECT value FROM meta WHERE name = :name", {"name": name}).fetchone()
        return row and str(row[0])

    @writes(durable=True)
    def replace_note(self, db: Connection, name: str, old: str | None, new: str) -> bool:
        """Write it in place of what was read; False where another was quicker."""
        args = {"name": name, "old": old, "new": new}
        if old is None:
            db.execute(
                "INSERT INTO meta (name, value) VALUES (:name, :new) ON CONFLICT (name) DO NOTHING",
                args,
            )
        else:
            db.execute("UPDATE meta SET value = :new WHERE name = :name AND value = :old", args)
        row = db.execute("SELECT value FROM meta WHERE name = :name", args).fetchone()
        return row is not None and row[0] == new

    @writes()
    def inbound(
        self,
        db: Connection,
        surface: str,
        *,
        ok: bool,
        verdict: str,
        fix: str | None = None,
    ) -> None:
        """Write how an interface is doing, since when by the same bot and in the same words."""
        db.execute(
            "INSERT INTO inbound (surface, owner, ok, verdict, fix, since, at) "
            "VALUES (:surface, :owner, :ok, :verdict, :fix, :now, :now) "
            "ON CONFLICT (surface, owner) DO UPDATE SET "
            "since = CASE WHEN inbound.verdict = :verdict "
            "AND inbound.fix IS NOT DISTINCT FROM :fix THEN inbound.since ELSE :now END, "
            "ok = :ok, verdict = :verdict, fix = :fix, at = :now",
            {
                "surface": surface,
                "owner": self.store.owner(),
                "ok": ok,
                "verdict": verdict,
                "fix": fix,
                "now": db.now(),
            },
        )

    @reads
    def inbounds(self, db: Connection) -> list[Inbound]:
        """How each interface of each bot is doing: who does it for all first, then the latest.

        Of an interface that no bot has any more, only the last bot's word.
        """
        now = db.now()
        rows = db.execute(
            "SELECT surface, ok, verdict, fix, since, at, owner FROM inbound "
            "ORDER BY surface, (SELECT count(*) FROM leases WHERE leases.owner = inbound.owner "
            "AND leases.until > :now AND leases.name LIKE inbound.surface || :more) DESC, "
            "at DESC, owner",
            {"now": now, "more": " %"},
        ).fetchall()
        dead = self.store.dead(db, {row[-1] for row in rows})
        said = [
            Inbound(surface, bool(ok), verdict, fix, since, at, now - at, owner not in dead)
            for surface, ok, verdict, fix, since, at, owner in rows
        ]
        latest = {each.surface: each for each in reversed(said)}
        lived = {each.surface for each in said if each.alive}
        return [
            each
            for each in said
            if each.alive or (each.surface not in lived and each is latest[each.surface])
        ]


def _held(db: Connection, connector: str, verdict: str, since: float, until: float) -> None:
    """Count that a verdict held so long, on each day for itself."""
    while since < until:
        start = int(since // DAY) * DAY
        end = min(until, start + DAY)
        db.execute(
            "INSERT INTO checks (connector, start, verdict, seconds) "
            "VALUES (:connector, :start, :verdict, :seconds) "
            "ON CONFLICT (connector, start, verdict) "
            "DO UPDATE SET seconds = checks.seconds + :seconds",
            {"connector": connector, "start": start, "verdict": verdict, "seconds": end - since},
        )
        since = end
