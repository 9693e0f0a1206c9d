"""What an error of the database or of its files means, in words, with the fix."""

import errno
import os
import shutil
import sqlite3
from pathlib import Path

from core.errors import LedgerError

# The write-ahead log's index grows by 32 KB at a time.
_SPACE = 64 * 1024
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_NO_ACCESS = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def code_of(error: BaseException) -> int:
    """SQLite's primary result code; 0 where the error is none of SQLite's."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def explain(path: Path, error: BaseException) -> LedgerError:
    """Say what an error means for the person at the keyboard."""
    code, number = code_of(error), getattr(error, "errno", None)
    no_access = isinstance(error, OSError) or code in _NO_ACCESS
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        reason, what = "damaged", f"The database {path} is damaged."
        # What is left of its write-ahead log would be written into the copy.
        fix = (
            f"Stop what uses it, move {path} and the {path.name}-wal and {path.name}-shm "
            "beside it away, then restore the last backup: levqor restore FILE. Without one, "
            "a new database starts empty and today's quota with it."
        )
    # A full disk is also an I/O error, where the write-ahead log's index cannot grow.
    elif code == sqlite3.SQLITE_FULL or number == errno.ENOSPC or _no_room(path, code):
        reason, what = "full", f"The disk that holds the database {path} is full."
        fix = "Free some space, then try again."
    elif number in _NO_LOCKS:
        reason = "unlockable"
        what = f"The disk of {path} cannot lock files (some network drives cannot)."
        fix = "Choose a home on a disk of this computer: --home or LEVQOR_HOME."
    elif code in LOCKED:
        reason, what = "locked", f"The database {path} is held by another program."
        fix = "Try again in a moment; if it stays so, close what else uses this home."
    elif no_access and _mounted_read_only(path):
        reason = "readonly"
        what = f"The disk that holds the database {path} is mounted read-only."
        fix = "Mount it for writing, or choose another folder with --home."
    elif no_access:
        reason, what = "readonly", f"The database {path} cannot be written."
        fix = (
            f"Make {path.parent} and the files in it yours and writable, "
            "or choose another folder with --home."
        )
    else:
        name = getattr(error, "sqlite_errorname", "SQLite error")
        reason, what = "unusable", f"The database {path} cannot be used ({name})."
        fix = "Check the disk it is on; 'levqor doctor' says more."
    wait = 5 if reason == "locked" else None
    return LedgerError(what, fix=fix, reason=f"ledger_{reason}", retry_after=wait)


def _no_room(path: Path, code: int) -> bool:
    try:
        return code == sqlite3.SQLITE_IOERR and shutil.disk_usage(path.parent).free < _SPACE
    except OSError:
        return False


def _mounted_read_only(path: Path) -> bool:
    try:
        return bool(os.statvfs(path.parent).f_flag & os.ST_RDONLY)
    except (AttributeError, OSError):  # Windows has neither
        return False
