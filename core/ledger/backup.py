"""A copy of the ledger as a SQLite database, whole or not at all."""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from core.errors import LedgerError
from core.ledger.explain import code_of, explain
from core.ledger.file import Connection, connect, migrate

# What can only be said of the copy: to read the ledger takes neither room nor a right to write.
_WRITING = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
)

# What is copied between the engines: each table's columns. What is only true of living
# processes is not: bots, leases, interfaces; nor who is signed in.
TABLES = {
    "runs": (
        "run, at, day, action, connector, caller, surface, test, state, charged, key, rebind, "
        "fingerprint, reply_to, owner, attempts, ms, code, reason, receipt, settled_at, free, "
        "quota_owner, teller, account, tries"
    ),
    "callers": "caller, plan, first_seen, last_seen, paired_at, person, role",
    "people": "name, title, role, plan, created_at, seen_at",
    "quota_shares": "owner, action, day, run",
    "tokens": (
        "label, hash, admin, created_at, revoked_at, scope, per_hour, expires_at, used_at, "
        "old_hash, old_until"
    ),
    "targets": "name, action, account, fields, changed_at",
    "audit": "change, at, who, what, subject, before, after",
    "pairings": "surface, hash, expires_at",
    "link_codes": "hash, maker, expires_at, redeemer",
    "probes": "id, connector, verdict, reason, since, at, latency_ms",
    "owed": "key, surface, kind, reply_to, at, owner",
    "run_counts": "action, outcome, surface, runs",
    "history": "seconds, start, connector, action, sent, refused, not_sent, unknown, times",
    "history_people": "start, action, person, sent, refused, not_sent, unknown",
    "history_marks": "name, value",
    "checks": "connector, start, verdict, seconds",
    "meta": "name, value",
}


@contextlib.contextmanager
def made(file: Path) -> Iterator[Connection]:
    """Make a database file, owner-only, which is gone again where what fills it fails.

    Raises LedgerError where it cannot be made; nothing is overwritten.
    """
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise LedgerError(
            f"{file} exists already.", fix="Choose another name.", reason="backup_exists"
        ) from None
    except OSError as error:
        raise LedgerError(
            f"{file} cannot be written ({error.strerror}).",
            fix="Choose a folder you may write to.",
            reason="backup_unwritable",
        ) from None
    try:
        with contextlib.closing(connect(file)) as copy:
            yield copy
    except BaseException as error:
        # Half a copy must not pass for one, nor stand in the way of the next.
        file.unlink(missing_ok=True)
        if code_of(error) in _WRITING:
            raise explain(file, error) from None
        raise


def write(db: sqlite3.Connection, file: Path) -> None:
    """Copy a SQLite database."""
    with made(file) as copy:
        db.backup(copy)


def write_rows(rows: Callable[[str], Iterable[tuple[Any, ...]]], file: Path) -> None:
    """Copy another engine's tables; `rows` runs a SELECT that reads one of them."""
    with made(file) as copy:
        migrate(copy, file)
        # A log as large as the copy would be written beside it.
        copy.execute("PRAGMA journal_mode=DELETE")
        copy.execute("BEGIN")
        for table, columns in TABLES.items():
            copy.load(table, columns, rows(f"SELECT {columns} FROM {table}"))
        copy.execute("DELETE FROM meta WHERE name <> 'key_check'")
        copy.execute("COMMIT")
        # As a home's own: whoever puts it in one finds the mode that Levqor needs.
        copy.execute("PRAGMA journal_mode=WAL")
