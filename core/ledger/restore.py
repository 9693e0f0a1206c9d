"""Filling an empty database, of either engine, from a backup: whole or not at all."""

import contextlib
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from core.errors import LedgerError
from core.home import temporary
from core.ledger import backup
from core.ledger.explain import code_of
from core.ledger.file import BESIDE, SCHEMA, Connection, connect, migrate, reader
from core.ledger.ledger import Ledger
from core.ledger.runs import has_fingerprints, settle_restored
from core.ledger.store import Connection as Target

# `meta` says of a database what is not true of another: its schema, whose key it is used with.
_TABLES = {table: columns for table, columns in backup.TABLES.items() if table != "meta"}
# What a bot that was started once has noticed by itself gives way to the backup's.
_NOTICED = {"probes", "checks", "history_marks"}
# The tables of the first schema.
_OURS = {"runs", "callers", "tokens", "pairings", "probes", "inbound"}
_MARK = "SELECT value FROM meta WHERE name = 'restored'"


@dataclass(frozen=True)
class Restored:
    """How many rows each table has now, and how many runs had not ended in the backup."""

    rows: dict[str, int]
    unknown: int


class Backup:
    """A backup that can be restored; with a `new_key` its fingerprints stay behind."""

    def __init__(self, file: Path, db: Connection, check: str | None, *, new_key: bool) -> None:
        """`check` tells the key of the home it goes to (`core.home_key.key_check`)."""
        self._file, self._db, self._check, self._new_key = file, db, check, new_key
        self._given_up = threading.Event()
        row = db.execute("SELECT value FROM meta WHERE name = 'key_check'").fetchone()
        made_with = row and row[0]
        # Nothing but fingerprints depends on the key. A backup of before 0.2 does not tell whose.
        wrong = check is None or made_with not in (None, check)
        if wrong and not new_key and has_fingerprints(db):
            what = "a levqor.key, and this home has none" if check is None else "another levqor.key"
            raise LedgerError(
                f"The backup {file} was made with {what}.",
                fix="Put the levqor.key that was kept with it into the home, or name it in "
                "LEVQOR_KEY_FILE. If it is lost: levqor restore FILE --new-key",
                reason="ledger_key",
            )

    def restore(self, ledger: Ledger) -> Restored:
        """Fill the ledger's database; raises LedgerError where it is not empty or is in use."""
        ledger.check_key(self._check)
        if ledger.bots():
            raise LedgerError(
                f"{ledger.store.place} is in use by a bot.",
                fix="Stop levqor-bot on every machine (levqor bots lists them), then run it again.",
                reason="ledger_locked",
            )
        token, done = secrets.token_hex(8), Restored({}, 0)

        def work(db: Target) -> Restored:
            nonlocal done
            claimed = {table: db.claim(table) for table in _TABLES}
            empty = all(claimed[table] for table in claimed.keys() - _NOTICED)
            row = db.execute(_MARK).fetchone()
            # Else its COMMIT was done, and only the answer was lost.
            if row is None or row[0] != token:
                if not empty:
                    raise _not_empty(ledger.store.place)
                done = self._fill(db)
                db.execute(
                    "INSERT INTO meta (name, value) VALUES ('restored', :token) "
                    "ON CONFLICT (name) DO UPDATE SET value = :token",
                    {"token": token},
                )
            return done

        try:
            return ledger.store.write(work, durable=True, long=True)
        finally:
            # Who presses Ctrl-C does not get a restored database after all.
            self._given_up.set()

    def _fill(self, db: Target) -> Restored:
        rows = dict.fromkeys(_TABLES, 0)
        for table in _NOTICED:
            db.execute(f"DELETE FROM {table}")
        for table, columns in _TABLES.items():
            db.load(table, columns, self._rows(table, columns, rows))
        return Restored(rows, settle_restored(db))

    def _rows(self, table: str, columns: str, counts: dict[str, int]) -> Iterator[tuple[Any, ...]]:
        if self._new_key:
            columns = columns.replace("fingerprint", "x''")
        try:
            for row in self._db.execute(f"SELECT {columns} FROM {table}"):
                if self._given_up.is_set():
                    raise LedgerError("The restore was interrupted; nothing was changed.")
                counts[table] += 1
                yield row
        except sqlite3.Error as error:
            raise _unreadable(self._file, error) from None


@contextlib.contextmanager
def opened(file: Path, check: str | None, *, new_key: bool = False) -> Iterator[Backup]:
    """Lend a backup, of an older schema a migrated copy: the file itself is only read.

    Raises LedgerError for what is no backup, is damaged or newer, or was made with another key.
    """
    for beside in (file.with_name(file.name + end) for end in BESIDE if end != "-shm"):
        if beside.exists():
            raise LedgerError(
                f"{file} is the database of a Levqor that runs, or that was killed.",
                fix="Copy it first: "
                f"levqor --home {quote(str(file.absolute().parent))} backup FILE",
                reason="backup_in_use",
            )
    with contextlib.ExitStack() as stack:
        try:
            # Nothing is made beside it, also where it was left in write-ahead mode.
            db = stack.enter_context(contextlib.closing(reader(file, immutable=True)))
            if _schema(file, db) < SCHEMA:
                copy = temporary(stack) / "levqor.db"
                backup.write(db, copy)
                db = stack.enter_context(contextlib.closing(connect(copy)))
                migrate(db, copy)
            given = Backup(file, db, check, new_key=new_key)
        except sqlite3.Error as error:
            raise _unreadable(file, error) from None
        yield given


def _schema(file: Path, db: Connection) -> int:
    """The schema of a backup that is whole and not too new."""
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    if not tables >= _OURS:
        raise _foreign(file)
    (schema,) = db.execute("PRAGMA user_version").fetchone()
    if schema > SCHEMA:
        raise LedgerError(
            f"The backup {file} was made by a newer Levqor "
            f"(schema {schema}; this one knows {SCHEMA}).",
            fix="Install that Levqor, then restore it.",
            reason="ledger_newer",
        )
    if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise _damaged(file)
    return int(schema)


def _not_empty(place: str) -> LedgerError:
    return LedgerError(
        f"{place} is not empty, and a restore replaces nothing.",
        fix="Restore into an empty home, named with --home before the command, or into an "
        "empty PostgreSQL database, named in LEVQOR_DATABASE_URL.",
        reason="ledger_not_empty",
    )


def _unreadable(file: Path, error: sqlite3.Error) -> LedgerError:
    code = code_of(error)
    if code == sqlite3.SQLITE_NOTADB:
        return _foreign(file)
    if code == sqlite3.SQLITE_CANTOPEN:
        return LedgerError(
            f"The backup {file} cannot be read.",
            fix="Make it readable for the user that runs Levqor.",
            reason="backup_unreadable",
        )
    return _damaged(file)


def _foreign(file: Path) -> LedgerError:
    return LedgerError(
        f"{file} is no backup of a Levqor database.",
        fix="Name a file that was made with: levqor backup FILE",
        reason="backup_foreign",
    )


def _damaged(file: Path) -> LedgerError:
    return LedgerError(
        f"The backup {file} is damaged; nothing was restored.",
        fix="Restore an older one, or the levqor.db it was made of.",
        reason="backup_damaged",
    )
