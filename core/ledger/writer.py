"""One thread, one connection: every write of this process, several to a commit."""

import contextlib
import queue
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.errors import LedgerError
from core.ledger.explain import LOCKED, code_of
from core.ledger.file import Connection
from core.ledger.store import PATIENCE, closed

T = TypeVar("T")

BATCH = 64
# SQLite's own waiting is kept short so that each write's own patience is looked at.
_BUSY_MS = 50
# After this long without a write the write-ahead log is emptied.
_IDLE = 1.0
# Where writes never pause, what idleness would have cleared is cleared this often.
_NO_PAUSE = 60.0


@dataclass(eq=False)
class _Piece:
    work: Callable[[Connection], Any]
    durable: bool
    give_up: float
    future: Future[Any] = field(default_factory=Future)
    result: Any = None  # once the work is done; the future has it once that is committed


class Writer:
    """Takes pieces of work from any thread and commits them in the order they came.

    Each piece runs in a savepoint of its own, so one that fails takes nothing with it.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        check: Callable[[], None],
        explain: Callable[[Exception], LedgerError],
        idle: Callable[[Connection], float | None],
    ) -> None:
        """`check` raises LedgerError where a commit would be lost.

        `idle` runs when writes pause, and at least once a minute; it returns the seconds
        until it wants to run again.
        """
        self._connect = connect
        self._check = check
        self._explain = explain
        self._idle = idle
        self._pieces: queue.SimpleQueue[_Piece | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="levqor-ledger", daemon=True)
        self._open: Future[None] = Future()
        self._lock = threading.Lock()
        self._closed = False
        self._level = ""
        self._rested = time.monotonic()

    def start(self) -> None:
        """Open the connection on the thread; raises LedgerError where that fails."""
        self._thread.start()
        self._open.result()

    def call(
        self,
        work: Callable[[Connection], T],
        *,
        durable: bool = False,
        patience: float = PATIENCE,
    ) -> T:
        """Run `work` inside a transaction and return its result once that is committed.

        `durable` flushes to the disk before it returns. Raises LedgerError when the ledger
        stays locked for longer than `patience` seconds, or cannot be written.
        """
        piece = _Piece(work, durable, time.monotonic() + patience)
        with self._lock:
            if self._closed:
                raise closed()
            self._pieces.put(piece)
        result: T = piece.future.result()
        return result

    def close(self) -> None:
        """Finish what is queued, empty the write-ahead log and close."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._pieces.put(None)
        self._thread.join()

    def _loop(self) -> None:
        try:
            connection = self._connect()
            connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever opens
            self._open.set_exception(error)
            return
        self._open.set_result(None)
        # What a dead process left in the write-ahead log goes soon after the start.
        wait: float | None = _IDLE
        while True:
            try:
                first = self._pieces.get(timeout=wait)
            except queue.Empty:
                wait = self._rest(connection)
                continue
            if first is None:
                break
            batch = [first]
            self._join(batch, BATCH)
            self._commit(connection, batch)
            wait = _IDLE
            if time.monotonic() - self._rested > _NO_PAUSE:
                self._rest(connection)
        self._rest(connection)
        connection.close()

    def _join(self, batch: list[_Piece], most: int) -> None:
        """Add what has queued up."""
        while len(batch) < most:
            try:
                piece = self._pieces.get_nowait()
            except queue.Empty:
                return
            if piece is None:
                # Nothing comes after it: it is the next to be found again.
                self._pieces.put(None)
                return
            batch.append(piece)

    def _rest(self, connection: Connection) -> float | None:
        self._rested = time.monotonic()
        try:
            return self._idle(connection)
        except Exception:  # noqa: BLE001 - this thread must outlive it
            # Somebody else is writing, or the disk is full: the next pause tries again.
            with contextlib.suppress(sqlite3.Error):
                connection.rollback()
            return _IDLE * 10

    def _commit(self, connection: Connection, batch: list[_Piece]) -> None:
        try:
            self._check()
            self._begin(connection, batch)
            for piece in batch:
                self._run(connection, piece)
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - this thread must outlive it, and nobody wait for ever
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            for piece in batch:
                if not piece.future.done():
                    # Each its own: a raise writes its traceback into it.
                    known = error.replace() if isinstance(error, LedgerError) else None
                    piece.future.set_exception(known or self._explain(error))
            return
        for piece in batch:
            if not piece.future.done():
                piece.future.set_result(piece.result)

    def _begin(self, connection: Connection, batch: list[_Piece]) -> None:
        """Begin a transaction; pieces whose patience ends meanwhile leave the batch."""
        while batch:
            self._flush_for(connection, batch)
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if code_of(error) not in LOCKED:
                    raise
                now = time.monotonic()
                for piece in [p for p in batch if p.give_up <= now]:
                    piece.future.set_exception(self._explain(error))
                    batch.remove(piece)
                # Those who came since may have less patience; whoever waits is a thread.
                self._join(batch, sys.maxsize)
            else:
                return
        # Nobody is left waiting; COMMIT still needs something to end.
        connection.execute("BEGIN")

    def _flush_for(self, connection: Connection, batch: list[_Piece]) -> None:
        level = "FULL" if any(piece.durable for piece in batch) else "NORMAL"
        if level != self._level:
            connection.execute(f"PRAGMA synchronous={level}")
            self._level = level

    def _run(self, connection: Connection, piece: _Piece) -> None:
        connection.execute("SAVEPOINT piece")
        try:
            piece.result = piece.work(connection)
        except Exception as error:
            if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
                raise  # it ends the transaction, and with it the whole batch
            connection.execute("ROLLBACK TO piece")
            piece.future.set_exception(error.with_traceback(None))
        else:
            connection.execute("RELEASE piece")
