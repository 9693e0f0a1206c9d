"""A copy of the ledger, whole or not at all."""

import contextlib
import os
import sqlite3
from pathlib import Path

from core.errors import LedgerError
from core.ledger.explain import code_of, explain
from core.ledger.file import connect

# What can only be said of the copy: to read the ledger takes neither room nor a right to write.
_WRITING = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
)


def write(db: sqlite3.Connection, file: Path) -> None:
    """Copy a ledger to a new file, owner-only; raises LedgerError where that cannot be made."""
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
            db.backup(copy)
    except BaseException as error:
        # Half a copy must not pass for one, nor stand in the way of the next.
        file.unlink(missing_ok=True)
        if code_of(error) in _WRITING:
            raise explain(file, error) from None
        raise
