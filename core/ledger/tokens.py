"""HTTP tokens, of which only the hash is kept."""

import secrets
from collections.abc import Callable

from core.callers import ADDRESSED_SURFACE, LABEL, LABEL_SHAPE, os_user
from core.contract import nearest
from core.errors import Fault, InvalidInput, NotFound
from core.ledger.accept import forget_keys
from core.ledger.audit import State
from core.ledger.membership import named, set_plan
from core.ledger.people import People
from core.ledger.records import Token
from core.ledger.sessions import end_sessions
from core.ledger.standing import TOKENS, TOKENS_AND_PLANS, standing
from core.ledger.store import Connection, digest, reads, writes
from core.scopes import DEFAULT, EVERYTHING, Scope

# It is written that a token was used at most this often.
USED_SECONDS = 60.0
_MAKE = (
    "INSERT INTO tokens (label, hash, admin, scope, per_hour, expires_at, created_at) "
    "VALUES (:label, :hash, :admin, :scope, :per_hour, :expires_at, :now) "
    "ON CONFLICT (label) DO UPDATE SET hash = :hash, admin = :admin, scope = :scope, "
    "per_hour = :per_hour, expires_at = :expires_at, created_at = :now, revoked_at = NULL, "
    "used_at = NULL, old_hash = NULL, old_until = NULL WHERE tokens.revoked_at IS NOT NULL"
)


class Tokens(People):
    """Who has a token, and what it may do. `by` is who changes it, as the audit names them."""

    def token_new(
        self,
        label: str,
        *,
        plan: str | None = None,
        admin: bool = False,
        scope: Scope | None = None,
        per_hour: int | None = None,
        expires: float | None = None,
        by: str | None = None,
    ) -> str:
        """Make a token; only its hash is kept, so this is the one time it can be read.

        It sends every action, or what `scope` says, `per_hour` at most, for `expires` seconds; an
        admin's may do everything. Raises InvalidInput for a label that is taken or not
        `[a-z][a-z0-9-]*`, and for a target that is not there.
        """
        if not LABEL.fullmatch(label):
            message = f"'{label[:40]}' cannot be a token's label." if label.isprintable() else None
            raise InvalidInput([Fault("label", LABEL_SHAPE)], message)
        if admin and scope is not None:
            raise _unlimited(label)
        token, caller = _secret(label), f"{ADDRESSED_SURFACE}:{label}"
        scope = scope or (EVERYTHING if admin else DEFAULT)

        def work(db: Connection) -> tuple[None, State]:
            now = db.now()
            _check_targets(db, scope)
            named(db, caller)
            row = {"label": label, "hash": digest(token), "admin": int(admin), "now": now}
            more = {"scope": str(scope), "per_hour": per_hour}
            row |= {**more, "expires_at": None if expires is None else now + expires}
            if db.execute(_MAKE, row).rowcount != 1:
                raise InvalidInput(
                    [Fault("label", "is taken")],
                    f"There is a token '{label}' already.",
                    fix=f"Choose another label, or first: levqor token revoke {label}",
                )
            # What another token of this label was told is not this one's to hear.
            forget_keys(db, caller)
            end_sessions(db, caller)
            if plan is not None or standing(db, caller).person is None:
                set_plan(db, caller, plan)
            return None, {**_state(db, label), "plan": plan}

        self._audited(_who(by), "token new", label, work)
        return token

    def token_rotate(
        self,
        label: str,
        *,
        overlap: float = 0.0,
        by: str | None = None,
        secret: str | None = None,
    ) -> str:
        """Give a token another secret; the one it had works for `overlap` seconds more.

        Its sessions end with that. Any older one ends at once. Raises NotFound, and InvalidInput
        where `secret` is given, the `Token.secret` that somebody saw, and it has another by now.
        """
        token = _secret(label)

        def change(db: Connection, now: float) -> None:
            if secret is not None and secret != _live(db, label).secret:
                raise InvalidInput(
                    message=f"The token {label} has a new secret already; nothing was changed.",
                    fix="Whoever made that one has it. To make another, open the page again.",
                )
            db.execute(
                "UPDATE tokens SET old_hash = hash, old_until = :until, hash = :hash "
                "WHERE label = :label",
                {"label": label, "hash": digest(token), "until": now + overlap},
            )
            # Whoever had the old secret may be signed in by it.
            caller = f"{ADDRESSED_SURFACE}:{label}"
            end_sessions(db, caller, now + overlap if overlap else None)

        self._token_change("token rotate", label, change, by)
        return token

    def token_set(
        self,
        label: str,
        *,
        scope: Scope | None = None,
        by: str | None = None,
        **changes: float | None,
    ) -> None:
        """Change a token's scope, `per_hour`, or `expires`, in seconds from now; None: no limit.

        Raises NotFound, InvalidInput for a target that is not there or an admin's scope.
        """

        def change(db: Connection, now: float) -> None:
            values: dict[str, object] = {}
            if scope is not None:
                if _live(db, label).admin:
                    raise _unlimited(label)
                _check_targets(db, scope)
                values["scope"] = str(scope)
            if "per_hour" in changes:
                values["per_hour"] = changes["per_hour"]
            if "expires" in changes:
                seconds = changes["expires"]
                values["expires_at"] = None if seconds is None else now + seconds
            for column, value in values.items():
                db.execute(
                    f"UPDATE tokens SET {column} = :value WHERE label = :label",
                    {"value": value, "label": label},
                )

        self._token_change("token set", label, change, by)

    def token_revoke(self, label: str, *, by: str | None = None) -> None:
        """End a token at once. Raises NotFound where there is none by that label."""

        def change(db: Connection, now: float) -> None:
            db.execute(
                "UPDATE tokens SET revoked_at = :now WHERE label = :label",
                {"label": label, "now": now},
            )
            end_sessions(db, f"{ADDRESSED_SURFACE}:{label}")

        self._token_change("token revoke", label, change, by)

    def _token_change(
        self, what: str, label: str, change: Callable[[Connection, float], None], by: str | None
    ) -> None:
        def work(db: Connection) -> tuple[State, State]:
            # Its runs are accepted before this, or after: never with half of it.
            named(db, f"{ADDRESSED_SURFACE}:{label}")
            _live(db, label)
            before = _state(db, label)
            change(db, db.now())
            return before, _state(db, label)

        self._audited(_who(by), what, label, work)

    @writes()
    def token_used(self, db: Connection, label: str) -> None:
        """Write that a token was used just now, where that was not written a moment ago."""
        now = db.now()
        db.execute(
            "UPDATE tokens SET used_at = :now WHERE label = :label "
            "AND (used_at IS NULL OR used_at < :before OR used_at > :now)",
            {"label": label, "now": now, "before": now - USED_SECONDS},
        )

    @reads
    def tokens(self, db: Connection) -> list[Token]:
        """Every token without the token, revoked ones too, newest first."""
        sql, begins = f"{TOKENS_AND_PLANS} ORDER BY created_at DESC", f"{ADDRESSED_SURFACE}:"
        rows = db.execute(sql, {"begins": begins})
        return [Token.of((*row, plan or self.default_plan)) for *row, plan in rows]


def _who(by: str | None) -> str:
    return by or f"cli:{os_user()}"


def _secret(label: str) -> str:
    return f"lvq_{label}_{secrets.token_urlsafe(32)}"


def _unlimited(label: str) -> InvalidInput:
    return InvalidInput(
        [Fault("only", "cannot be given to an admin's token, which may do everything")],
        f"The token {label} is an admin's.",
        fix="Make one without --admin under another label, and give that to the program.",
    )


def _live(db: Connection, label: str) -> Token:
    """A token that is not revoked, its row locked; raises NotFound."""
    db.execute("UPDATE tokens SET label = label WHERE label = :label", {"label": label})
    row = db.execute(f"{TOKENS} WHERE label = :label", {"label": label}).fetchone()
    if row is None or (token := Token.of(row)).revoked_at is not None:
        raise NotFound("There is no such token.", fix="See them with: levqor token list")
    return token


def _state(db: Connection, label: str) -> dict[str, object]:
    """What the audit keeps of a token."""
    row = db.execute(f"{TOKENS} WHERE label = :label", {"label": label}).fetchone()
    token = Token.of(row)
    kept = ("admin", "scope", "per_hour", "expires_at", "old_until", "revoked_at")
    return {name: getattr(token, name) for name in kept}


def _check_targets(db: Connection, scope: Scope) -> None:
    """Raise InvalidInput for a target that is not there, with the nearest."""
    faults = []
    for action, target in scope.destinations():
        rows = db.execute("SELECT name FROM targets WHERE action = :action", {"action": action})
        names = [name for (name,) in rows]
        if target not in names:
            near = nearest(target, names)
            meant = f": did you mean {action}@{near}?" if near else ""
            faults.append(Fault("only", f"{action} has no target {target}{meant}"))
    if faults:
        raise InvalidInput(faults, fix="See the targets with: levqor target list")
