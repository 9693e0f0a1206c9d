"""Connections to PostgreSQL: a few, lent one at a time, each cut when its time is up."""

import contextlib
import os
import queue
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from core.network import loopback
from core.timers import at

# Of the hundred that a server takes by default, for each process.
SIZE = 8
_CONNECT_SECONDS = 5


class PostgresConnection:
    """A connection as the ledger's statements see it; transactions are begun by hand."""

    def __init__(self, raw: "psycopg.Connection[Any]") -> None:
        self.raw = raw
        # One of its own, so that nothing else is cut where the connection was closed meanwhile.
        self._socket = socket.socket(fileno=os.dup(raw.fileno()))

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> Any:
        """Run one statement, its parameters by name; truth values are 0 and 1."""
        plain = {
            name: int(value) if isinstance(value, bool) else value
            for name, value in (parameters or {}).items()
        }
        return self.raw.execute(_named(sql), plain)

    def now(self) -> float:
        """Seconds since 1970 by the server's clock."""
        row = self.raw.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
        return float(row[0]) if row else 0.0

    def begin(self, seconds: float) -> None:
        """Begin a transaction that the server ends by itself where this process is gone.

        The time-outs are the transaction's own: a pooler refuses those of a session.
        """
        ms = round(seconds * 1000)
        self.raw.execute(
            f"BEGIN; SET LOCAL statement_timeout = {ms}; SET LOCAL lock_timeout = {ms}; "
            f"SET LOCAL idle_in_transaction_session_timeout = {ms}"
        )

    def commit(self) -> None:
        """Commit; raises psycopg's error also where the server rolled back in its place."""
        if self.raw.execute("COMMIT").statusmessage != "COMMIT":
            raise psycopg.errors.InFailedSqlTransaction

    def rollback(self) -> None:
        """Undo."""
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
            yield from cursor.execute(sql)

    def abort(self) -> None:
        """Cut it, from any thread: whoever waits for an answer gets an error."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it."""
        self._socket.close()
        self.raw.close()


@lru_cache(maxsize=256)
def _named(sql: str) -> Any:
    # No statement of the ledger has a colon before a letter that means something else.
    return re.sub(r":([a-z_]+)", r"%(\1)s", sql)


class Pool:
    """At most `SIZE` connections to the server that `url` names when one is opened."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: queue.LifoQueue[PostgresConnection] = queue.LifoQueue()
        self._places = threading.BoundedSemaphore(SIZE)
        self._closed = False
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
    def connection(self, seconds: float) -> Iterator[PostgresConnection]:
        """Lend a connection for so long at most; raises psycopg.Error where there is none."""
        until = time.monotonic() + seconds
        if not self._places.acquire(timeout=seconds):
            raise psycopg.errors.TooManyConnections
        try:
            db = self._take()
            guard = at(until, db.abort)
            try:
                yield db
            finally:
                guard.cancel()
                self._give(db)
        finally:
            self._places.release()

    def close(self) -> None:
        """Close those that nobody uses, and each of the others when it comes back."""
        self._closed = True
        self.drop()

    def drop(self) -> None:
        """Close those that nobody uses: the server has changed."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _take(self) -> PostgresConnection:
        with contextlib.suppress(queue.Empty):
            return self._idle.get_nowait()
        return PostgresConnection(connect(self._url))

    def _give(self, db: PostgresConnection) -> None:
        idle = psycopg.pq.TransactionStatus.IDLE
        if self._closed or db.raw.closed or db.raw.info.transaction_status != idle:
            db.close()
            if db.raw.broken:
                # The others go to the same server, which has gone or is another's standby now.
                self.drop()
        else:
            self._idle.put(db)


def connect(url: str) -> "psycopg.Connection[Any]":
    """Open a connection to a server that may be written to; TLS unless it is on this machine."""
    parts = conninfo_to_dict(url)
    host = str(parts.get("host") or parts.get("hostaddr") or "")
    defaults: dict[str, Any] = {
        "application_name": "levqor",
        "connect_timeout": _CONNECT_SECONDS,
        "target_session_attrs": "read-write",
        "tcp_user_timeout": 10_000,
    }
    if not local(host):
        defaults |= {"sslmode": "verify-full", "sslrootcert": "system"}
    return psycopg.connect("", autocommit=True, prepare_threshold=None, **{**defaults, **parts})


def local(host: str) -> bool:
    """Whether a server is on this machine: a socket's folder, or a loopback address."""
    return all(
        not each or each.startswith(("/", "@")) or loopback(each) for each in host.split(",")
    )
