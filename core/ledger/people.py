"""Callers, plans, tokens and pairing."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Any

from core.callers import ADDRESSED_SURFACE, LABEL
from core.errors import Fault, InvalidInput, NotFound
from core.ledger.records import Person, Token

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

PLANS = ("free", "pro")
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


def plan(db: sqlite3.Connection, caller: str) -> str | None:
    """The plan somebody has put a caller on; None where nobody has."""
    row = db.execute("SELECT plan FROM callers WHERE caller = ?", (caller,)).fetchone()
    return row[0] if row else None


def set_plan(db: sqlite3.Connection, caller: str, plan: str | None, now: float) -> None:
    """Put a caller, known already or not, on a plan; on None, on whichever is the default."""
    db.execute(
        "INSERT INTO callers (caller, plan, first_seen, last_seen) VALUES (?1, ?2, ?3, ?3) "
        "ON CONFLICT (caller) DO UPDATE SET plan = ?2",
        (caller, plan, now),
    )


def people(db: sqlite3.Connection, begins_on: Callable[[str], str]) -> list[Person]:
    """Every caller seen, latest first."""
    rows = db.execute(
        "SELECT caller, plan, first_seen, last_seen, paired_at FROM callers ORDER BY last_seen DESC"
    )
    return [Person(row[0], row[1] or begins_on(row[0]), *row[2:]) for row in rows]


def token_new(
    db: sqlite3.Connection,
    label: str,
    plan: str | None,
    admin: bool,  # noqa: FBT001
    now: float,
) -> str:
    """Make a token; only its hash is kept, so this is the one time it can be read.

    Raises InvalidInput for a label that is taken or not `[a-z][a-z0-9-]*`.
    """
    if not LABEL.fullmatch(label):
        raise InvalidInput(
            [
                Fault(
                    "label", "must be small letters, digits and dashes, a letter first, at most 40"
                )
            ],
            f"'{label[:40]}' cannot be a token's label." if label.isprintable() else None,
        )
    taken = db.execute("SELECT revoked_at FROM tokens WHERE label = ?", (label,)).fetchone()
    if taken is not None and taken[0] is None:
        raise InvalidInput(
            [Fault("label", "is taken")],
            f"There is a token '{label}' already.",
            fix=f"Choose another label, or first: levqor token revoke {label}",
        )
    token = f"lvq_{label}_{secrets.token_urlsafe(32)}"
    db.execute(
        "INSERT OR REPLACE INTO tokens (label, hash, admin, created_at) VALUES (?, ?, ?, ?)",
        (label, _digest(token), admin, now),
    )
    set_plan(db, f"{ADDRESSED_SURFACE}:{label}", plan, now)
    return token


def tokens(db: sqlite3.Connection, begins_on: Callable[[str], str]) -> list[Token]:
    """Every token, revoked ones too, newest first."""
    rows = db.execute(
        "SELECT label, plan, admin, created_at, revoked_at FROM tokens "
        "JOIN callers ON caller = 'http:' || label ORDER BY created_at DESC"
    )
    return [_token(row, begins_on) for row in rows]


def _token(row: tuple[Any, ...], begins_on: Callable[[str], str]) -> Token:
    label, plan, admin, created_at, revoked_at = row
    plan = plan or begins_on(f"{ADDRESSED_SURFACE}:{label}")
    return Token(label, plan, bool(admin), created_at, revoked_at)


def token_revoke(db: sqlite3.Connection, label: str, now: float) -> None:
    """End a token at once. Raises NotFound where there is none by that label."""
    done = db.execute(
        "UPDATE tokens SET revoked_at = ? WHERE label = ? AND revoked_at IS NULL", (now, label)
    )
    if done.rowcount != 1:
        raise NotFound("There is no such token.", fix="See them with: levqor token list")


def token_check(
    db: sqlite3.Connection, token: str, begins_on: Callable[[str], str]
) -> Token | None:
    """Whose token this is; None where it is nobody's or revoked."""
    parts = token.split("_", 2)
    label = parts[1] if len(parts) == 3 else ""
    row = db.execute(
        "SELECT label, plan, admin, created_at, revoked_at, hash FROM tokens "
        "JOIN callers ON caller = 'http:' || label WHERE label = ?",
        (label,),
    ).fetchone()
    good = hmac.compare_digest(row[5] if row else b"\0" * 32, _digest(token))
    if row is None or not good or row[4] is not None:
        return None
    return _token(row[:5], begins_on)


def pair_code(db: sqlite3.Connection, surface: str, now: float) -> tuple[str, float]:
    """Make a one-time code; (code, when it expires)."""
    code, expires = random_code(8), now + PAIR_SECONDS
    db.execute("DELETE FROM pairings WHERE expires_at <= ?", (now,))
    db.execute("INSERT INTO pairings VALUES (?, ?, ?)", (surface, _digest(code), expires))
    db.execute(
        "DELETE FROM pairings WHERE surface = ?1 AND rowid NOT IN (SELECT rowid FROM pairings "
        "WHERE surface = ?1 ORDER BY expires_at DESC LIMIT ?2)",
        (surface, _PENDING),
    )
    return code, expires


def redeem(db: sqlite3.Connection, surface: str, ident: str, code: str, now: float) -> bool:
    """Pair a caller with a code; the code is used up. False where it is wrong or late."""
    used = db.execute(
        "DELETE FROM pairings WHERE surface = ? AND hash = ? AND expires_at > ?",
        (surface, _digest(code.strip().lower()), now),
    )
    if used.rowcount != 1:
        return False
    db.execute(
        "INSERT INTO callers (caller, first_seen, last_seen, paired_at) VALUES (?1, ?2, ?2, ?2) "
        "ON CONFLICT (caller) DO UPDATE SET paired_at = ?2",
        (f"{surface}:{ident}", now),
    )
    return True


def unpair(db: sqlite3.Connection, caller: str) -> None:
    """Take a pairing back. Raises NotFound where the caller is not paired."""
    done = db.execute(
        "UPDATE callers SET paired_at = NULL WHERE caller = ? AND paired_at IS NOT NULL", (caller,)
    )
    if done.rowcount != 1:
        raise NotFound("That caller is not paired.", fix="This lists who is: levqor callers")


def prune(db: sqlite3.Connection, before: float) -> None:
    """Forget strangers who were not seen since, and codes nobody used."""
    db.execute(
        "DELETE FROM callers WHERE last_seen < ? AND plan IS NULL AND paired_at IS NULL "
        "AND caller NOT IN (SELECT 'http:' || label FROM tokens)",
        (before,),
    )
    db.execute("DELETE FROM pairings WHERE expires_at < ?", (before,))


def paired(db: sqlite3.Connection, surface: str) -> list[str]:
    """The ids paired on a surface."""
    prefix = f"{surface}:"
    rows = db.execute(
        "SELECT caller FROM callers WHERE paired_at IS NOT NULL AND substr(caller, 1, ?) = ?",
        (len(prefix), prefix),
    )
    return [row[0].removeprefix(prefix) for row in rows]
