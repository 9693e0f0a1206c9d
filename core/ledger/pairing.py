"""One-time codes, and who was paired with one."""

from core.errors import NotFound
from core.ledger.store import PATIENCE, Connection, Stored, digest, random_code, reads, writes

PAIR_SECONDS = 600.0
# A flood of codes would make guessing easier; older ones give way.
_PENDING = 10


class Pairing(Stored):
    """Who is paired on an interface."""

    @writes(durable=True)
    def pair_code(self, db: Connection, surface: str) -> tuple[str, float]:
        """Make a one-time code; (code, when it expires in seconds since 1970)."""
        now = db.now()
        code, expires = random_code(8), now + PAIR_SECONDS
        db.execute("DELETE FROM pairings WHERE expires_at <= :now", {"now": now})
        db.execute(
            "INSERT INTO pairings (surface, hash, expires_at) VALUES (:surface, :hash, :expires)",
            {"surface": surface, "hash": digest(code), "expires": expires},
        )
        db.execute(
            "DELETE FROM pairings WHERE surface = :surface AND hash NOT IN (SELECT hash "
            "FROM pairings WHERE surface = :surface ORDER BY expires_at DESC LIMIT :most)",
            {"surface": surface, "most": _PENDING},
        )
        return code, expires

    def redeem(self, surface: str, ident: str, code: str, *, patience: float = PATIENCE) -> bool:
        """Pair a caller with a code, which is used up; False where it is wrong, used or late."""
        caller, used_up = f"{surface}:{ident}", False

        def work(db: Connection) -> bool:
            nonlocal used_up
            now = db.now()
            used = db.execute(
                "DELETE FROM pairings WHERE surface = :surface AND hash = :hash "
                "AND expires_at > :now",
                {"surface": surface, "hash": digest(code.strip().lower()), "now": now},
            )
            # Where the answer to a COMMIT was lost, this runs again and finds it used.
            used_up = used_up or used.rowcount == 1
            if used_up:
                db.execute(
                    "INSERT INTO callers (caller, first_seen, last_seen, paired_at) "
                    "VALUES (:caller, :now, :now, :now) "
                    "ON CONFLICT (caller) DO UPDATE SET paired_at = :now",
                    {"caller": caller, "now": now},
                )
            return used_up

        return self.store.write(work, durable=True, patience=patience)

    def unpair(self, caller: str) -> None:
        """Take a pairing back. Raises NotFound where the caller is not paired."""
        sql = "UPDATE callers SET paired_at = NULL WHERE caller = :key AND paired_at IS NOT NULL"
        if not self._changed(sql, caller):
            raise NotFound("That caller is not paired.", fix="This lists who is: levqor callers")

    @reads
    def paired(self, db: Connection, surface: str) -> list[str]:
        """The ids paired on a surface."""
        prefix = f"{surface}:"
        rows = db.execute(
            "SELECT caller FROM callers "
            "WHERE paired_at IS NOT NULL AND substr(caller, 1, :length) = :prefix",
            {"length": len(prefix), "prefix": prefix},
        )
        return [row[0].removeprefix(prefix) for row in rows]
