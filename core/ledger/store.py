"""Opening the ledger: permissions, the file lock, migrations, and what can be wrong."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import stat
from typing import TYPE_CHECKING

from filelock import Timeout

from core.errors import LedgerError, NotConfigured
from core.home import DATABASE, check, own, refuse_link
from core.ledger.owners import hard_lock
from core.ledger.writer import settle_in

if TYPE_CHECKING:
    from pathlib import Path

NAME = DATABASE
# What SQLite keeps beside a database and believes.
BESIDE = ("-wal", "-shm", "-journal")
# How many steps core/migrations.py has. Kept here so that a ledger that is up to date
# opens without importing sqlite-utils; a test compares the two.
SCHEMA = 3
# Eighty processes that start at once on two cores wait for one another here.
_OPEN_PATIENCE = 60.0
# The write-ahead log's index grows by 32 KB at a time.
_SPACE = 64 * 1024
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def prepare(path: Path) -> None:
    """Make the folder and the file, owner-only, and bring the schema up to date.

    Raises LedgerError where the file is damaged, read-only, newer than this Levqor, or not
    this user's alone.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Looked at now that it is there: somebody may have been quicker to make it.
        check(path.parent)
        refuse_strangers(path)
        with hard_lock(path.with_name(f"{path.name}-lock"), _OPEN_PATIENCE):
            # A move may have begun while this waited.
            check(path.parent)
            _make_private(path)
            connection = connect(path)
            try:
                _migrate(connection, path)
            finally:
                connection.close()
    except NotConfigured as strange:
        raise LedgerError(strange.message, fix=strange.fix, reason="home_untrusted") from None
    except sqlite3.Error as error:
        raise explain(path, error) from None
    except Timeout:
        raise LedgerError(
            f"The ledger {path} is being opened by another program that does not finish.",
            fix="Close other Levqor programs that use this home, then try again.",
            reason="ledger_locked",
        ) from None
    except OSError as error:
        raise no_access(path, error) from None


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


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection that leaves transactions to its user."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    settle_in(connection)
    return connection


def reader(path: Path) -> sqlite3.Connection:
    """Open a connection that cannot write."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=10,
    )
    connection.execute("PRAGMA query_only=ON")
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (have,) = connection.execute("PRAGMA user_version").fetchone()
    if have == SCHEMA:
        return
    if have > SCHEMA:
        raise LedgerError(
            f"The ledger {path} was written by a newer Levqor "
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


def explain(path: Path, error: Exception) -> LedgerError:
    """Say in words what SQLite's error means for the person at the keyboard."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return LedgerError(
            f"The ledger {path} is damaged.",
            # What is left of its write-ahead log would be written into the copy.
            fix=f"Stop what uses it, move {path} and the {path.name}-wal and {path.name}-shm "
            "beside it away, and put a copy made with 'levqor backup' in its place; without one, "
            "a new ledger starts empty and today's quota with it.",
            reason="ledger_damaged",
        )
    # A full disk is also an I/O error, where the write-ahead log's index cannot grow.
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _full(path)):
        return _no_space(path)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return no_access(path, error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LedgerError(
            f"The ledger {path} is held by another program.",
            fix="Try again in a moment; if it stays so, close what else uses this home.",
            reason="ledger_locked",
            retry_after=5,
        )
    return LedgerError(
        f"The ledger {path} cannot be used ({getattr(error, 'sqlite_errorname', 'SQLite error')}).",
        fix="Check the disk it is on; 'levqor doctor' tells more.",
        reason="ledger_unusable",
    )


def _full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _SPACE
    except OSError:
        return False


def _mounted_read_only(path: Path) -> bool:
    try:
        return bool(os.statvfs(path.parent).f_flag & os.ST_RDONLY)
    except (AttributeError, OSError):  # Windows has neither
        return False


def _no_space(path: Path) -> LedgerError:
    return LedgerError(
        f"The disk that holds the ledger {path} is full.",
        fix="Free some space, then try again.",
        reason="ledger_full",
    )


def no_access(path: Path, error: Exception) -> LedgerError:
    """Say why a file beside the ledger, or the ledger, cannot be written."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return _no_space(path)
    if isinstance(error, OSError) and error.errno in _NO_LOCKS:
        return LedgerError(
            f"The disk of {path} cannot lock files (some network drives cannot).",
            fix="Choose a home on a disk of this computer: --home or LEVQOR_HOME.",
            reason="ledger_unlockable",
        )
    if _mounted_read_only(path):
        return LedgerError(
            f"The disk that holds the ledger {path} is mounted read-only.",
            fix="Mount it for writing, or choose another folder with --home.",
            reason="ledger_readonly",
        )
    return LedgerError(
        f"The ledger {path} cannot be written.",
        fix=f"Make {path.parent} and the files in it yours and writable, "
        "or choose another folder with --home.",
        reason="ledger_readonly",
    )
