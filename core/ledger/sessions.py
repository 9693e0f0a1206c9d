"""Web sessions: one-time links that sign somebody in, and who is signed in."""

import json
import secrets
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from core.errors import NotFound
from core.ledger.owed import SIGNED_IN, owe_notice
from core.ledger.records import Owed
from core.ledger.standing import Standing, lock
from core.ledger.store import Connection, Stored, digest, random_code, reads, writes

LINK_SECONDS = 600.0


class SessionRecord(NamedTuple):
    """Who is signed in to the web console, for how long, and with which browser, in words."""

    session: str
    caller: str
    created_at: float
    expires_at: float
    browser: str


class Sessions(Stored):
    """Who is signed in to the web console; of links and sessions only a hash is kept."""

    def sign_in_code(
        self, caller: str, gate: Callable[[Standing], object] | None = None
    ) -> tuple[str, float]:
        """Make the code of a one-time link, which voids the caller's last one.

        `gate` raises where the caller may have none; it is asked where its answer holds. Gives
        (code, when it expires in seconds since 1970).
        """
        code = secrets.token_urlsafe(24)

        def work(db: Connection) -> float:
            now = db.now()
            if gate is not None:
                gate(lock(db, caller, now))
            row = {"hash": digest(code), "caller": caller, "expires": now + LINK_SECONDS}
            db.execute(
                "INSERT INTO sign_ins (caller, hash, expires_at) VALUES (:caller, :hash, :expires) "
                "ON CONFLICT (caller) DO UPDATE SET hash = :hash, expires_at = :expires",
                row,
            )
            return now + LINK_SECONDS

        return code, self.store.write(work, durable=True)

    @reads
    def sign_in_caller(self, db: Connection, code: str) -> str | None:
        """Whom a link signs in; None where it is used, late or nobody's."""
        row = db.execute(
            "SELECT caller FROM sign_ins WHERE hash = :hash AND expires_at > :now",
            {"hash": digest(code), "now": db.now()},
        ).fetchone()
        return row and str(row[0])

    def sign_in(
        self,
        code: str,
        seconds: float,
        browser: str = "",
        told: Collection[str] = (),
        where: str = "",
    ) -> tuple[str, str] | None:
        """Use a link up for a session of so long: (caller, the session's secret), or None.

        Its person is told so, with which `browser` and `where`, if their surface is one of `told`.
        """
        secret, session = secrets.token_urlsafe(32), random_code(10)

        def work(db: Connection) -> str | None:
            # The answer to the COMMIT of this very session may have been lost.
            mine = db.execute(
                "SELECT caller FROM sessions WHERE session = :session", {"session": session}
            ).fetchone()
            if mine is not None:
                return str(mine[0])
            now = db.now()
            row = {"hash": digest(code), "now": now}
            used = db.execute(
                "DELETE FROM sign_ins WHERE hash = :hash AND expires_at > :now RETURNING caller",
                row,
            ).fetchone()
            if used is None:
                return None
            db.execute(
                "INSERT INTO sessions (session, hash, caller, created_at, expires_at, browser) "
                "VALUES (:session, :hash, :caller, :now, :expires, :browser)",
                {
                    "session": session,
                    "hash": digest(secret),
                    "caller": used[0],
                    "now": now,
                    "expires": now + seconds,
                    "browser": browser,
                },
            )
            if (surface := used[0].partition(":")[0]) in told:
                how = {"caller": used[0], "at": now, "browser": browser + where}
                until = now + seconds
                told_of = Owed(f"session:{session}", SIGNED_IN, json.dumps({**how, "until": until}))
                owe_notice(db, told_of, surface, until)
            return str(used[0])

        caller = self.store.write(work, durable=True)
        return None if caller is None else (caller, secret)

    @reads
    def session(self, db: Connection, secret: str) -> SessionRecord | None:
        """Whose session a secret is; None where it has ended."""
        row = db.execute(
            f"{_SESSION} WHERE hash = :hash AND expires_at > :now",
            {"hash": digest(secret), "now": db.now()},
        ).fetchone()
        return row and SessionRecord(*row)

    @reads
    def sessions(self, db: Connection) -> list[SessionRecord]:
        """Every session that has not ended, newest first."""
        rows = db.execute(
            f"{_SESSION} WHERE expires_at > :now ORDER BY created_at DESC", {"now": db.now()}
        )
        return [SessionRecord(*row) for row in rows]

    @writes(durable=True)
    def session_end(self, db: Connection, session: str) -> None:
        """Sign a session out; one that has ended already stays so."""
        db.execute("DELETE FROM sessions WHERE session = :session", {"session": session})

    @writes(durable=True)
    def sign_out(self, db: Connection, callers: Sequence[str]) -> None:
        """End every link and session of some callers."""
        for caller in callers:
            end_sessions(db, caller)

    @reads
    def session_of(self, db: Connection, session: str) -> SessionRecord:
        """The session of an ID; raises NotFound."""
        row = db.execute(
            f"{_SESSION} WHERE session = :session AND expires_at > :now",
            {"session": session, "now": db.now()},
        ).fetchone()
        if row is None:
            raise NotFound("That session has ended already.")
        return SessionRecord(*row)


def end_sessions(db: Connection, caller: str, until: float | None = None) -> None:
    """End a caller's links and sessions at once, or at the latest then."""
    # The links first: who uses one up now holds its row until the session is there.
    for table in ("sign_ins", "sessions"):
        if until is None:
            db.execute(f"DELETE FROM {table} WHERE caller = :caller", {"caller": caller})
        else:
            db.execute(
                f"UPDATE {table} SET expires_at = :until "
                "WHERE caller = :caller AND expires_at > :until",
                {"caller": caller, "until": until},
            )


_SESSION = "SELECT session, caller, created_at, expires_at, browser FROM sessions"
