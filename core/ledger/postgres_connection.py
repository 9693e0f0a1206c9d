"""Connections to PostgreSQL: a few, lent one at a time, each cut when its time is up."""

import contextlib
import os
import queue
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from core.network import loopback
from core.timers import at, uptime

T = TypeVar("T")

# Of the hundred that a server takes by default, for each process.
SIZE = 8
NO_PLACE = "every connection is in use"
_CONNECT_SECONDS = 5
# psycopg waits no shorter.
_SOONEST_CONNECT = 2
# The server says itself that time is up; who has heard nothing by then is cut off.
_GRACE_SECONDS = 1.0
# A process that stands still in a transaction must not keep others from its rows.
_IDLE_MS = 5000
_NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"
# Rows fetched at once where a whole table is read.
_AT_A_TIME = 2000


class PostgresConnection:
    """A connection as the ledger's statements see it; transactions are begun by hand."""

    def __init__(self, raw: "psycopg.Connection[Any]") -> None:
        self.raw = raw
        # One of its own, so that nothing else is cut where the connection was closed meanwhile.
        self._socket = socket.socket(fileno=os.dup(raw.fileno()))
        self._cutting = threading.Lock()
        self.until = 0.0  # when its borrower's time is up
        self._began: tuple[float, float] | None = None  # by the server's clock, and by uptime()

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> Any:
        """Run one statement, its parameters by name; truth values are 0 and 1."""
        plain = {
            name: int(value) if isinstance(value, bool) else value
            for name, value in (parameters or {}).items()
        }
        return self.raw.execute(_named(sql), plain)

    def now(self) -> float:
        """Seconds since 1970 by the server's clock, which is asked once in a transaction."""
        if self._began is not None:
            return self._began[0] + uptime() - self._began[1]
        row = self.raw.execute(_NOW).fetchone()
        return float(row[0]) if row else 0.0

    def claim(self, table: str) -> bool:
        """Keep others from writing to a table until the transaction ends; whether it is empty."""
        self.raw.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        row = self.raw.execute(f"SELECT EXISTS (SELECT 1 FROM {table})").fetchone()
        return not (row and row[0])

    def load(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Write many rows, by COPY."""
        with self.raw.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        if columns.startswith("id,"):
            # The next number that the database draws itself comes after these.
            self.raw.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )

    def begin(self) -> None:
        """Begin a transaction that the server ends by itself where this process is gone.

        The time-outs are the transaction's own: a pooler refuses those of a session. However
        long it may take, it waits for no lock for long: all others queue behind who does.
        """
        ms = max(100, round((self.until - time.monotonic()) * 1000))
        done = self.raw.execute(
            f"BEGIN; SET LOCAL statement_timeout = {ms}; "
            f"SET LOCAL lock_timeout = {min(ms, _IDLE_MS)}; "
            f"SET LOCAL idle_in_transaction_session_timeout = {_IDLE_MS}; {_NOW}"
        )
        while done.nextset():
            pass
        row = done.fetchone()
        self._began = (float(row[0]), uptime()) if row else None

    def commit(self) -> None:
        """Commit; raises psycopg's error also where the server rolled back in its place."""
        self._began = None
        if self.raw.execute("COMMIT").statusmessage != "COMMIT":
            raise psycopg.errors.InFailedSqlTransaction

    def rollback(self) -> None:
        """Undo."""
        self._began = None
        self.raw.execute("ROLLBACK")

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Callable[[str], Iterator[Any]]]:
        """Lend a way to read row by row, every table as of the same moment."""
        self.raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield self._row_by_row
        finally:
            self.rollback()

    def _row_by_row(self, sql: str) -> Iterator[Any]:
        with self.raw.cursor(name="levqor_snapshot") as cursor:
            cursor.itersize = _AT_A_TIME
            yield from cursor.execute(sql)

    def abort(self) -> None:
        """Cut it, from any thread: whoever waits for an answer gets an error."""
        with contextlib.suppress(OSError), self._cutting:
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it."""
        # Not while it is cut off: the number of a closed socket may be another's by then.
        with self._cutting:
            self._socket.close()
        self.raw.close()


class CommitLost(Exception):
    """The answer to a COMMIT was lost: it may have been done."""

    def __init__(self, cause: psycopg.Error) -> None:
        super().__init__()
        self.cause = cause


def transaction(db: PostgresConnection, work: Callable[[PostgresConnection], T]) -> T:
    """Run `work` as a transaction; raises CommitLost."""
    db.begin()
    try:
        result = work(db)
    except BaseException:
        with contextlib.suppress(psycopg.Error):
            db.rollback()
        raise
    try:
        db.commit()
    except psycopg.Error as error:
        raise CommitLost(error) from None
    return result


@lru_cache(maxsize=256)
def _named(sql: str) -> Any:
    # No statement of the ledger has a colon before a letter that means something else.
    return re.sub(r":([a-z_][a-z0-9_]*)", r"%(\1)s", sql)


class Pool:
    """At most `SIZE` connections to the server that `url` names when one is opened."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: queue.LifoQueue[PostgresConnection] = queue.LifoQueue()
        self._places = threading.BoundedSemaphore(SIZE)
        self.closed = False
        parts = conninfo_to_dict(url)
        self._database = parts.get("dbname")
        host = str(parts.get("host") or parts.get("hostaddr") or "")
        where = f" on {host}" if host and not host.startswith("/") else ""
        self.place = f"The PostgreSQL database {self._database or 'of this user'}{where}"

    def use(self, url: str) -> None:
        """Open the next ones with another address, unless it names another database."""
        if conninfo_to_dict(url).get("dbname") == self._database:
            self._url = url
            self.drop()

    @contextlib.contextmanager
    def connection(
        self, seconds: float, *, wait: float, reserved: bool = False
    ) -> Iterator[PostgresConnection]:
        """Lend a connection for so long at most; raises psycopg.Error after a `wait` for one.

        Who has one `reserved` waits for no place, and is one of a kind.
        """
        began = time.monotonic()
        until = began + seconds
        if not reserved and not self._places.acquire(timeout=wait):
            raise psycopg.OperationalError(NO_PLACE)
        try:
            db = self._take(began + wait - time.monotonic())
            db.until, cut = until, until + _GRACE_SECONDS
            try:
                guard = at(cut, db.abort)
                try:
                    yield db
                finally:
                    guard.cancel()
            finally:
                # What may be cut off by now is lent to nobody else.
                self._give(db, again=time.monotonic() < cut)
        finally:
            if not reserved:
                self._places.release()

    def close(self) -> None:
        """Close those that nobody uses, and each of the others when it comes back."""
        self.closed = True
        self.drop()

    def drop(self) -> None:
        """Close those that nobody uses: the server has changed."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _take(self, seconds: float) -> PostgresConnection:
        with contextlib.suppress(queue.Empty):
            return self._idle.get_nowait()
        raw = connect(self._url, seconds)
        try:
            return PostgresConnection(raw)
        except OSError as error:  # pragma: no cover - no file handle is left
            raw.close()
            raise psycopg.OperationalError(str(error.strerror)) from None

    def _give(self, db: PostgresConnection, *, again: bool) -> None:
        idle = psycopg.pq.TransactionStatus.IDLE
        if again and not db.raw.closed and db.raw.info.transaction_status == idle:
            self._idle.put(db)
        else:
            db.close()
        if self.closed or db.raw.broken:
            # The others go to the same server, which has gone or is another's standby now.
            self.drop()


def connect(url: str, seconds: float = _CONNECT_SECONDS) -> "psycopg.Connection[Any]":
    """Open a connection to a server that may be written to; TLS unless it is on this machine."""
    parts = conninfo_to_dict(url)
    defaults: dict[str, Any] = {
        "application_name": "levqor",
        "client_encoding": "UTF8",
        "connect_timeout": max(_SOONEST_CONNECT, min(_CONNECT_SECONDS, round(seconds))),
        "target_session_attrs": "read-write",
        "tcp_user_timeout": 10_000,
    }
    if not all(local(str(parts.get(name) or "")) for name in ("host", "hostaddr")):
        defaults |= {"sslmode": "verify-full", "sslrootcert": "system"}
    try:
        return psycopg.connect("", autocommit=True, prepare_threshold=None, **{**defaults, **parts})
    except psycopg.Error as error:
        # psycopg's own frames hold the half-open connection, and are held by this in a circle.
        error.__context__ = None
        raise error.with_traceback(None) from None


def local(host: str) -> bool:
    """Whether a server is on this machine: a socket's folder, or a loopback address."""
    return all(
        not each or each.startswith(("/", "@")) or loopback(each) for each in host.split(",")
    )
