"""Callers, plans, tokens and pairing."""

import hashlib
import hmac
import secrets
from typing import Any

from core.callers import ADDRESSED_SURFACE, LABEL, is_address
from core.errors import Fault, InvalidInput, NotFound
from core.ledger.records import Person, Token
from core.ledger.store import PATIENCE, Connection, Stored, reads, writes

PAIR_SECONDS = 600.0
# Codes are read aloud and typed: no letters that look like others.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
# A flood of codes would make guessing easier; older ones give way.
_PENDING = 10


def random_code(length: int) -> str:
    """A random word of letters that cannot be mistaken for one another."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


class People(Stored):
    """Who was seen, who is on which plan, who has a token, who is paired.

    `default_plan` is that of every caller whom nobody has put on a plan, now and later.
    """

    default_plan = "free"

    @reads
    def plan(self, db: Connection, caller: str) -> str:
        """`free` or `pro`."""
        return self._plan(db, caller)

    def _plan(self, db: Connection, caller: str) -> str:
        sql = "SELECT plan FROM callers WHERE caller = :caller"
        row = db.execute(sql, {"caller": caller}).fetchone()
        return (row and row[0]) or self._begins_on(caller)

    def _begins_on(self, caller: str) -> str:
        """The plan of a caller whom nobody has put on one; an address's is always the free one."""
        return "free" if is_address(caller) else self.default_plan

    @writes(durable=True)
    def set_plan(self, db: Connection, caller: str, plan: str) -> None:
        """Put a caller, known already or not, on a plan."""
        _set_plan(db, caller, plan)

    @reads
    def callers(self, db: Connection) -> list[Person]:
        """Everybody who was ever seen, latest first."""
        rows = db.execute(
            "SELECT caller, plan, first_seen, last_seen, paired_at FROM callers "
            "ORDER BY last_seen DESC"
        )
        return [Person(row[0], row[1] or self._begins_on(row[0]), *row[2:]) for row in rows]

    def token_new(self, label: str, *, plan: str | None = None, admin: bool = False) -> str:
        """Make a token; only its hash is kept, so this is the one time it can be read.

        Raises InvalidInput for a label that is taken or not `[a-z][a-z0-9-]*`.
        """
        if not LABEL.fullmatch(label):
            shape = "must be small letters, digits and dashes, a letter first, at most 40"
            message = f"'{label[:40]}' cannot be a token's label." if label.isprintable() else None
            raise InvalidInput([Fault("label", shape)], message)
        token = f"lvq_{label}_{secrets.token_urlsafe(32)}"
        self._token_new(label, _digest(token), plan, admin=admin)
        return token

    @writes(durable=True)
    def _token_new(
        self, db: Connection, label: str, digest: bytes, plan: str | None, *, admin: bool
    ) -> None:
        made = db.execute(
            "INSERT INTO tokens (label, hash, admin, created_at) "
            "VALUES (:label, :hash, :admin, :now) ON CONFLICT (label) DO UPDATE "
            "SET hash = :hash, admin = :admin, created_at = :now, revoked_at = NULL "
            "WHERE tokens.revoked_at IS NOT NULL OR tokens.hash = :hash",
            {"label": label, "hash": digest, "admin": admin, "now": db.now()},
        )
        if made.rowcount != 1:
            raise InvalidInput(
                [Fault("label", "is taken")],
                f"There is a token '{label}' already.",
                fix=f"Choose another label, or first: levqor token revoke {label}",
            )
        _set_plan(db, f"{ADDRESSED_SURFACE}:{label}", plan)

    @reads
    def tokens(self, db: Connection) -> list[Token]:
        """Every token without the token, revoked ones too, newest first."""
        return [self._token(row) for row in db.execute(f"{_TOKENS} ORDER BY created_at DESC")]

    def _token(self, row: tuple[Any, ...]) -> Token:
        label, plan, admin, created_at, revoked_at, _ = row
        plan = plan or self._begins_on(f"{ADDRESSED_SURFACE}:{label}")
        return Token(label, plan, bool(admin), created_at, revoked_at)

    def token_revoke(self, label: str) -> None:
        """End a token at once. Raises NotFound where there is none by that label."""
        sql = "UPDATE tokens SET revoked_at = :now WHERE label = :key AND revoked_at IS NULL"
        if not self._changed(sql, label):
            raise NotFound("There is no such token.", fix="See them with: levqor token list")

    @reads
    def token_check(self, db: Connection, token: str) -> Token | None:
        """Whose token this is; None where it is nobody's or revoked."""
        parts = token.split("_", 2)
        label = parts[1] if len(parts) == 3 else ""
        row = db.execute(f"{_TOKENS} WHERE label = :label", {"label": label}).fetchone()
        good = hmac.compare_digest(row[5] if row else b"\0" * 32, _digest(token))
        return self._token(row) if row and good and row[4] is None else None

    @writes(durable=True)
    def pair_code(self, db: Connection, surface: str) -> tuple[str, float]:
        """Make a one-time code; (code, when it expires in seconds since 1970)."""
        now = db.now()
        code, expires = random_code(8), now + PAIR_SECONDS
        db.execute("DELETE FROM pairings WHERE expires_at <= :now", {"now": now})
        db.execute(
            "INSERT INTO pairings (surface, hash, expires_at) VALUES (:surface, :hash, :expires)",
            {"surface": surface, "hash": _digest(code), "expires": expires},
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
                {"surface": surface, "hash": _digest(code.strip().lower()), "now": now},
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

    def _changed(self, sql: str, key: str) -> bool:
        """Whether a statement changed a row, now or in a try whose answer was lost."""
        changed: list[int] = []

        def work(db: Connection) -> bool:
            changed.append(db.execute(sql, {"key": key, "now": db.now()}).rowcount)
            return any(changed)

        return self.store.write(work, durable=True)

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


_TOKENS = (
    "SELECT label, plan, admin, created_at, revoked_at, hash FROM tokens "
    "JOIN callers ON caller = 'http:' || label"
)


def _set_plan(db: Connection, caller: str, plan: str | None) -> None:
    """Put a caller on a plan; on None, on whichever is the default."""
    db.execute(
        "INSERT INTO callers (caller, plan, first_seen, last_seen) "
        "VALUES (:caller, :plan, :now, :now) ON CONFLICT (caller) DO UPDATE SET plan = :plan",
        {"caller": caller, "plan": plan, "now": db.now()},
    )
