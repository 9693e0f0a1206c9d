"""The database file of a home: how it is opened, written and read, and whose runs are whose.

Writes go through one thread (see writer.py); reads use a connection of their own, which in WAL
mode waits for nobody.
"""

import contextlib
import os
import sqlite3
import stat
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from filelock import Timeout

from core.errors import LedgerError, NotConfigured
from core.home import DATABASE, check, own, refuse_link
from core.ledger.explain import explain
from core.ledger.owners import Owner, hard_lock
from core.ledger.writer import PATIENCE, Writer

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound="Store")

# What SQLite keeps beside a database and believes.
BESIDE = ("-wal", "-shm", "-journal")
# How many steps core/migrations.py has. Kept here so that a ledger that is up to date
# opens without importing sqlite-utils; a test compares the two.
SCHEMA = 4
# Eighty processes that start at once on two cores wait for one another here.
_OPEN_PATIENCE = 60.0
# While somebody still waits for an answer, the half hour is looked at this often.
_SWEEP_SECONDS = 60.0
# While a reader keeps the write-ahead log from being emptied, it is tried again this often.
_RETRY_SECONDS = 5.0


def writes(
    *, durable: bool = False
) -> Callable[[Callable[Concatenate[S, sqlite3.Connection, P], T]], Callable[Concatenate[S, P], T]]:
    """Make a method, which is handed the connection, run as one transaction."""

    def decorate(
        work: Callable[Concatenate[S, sqlite3.Connection, P], T],
    ) -> Callable[Concatenate[S, P], T]:
        @wraps(work)
        def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
            return self._write(lambda db: work(self, db, *args, **kwargs), durable=durable)

        return method

    return decorate


def reads(
    work: Callable[Concatenate[S, sqlite3.Connection, P], T],
) -> Callable[Concatenate[S, P], T]:
    """Make a method, which is handed the connection, read."""

    @wraps(work)
    def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._reading() as db:
            return work(self, db, *args, **kwargs)

    return method


class Store(ABC):
    """One home's database, opened with `open`, closed when done.

    Every method may be called from any thread, and blocks: an event loop hands them to a
    thread. All raise LedgerError, which names the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._owner: Owner | None = None
        self._owner_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._reader = _reader(path)
        self._identity = _identity(path)
        self._writer = Writer(lambda: connect(path), self._check, self._explain, self._idle)
        self._writer.start()

    @classmethod
    def open(cls, home: Path) -> Self:
        """Open the ledger of a home, made and migrated under a file lock where needed."""
        path = home / DATABASE
        _prepare(path)
        try:
            return cls(path)
        except sqlite3.Error as error:
            raise explain(path, error) from None

    def close(self) -> None:
        """Finish writes, empty the write-ahead log, give up ownership."""
        # The last connection to go takes the write-ahead log with it, and a reader may not.
        with self._read_lock:
            self._reader.close()
        self._writer.close()
        if self._owner:
            self._owner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

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
            with contextlib.closing(_reader(self.path)) if long else self._shared() as db:
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
                    self._owner = Owner(self.path)
                except OSError as error:
                    raise self._explain(error) from None
            return self._owner.id

    def _alive(self, owner: str) -> bool:
        if self._owner is not None and owner == self._owner.id:
            return True
        return Owner.lives(self.path, owner)

    def _of_the_dead(
        self, db: sqlite3.Connection, sql: str, args: tuple[Any, ...]
    ) -> list[tuple[Any, ...]]:
        """The rows of dead processes, without the owner that each row ends in."""
        rows = db.execute(sql, args).fetchall()
        dead = {owner for owner in {row[-1] for row in rows} if not self._alive(owner)}
        return [row[:-1] for row in rows if row[-1] in dead]

    def _check(self) -> None:
        # A file that was deleted or replaced takes writes like any other, and keeps none.
        if _identity(self.path) != self._identity:
            raise LedgerError(
                f"The ledger {self.path} was moved, deleted or replaced while in use.",
                fix="Put it back, or start this program again to use the one that is there now.",
                reason="ledger_replaced",
            )

    def _explain(self, error: Exception) -> LedgerError:
        return explain(self.path, error)

    def _idle(self, db: sqlite3.Connection) -> float | None:
        waiting = self._sweep(db)
        (busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            return _RETRY_SECONDS
        return _SWEEP_SECONDS if waiting else None

    @abstractmethod
    def _sweep(self, db: sqlite3.Connection) -> int:
        """Forget what is too old to be kept; returns how much is still waited for."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection that leaves transactions to its user."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def _reader(path: Path) -> sqlite3.Connection:
    """Open a connection that cannot write."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(
        address, uri=True, isolation_level=None, check_same_thread=False, timeout=10
    )
    connection.execute("PRAGMA query_only=ON")
    return connection


def _prepare(path: Path) -> None:
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
            with contextlib.closing(connect(path)) as connection:
                _migrate(connection, path)
    except NotConfigured as strange:
        raise LedgerError(strange.message, fix=strange.fix, reason="home_untrusted") from None
    except Timeout:
        raise LedgerError(
            f"The ledger {path} is being opened by another program that does not finish.",
            fix="Close other Levqor programs that use this home, then try again.",
            reason="ledger_locked",
        ) from None
    except (sqlite3.Error, OSError) as error:
        raise explain(path, error) from None


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


def _identity(path: Path) -> tuple[int, int] | None:
    """Tell one file from another by that name; None where there is none."""
    try:
        state = os.stat(path)  # noqa: PTH116 - on the hot path
    except OSError:
        return None
    return state.st_dev, state.st_ino


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
