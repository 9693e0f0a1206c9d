"""An open ledger: its writer, its reader, its owner."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any, Self, TypeVar

from core.errors import LedgerError
from core.ledger import owed, runs, status
from core.ledger.endings import Endings
from core.ledger.owners import Owner
from core.ledger.store import NAME, connect, explain, identity, no_access, prepare, reader
from core.ledger.writer import PATIENCE, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")

# While somebody still waits for an answer, the half hour is looked at this often.
_SWEEP_SECONDS = 60.0
# While a reader keeps the write-ahead log from being emptied, it is tried again this often.
_RETRY_SECONDS = 5.0


class OpenLedger:
    """One home's ledger, opened with `open`, closed when done; the way to write and to read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._owner: Owner | None = None
        self._endings: Endings | None = None
        self._owner_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._reader = reader(path)
        self._identity = identity(path)
        self._writer = Writer(lambda: connect(path), self._check, self._explain, self._idle)
        self._writer.start()

    @classmethod
    def open(cls, home: Path) -> Self:
        """Open the ledger of a home, made and migrated under a file lock where needed."""
        path = home / NAME
        prepare(path)
        try:
            return cls(path)
        except sqlite3.Error as error:
            raise explain(path, error) from None

    def close(self) -> None:
        """Finish writes, empty the write-ahead log, give up ownership."""
        with contextlib.suppress(LedgerError):
            if self._owner:
                self._write(lambda db: status.gone(db, self._owner_id()), patience=1.0)
        # The last connection to go takes the write-ahead log with it, and a reader may not.
        with self._read_lock:
            self._reader.close()
        self._writer.close()
        if self._endings:
            self._endings.close()
        if self._owner:
            self._owner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def keep(self, run: str, **what: Any) -> None:
        """Keep what is known of a run until `catch_up` or the next start writes it."""
        if self._endings is not None:
            self._endings.put(run, **what)

    def kept(self, *, safe: bool | None = None) -> list[str]:
        """The runs of which something is kept; with `safe`, where that outlives this process."""
        kept = self._endings
        if kept is None:
            return []
        return [run for run in kept.kept if safe is None or kept.safe(run) is safe]

    def catch_up(self, *, patience: float = PATIENCE) -> None:
        """Write what was kept."""
        if self._endings is not None and (kept := self._endings.kept):
            self._write(lambda db: runs.catch_up(db, kept), patience=patience)
            for run, what in kept.items():
                self._endings.drop(run, what)

    def _write(
        self,
        work: Callable[[sqlite3.Connection], T],
        *,
        durable: bool = False,
        patience: float = PATIENCE,
    ) -> T:
        return self._writer.call(work, durable=durable, patience=patience)

    @contextlib.contextmanager
    def _reading(self, *, long: bool = False) -> Iterator[sqlite3.Connection]:
        """Lend the reader; `long` makes one for what takes seconds, which nobody shall wait for."""
        try:
            with contextlib.closing(reader(self.path)) if long else self._shared() as db:
                self._check()
                yield db
        except sqlite3.Error as error:
            raise self._explain(error) from None

    @contextlib.contextmanager
    def _shared(self) -> Iterator[sqlite3.Connection]:
        with self._read_lock:
            yield self._reader

    def _owner_id(self) -> str:
        with self._owner_lock:
            if self._owner is None:
                try:
                    owner = Owner(self.path)
                    try:
                        self._endings = Endings(self.path, owner.id)
                    except OSError:
                        owner.close()
                        raise
                except OSError as error:
                    raise no_access(self.path, error) from None
                self._owner = owner
            return self._owner.id

    def _alive(self, owner: str) -> bool:
        if self._owner is not None and owner == self._owner.id:
            return True
        return Owner.lives(self.path, owner)

    def _check(self) -> None:
        # A file that was deleted or replaced takes writes like any other, and keeps none.
        if identity(self.path) != self._identity:
            raise LedgerError(
                f"The ledger {self.path} was moved, deleted or replaced while in use.",
                fix="Put it back, or start this program again to use the one that is there now.",
                reason="ledger_replaced",
            )

    def _explain(self, error: Exception) -> LedgerError:
        return explain(self.path, error)

    def _idle(self, db: sqlite3.Connection) -> float | None:
        now = time.time()
        waiting = runs.forget_old_answers(db, now) + owed.forget_old(db, now)
        (busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            return _RETRY_SECONDS
        return _SWEEP_SECONDS if waiting else None
