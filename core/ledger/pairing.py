"""One-time codes, and who was paired with one."""

from core.errors import NotFound
from core.ledger.audit import LEVQOR, Audit, State
from core.ledger.store import PATIENCE, Connection, digest, random_code, reads

PAIR_SECONDS = 600.0
# A flood of codes would make guessing easier; older ones give way.
_PENDING = 10


class Pairing(Audit):
    """Who is paired on an interface."""

    def pair_code(self, surface: str, *, by: str = LEVQOR) -> tuple[str, float]:
        """Make a one-time code; (code, when it expires in seconds since 1970)."""
        code, expires = random_code(8), 0.0

        def work(db: Connection) -> tuple[State, State]:
            nonlocal expires
            now = db.now()
            expires = now + PAIR_SECONDS
            db.execute("DELETE FROM pairings WHERE expires_at <= :now", {"now": now})
            db.execute(
                "INSERT INTO pairings (surface, hash, expires_at) "
                "VALUES (:surface, :hash, :expires)",
                {"surface": surface, "hash": digest(code), "expires": expires},
            )
            db.execute(
                "DELETE FROM pairings WHERE surface = :surface AND hash NOT IN (SELECT hash "
                "FROM pairings WHERE surface = :surface ORDER BY expires_at DESC LIMIT :most)",
                {"surface": surface, "most": _PENDING},
            )
            return None, {"code": "made"}

        self._audited(by, "pair code", surface, work)
        return code, expires

    def redeem(self, surface: str, ident: str, code: str, *, patience: float = PATIENCE) -> bool:
        """Pair a caller with a code, which is used up; False where it is wrong, used or late."""
        caller = f"{surface}:{ident}"

        def work(db: Connection) -> tuple[State, State]:
            now = db.now()
            used = db.execute(
                "DELETE FROM pairings WHERE surface = :surface AND hash = :hash "
                "AND expires_at > :now",
                {"surface": surface, "hash": digest(code.strip().lower()), "now": now},
            )
            if used.rowcount != 1:
                return None, None
            db.execute(
                "INSERT INTO callers (caller, first_seen, last_seen, paired_at) "
                "VALUES (:caller, :now, :now, :now) "
                "ON CONFLICT (caller) DO UPDATE SET paired_at = :now",
                {"caller": caller, "now": now},
            )
            return None, {"paired": True}

        return self._audited(caller, "pair", caller, work, patience=patience)

    def unpair(self, caller: str, *, by: str = LEVQOR) -> None:
        """Take a pairing back. Raises NotFound where the caller is not paired."""

        def work(db: Connection) -> tuple[State, State]:
            paired = db.execute(
                "UPDATE callers SET paired_at = NULL "
                "WHERE caller = :caller AND paired_at IS NOT NULL",
                {"caller": caller},
            )
            if paired.rowcount != 1:
                fix = "This lists who is: levqor callers"
                raise NotFound("That caller is not paired.", fix=fix)
            return {"paired": True}, {"paired": False}

        self._audited(by, "unpair", caller, work)

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
