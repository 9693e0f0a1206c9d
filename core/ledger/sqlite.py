"""The ledger's SQLite engine: the embedded default."""

import contextlib
import math
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Self, TypeVar

from core.errors import LedgerError
from core.home import DATABASE
from core.ledger import backup
from core.ledger.endings import Endings
from core.ledger.explain import explain
from core.ledger.file import Connection, connect, empty_log, identity, prepare, reader
from core.ledger.owners import Owner
from core.ledger.store import LAST_WORDS, PATIENCE, Conflict
from core.ledger.writer import Writer

T = TypeVar("T")

# While somebody still waits for an answer, the half hour is looked at this often.
_SWEEP_SECONDS = 60.0
# While a reader keeps the write-ahead log from being emptied, it is tried again this often.
_RETRY_SECONDS = 5.0


class SqliteStore:
    """The database file of one home; a `Store`.

    Writes go through one connection (see writer.py); reads use a connection of their own, which in
    WAL mode waits for nobody.
    """

    shared, grace, look_seconds = False, 0.0, 30.0

    def __init__(self, path: Path, sweep: Callable[[Connection], int]) -> None:
        """`sweep` deletes what is too old to be kept and returns how much is still waited for."""
        self.files, self.place = path, f"The database {path}"
        self._sweep = sweep
        self._owner: Owner | None = None
        self._owner_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._reader = reader(path)
        self._identity = identity(path)
        self._writer = Writer(lambda: connect(path), self._check, self._explain, self._idle)

    @classmethod
    def open(cls, home: Path, sweep: Callable[[Connection], int]) -> Self:
        """Open the database of a home, made and migrated under a file lock where needed."""
        path = home / DATABASE
        prepare(path)
        try:
            return cls(path, sweep)
        except sqlite3.Error as error:  # pragma: no cover - it was opened a moment ago
            raise explain(path, error) from None

    def close(self, last: Callable[[Connection], object] | None = None) -> None:
        """Finish writes, empty the write-ahead log, give up ownership."""
        if last is not None and self._owner is not None:
            with contextlib.suppress(LedgerError):
                self.write(last, patience=LAST_WORDS)
        # The last connection to go takes the write-ahead log with it, and a reader may not.
        with self._read_lock:
            self._reader.close()
        self._writer.close()
        if self._owner:
            self._owner.close()

    def write(
        self,
        work: Callable[[Connection], T],
        *,
        durable: bool = False,
        patience: float = PATIENCE,
        long: bool = False,  # noqa: ARG002 - Store's: nothing ends what was begun
    ) -> T:
        """Run `work` as a transaction; several share one commit."""
        try:
            return self._writer.call(work, durable=durable, patience=patience)
        except sqlite3.IntegrityError as error:
            raise Conflict(error.sqlite_errorname) from None

    def read(self, work: Callable[[Connection], T], *, long: bool = False) -> T:
        """Run `work` on the reader, or on one of its own that nobody waits for."""
        try:
            with contextlib.closing(reader(self.files)) if long else self._shared() as db:
                self._check()
                return work(db)
        except sqlite3.Error as error:
            raise self._explain(error) from None

    @contextlib.contextmanager
    def _shared(self) -> Iterator[Connection]:
        with self._read_lock:
            yield self._reader

    def owner(self) -> str:
        """This process, as the owner of its runs."""
        with self._owner_lock:
            if self._owner is None:
                try:
                    self._owner = Owner(self.files)
                except OSError as error:
                    raise self._explain(error) from None
            return self._owner.id

    @property
    def endings(self) -> Endings | None:
        """This process's own file of endings, once it is an owner."""
        return self._owner.endings if self._owner else None

    def dead(self, db: object, owners: Iterable[str]) -> dict[str, float]:  # noqa: ARG002 - Store's
        """Which owners hold no lock any more; a dead process never comes back."""
        mine = self._owner and self._owner.id
        return {
            owner: math.inf
            for owner in owners
            if owner != mine and not Owner.lives(self.files, owner)
        }

    def use(self, url: str | None) -> None:
        """Nothing: a file has no address."""

    def risks(self) -> list[tuple[str, str]]:
        """None: Levqor itself sets how the file is written."""
        return []

    def backup(self, file: Path) -> None:
        """Copy the database."""
        self.read(lambda db: backup.write(db, file), long=True)

    def _check(self) -> None:
        # A file that was deleted or replaced takes writes like any other, and keeps none.
        if identity(self.files) != self._identity:
            raise LedgerError(
                f"The database {self.files} was moved, deleted or replaced while in use.",
                fix="Put it back, or start this program again to use the one that is there now.",
                reason="ledger_replaced",
            )

    def _explain(self, error: Exception) -> LedgerError:
        return explain(self.files, error)

    def _idle(self, db: Connection, *, goes_on: bool) -> float | None:
        waiting = self._sweep(db)
        self._check()
        if not empty_log(db, self.files, goes_on=goes_on):
            return _RETRY_SECONDS
        return _SWEEP_SECONDS if waiting else None
