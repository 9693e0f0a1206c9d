"""HTTP tokens, of which only the hash is kept."""

import hmac
import secrets
from dataclasses import replace

from core.callers import ADDRESSED_SURFACE, LABEL
from core.errors import Fault, InvalidInput, NotFound
from core.ledger.membership import set_plan
from core.ledger.people import People
from core.ledger.records import Token
from core.ledger.standing import TOKENS, standing
from core.ledger.store import Connection, digest, reads, writes


class Tokens(People):
    """Who has a token."""

    def token_new(self, label: str, *, plan: str | None = None, admin: bool = False) -> str:
        """Make a token; only its hash is kept, so this is the one time it can be read.

        Raises InvalidInput for a label that is taken or not `[a-z][a-z0-9-]*`.
        """
        if not LABEL.fullmatch(label):
            shape = "must be small letters, digits and dashes, a letter first, at most 40"
            message = f"'{label[:40]}' cannot be a token's label." if label.isprintable() else None
            raise InvalidInput([Fault("label", shape)], message)
        token = f"lvq_{label}_{secrets.token_urlsafe(32)}"
        self._token_new(label, digest(token), plan, admin=admin)
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
        set_plan(db, f"{ADDRESSED_SURFACE}:{label}", plan)

    @reads
    def tokens(self, db: Connection) -> list[Token]:
        """Every token without the token, revoked ones too, newest first."""
        rows = db.execute(f"{TOKENS} ORDER BY created_at DESC")
        return [self._with_plan(db, Token.of(row)) for row in rows.fetchall()]

    def _with_plan(self, db: Connection, token: Token) -> Token:
        who = standing(db, f"{ADDRESSED_SURFACE}:{token.label}")
        return replace(token, plan=self._plan(who))

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
        row = db.execute(
            "SELECT hash FROM tokens WHERE label = :label", {"label": label}
        ).fetchone()
        good = hmac.compare_digest(row[0] if row else b"\0" * 32, digest(token))
        who = standing(db, f"{ADDRESSED_SURFACE}:{label}")
        if not good or who.token is None or who.token.revoked_at is not None:
            return None
        return replace(who.token, plan=self._plan(who))
