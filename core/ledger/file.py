"""The database file of a home: how it is made, kept private, migrated and connected to."""

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Iterable
from io import FileIO
from pathlib import Path
from typing import Any

from filelock import Timeout

from core.errors import LedgerError, NotConfigured
from core.home import DATABASE, SHARED, check, own, refuse_link
from core.ledger.explain import explain
from core.ledger.owners import hard_lock

# What SQLite keeps beside a database and believes.
BESIDE = ("-wal", "-shm", "-journal")
# How many steps core/migrations has. Kept here so that a ledger that is up to date
# opens without importing sqlite-utils; a test compares the two.
SCHEMA = 10
# How long an emptied write-ahead log is at least: five runs' frames.
_LOG_BYTES = 1 << 18
_FRAME_BYTES = 24 + 4096
# RETURNING came with 3.35, IS NOT DISTINCT FROM with 3.39.
OLDEST_SQLITE = (3, 39)
# Eighty processes that start at once on two cores wait for one another here.
_OPEN_PATIENCE = 60.0


class Connection(sqlite3.Connection):
    """A connection that leaves transactions to its user."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def claim(self, table: str) -> bool:
        """Tell whether a table is empty; in a transaction that writes it stays so for others."""
        return not self.execute(f"SELECT EXISTS (SELECT 1 FROM {table})").fetchone()[0]

    def load(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Write many rows; the indexes are made when they are there, which is much quicker."""
        indexes = self.execute(
            "SELECT name, sql FROM sqlite_master "
            "WHERE tbl_name = ? AND type = 'index' AND sql IS NOT NULL",
            (table,),
        ).fetchall()
        for name, _ in indexes:
            self.execute(f"DROP INDEX {name}")
        places = ", ".join("?" for _ in columns.split(","))
        self.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)
        for _, sql in indexes:
            self.execute(sql)


def connect(path: Path) -> Connection:
    """Open a connection that leaves transactions to its user."""
    connection = Connection(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def reader(path: Path, *, immutable: bool = False) -> Connection:
    """Open a connection that cannot write; `immutable` where nobody else does either."""
    address = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if immutable else ''}"
    connection = Connection(
        address, uri=True, isolation_level=None, check_same_thread=False, timeout=10
    )
    connection.execute("PRAGMA query_only=ON")
    return connection


def prepare(path: Path) -> None:
    """Make the folder and the file, owner-only, and bring the schema up to date.

    Raises LedgerError where the file is damaged, read-only, newer than this Levqor, or not
    this user's alone.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise LedgerError(
            f"Levqor needs SQLite {OLDEST_SQLITE[0]}.{OLDEST_SQLITE[1]} or later; "
            f"this Python has {sqlite3.sqlite_version}.",
            fix="Install Levqor with a newer Python: uv brings one.",
            reason="sqlite_too_old",
        )
    make_home(path.parent)
    if (mark := path.with_name(SHARED)).exists():
        # Else the quota of the day would begin anew, and what was sent could be sent again.
        raise LedgerError(
            f"The bot of {path.parent} keeps its database in PostgreSQL, and LEVQOR_DATABASE_URL "
            "is not set.",
            fix=f"Set it as for the bot. To go back to {path.name}, delete {mark}.",
            reason="ledger_elsewhere",
        )
    try:
        refuse_strangers(path)
        with hard_lock(path.with_name(f"{path.name}-lock"), _OPEN_PATIENCE):
            # A move may have begun while this waited.
            check(path.parent)
            _make_private(path)
            with contextlib.closing(connect(path)) as connection:
                migrate(connection, path)
    except NotConfigured as strange:
        raise LedgerError(strange.message, fix=strange.fix, reason="home_untrusted") from None
    except Timeout:  # pragma: no cover - a minute is too long for a test
        raise LedgerError(
            f"The database {path} is being opened by another program that does not finish.",
            fix="Close other Levqor programs that use this home, then try again.",
            reason="ledger_locked",
        ) from None
    except (sqlite3.Error, OSError) as error:
        raise explain(path, error) from None


def empty_log(connection: sqlite3.Connection, path: Path, *, goes_on: bool) -> bool:
    """Leave nothing of a run in the write-ahead log; False while a reader needs what it holds.

    Where writing `goes_on`, what the next commit would wait for is done now: its head, which is
    flushed by itself, and its length, for to flush what lengthens a file takes up to three times
    as long (ext4). SQLite takes the zeros for frames of an older log: they have not the salt of
    the head (sqlite.org/fileformat2.html, 4.4). Its locks are on the files beside it, so this
    one may be opened and closed.
    """
    if not goes_on:
        return _emptied(connection)
    with path.with_name(f"{path.name}-wal").open("r+b", buffering=0) as log:
        (_, frames, _) = connection.execute("PRAGMA wal_checkpoint").fetchone()
        length = os.fstat(log.fileno()).st_size
        # What is there was needed, now or before: a long log begins anew by itself.
        if frames * _FRAME_BYTES < length // 4:
            length //= 2
        if not _emptied(connection):
            return False
        _begin_log(connection, log, max(_LOG_BYTES, length))
    return True


def _emptied(connection: sqlite3.Connection) -> bool:
    (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def _begin_log(connection: sqlite3.Connection, log: FileIO, length: int) -> None:
    connection.execute("BEGIN IMMEDIATE")  # nobody else writes its first frame meanwhile
    try:
        if log.seek(0, os.SEEK_END):
            return
        with contextlib.suppress(OSError):
            length -= log.write(bytes(length))
        if length:
            log.truncate(0)  # what is left of the disk is for runs
        else:
            # One page, the first, is written with the head; it holds the schema alone. Another
            # Levqor may be newer, and have made it its own.
            (same,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute(f"PRAGMA user_version={same}")
    finally:
        connection.execute("COMMIT")


def make_home(home: Path) -> None:
    """Make the home folder, owner-only; raises LedgerError where it is not this user's alone."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Looked at now that it is there: somebody may have been quicker to make it.
        check(home)
    except NotConfigured as strange:
        raise LedgerError(strange.message, fix=strange.fix, reason="home_untrusted") from None
    except OSError as error:
        raise explain(home / DATABASE, error) from None


def refuse_strangers(path: Path) -> None:
    """Raise NotConfigured where the ledger, or what SQLite keeps beside it, is another's.

    Their modes do not matter: each is made this user's own when it is opened.
    """
    for file in (path, *(path.with_name(path.name + end) for end in BESIDE)):
        refuse_link(file, "The database file")
        with contextlib.suppress(FileNotFoundError):
            own(file, file.lstat(), "The database file")


def _make_private(path: Path) -> None:
    # Made here, for SQLite gives its -wal and -shm files the mode of the database. One that
    # is there is never opened but by SQLite: closing any handle of a file drops every lock
    # this process has on it (sqlite.org/howtocorrupt.html, 2.2), and the next process to
    # close would take the write-ahead log away with what is in it.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) or not os.access(path, os.R_OK | os.W_OK):
            raise
        # A backup that was copied back may have any.
        if mode & 0o077:
            path.chmod(0o600)


def identity(path: Path) -> tuple[int, int] | None:
    """Tell one file from another by that name; None where there is none."""
    try:
        state = os.stat(path)  # noqa: PTH116 - on the hot path
    except OSError:
        return None
    return state.st_dev, state.st_ino


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring a database's schema up to date; raises LedgerError where it is of a newer Levqor."""
    (have,) = connection.execute("PRAGMA user_version").fetchone()
    if have == SCHEMA:
        return
    if have > SCHEMA:
        raise LedgerError(
            f"The database {path} was written by a newer Levqor "
            f"(schema {have}; this one knows {SCHEMA}).",
            fix="Install that Levqor again, or start this one with another --home.",
            reason="ledger_newer",
        )
    from sqlite_utils import Database

    from core.migrations import MIGRATIONS

    connection.execute("PRAGMA journal_mode=WAL")
    # Plugins of sqlite-utils installed for other reasons have no business here.
    MIGRATIONS.apply(Database(connection, execute_plugins=False))
    connection.execute(f"PRAGMA user_version={SCHEMA}")
