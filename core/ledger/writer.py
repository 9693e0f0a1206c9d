"""One connection for every write of this process, several to a commit."""

import contextlib
import math
import sqlite3
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
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


def _taken() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(eq=False)
class _Piece:
    """Work, and how it ended; `turn` is released when it did, or when its caller is to lead."""

    work: Callable[[Connection], Any]
    durable: bool
    give_up: float
    turn: threading.Lock = field(default_factory=_taken)
    done: bool = False
    result: Any = None
    error: Exception | None = None

    def wait_for_turn(self) -> bool:
        self.turn.acquire()
        return not self.done

    def end(self, error: Exception | None = None) -> None:
        self.error, self.done = self.error or error, True
        self.turn.release()


class Writer:
    """Takes pieces of work from any thread and commits them in the order they came.

    A caller who finds nobody at it commits its own piece, with whatever else has queued up, and
    leaves what came meanwhile to the first who waits: one alone waits for no other thread. Each
    of several pieces runs in a savepoint of its own, so one that fails takes nothing with it.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        check: Callable[[], None],
        explain: Callable[[Exception], LedgerError],
        idle: Callable[..., float | None],
        no_pause: float = _NO_PAUSE,
    ) -> None:
        """`check` raises LedgerError where a commit would be lost.

        `idle` is given the connection, and `goes_on` unless this is the end. It runs when writes
        pause, and at least every `no_pause` seconds; it returns the seconds until it wants to run
        again.
        """
        self._no_pause = no_pause
        self._check = check
        self._explain = explain
        self._idle = idle
        self._lock = threading.Lock()
        self._free = threading.Condition(self._lock)  # nobody leads
        self._pieces: deque[_Piece] = deque()
        self._leader: object = None  # whoever uses the connection; if a caller, its piece
        self._closed = False
        self._level = ""
        self._wrote = self._rested = time.monotonic()
        self._ending = threading.Event()
        self._connection = connect()
        self._connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        self._thread = threading.Thread(target=self._watch, name="levqor-ledger", daemon=True)
        self._thread.start()

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
        leads = self._queue(piece)
        try:
            if leads or piece.wait_for_turn():
                self._lead(piece)
        except BaseException:
            # Ctrl-C: those who wait must not wait for this one.
            with self._lock, contextlib.suppress(ValueError):
                self._pieces.remove(piece)
            if self._leader is piece:  # pragma: no cover - only a Ctrl-C at that very moment
                self._hand_over([])
            raise
        if piece.error is not None:
            raise piece.error
        result: T = piece.result
        return result

    def close(self) -> None:
        """Finish what is queued, empty the write-ahead log and close."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._free.wait_for(lambda: self._leader is None)
        self._ending.set()
        self._thread.join()
        self._rest(goes_on=False)
        self._connection.close()

    def _queue(self, piece: _Piece) -> bool:
        """Whether its caller is to lead at once."""
        with self._lock:
            if self._closed:
                raise closed()
            self._pieces.append(piece)
            if leads := self._leader is None:
                self._leader = piece
            return leads

    def _lead(self, mine: _Piece) -> None:
        batch: list[_Piece] = []
        try:
            self._join(batch, BATCH)
            self._commit(batch)
            self._wrote = time.monotonic()
            if self._wrote - self._rested > self._no_pause:
                self._rest()
        except BaseException:
            mine.done = True
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            raise
        finally:
            self._hand_over([piece for piece in batch if not piece.done])

    def _join(self, batch: list[_Piece], most: int) -> None:
        """Add what has queued up."""
        with self._lock:
            while self._pieces and len(batch) < most:
                batch.append(self._pieces.popleft())

    def _hand_over(self, left: list[_Piece]) -> None:
        """Let the first who waits lead; `left` were taken, and are to be again."""
        with self._lock:
            self._pieces.extendleft(reversed(left))
            self._leader = self._pieces[0] if self._pieces else None
            if self._pieces:
                self._pieces[0].turn.release()
            elif self._closed:
                self._free.notify_all()

    def _watch(self) -> None:
        """Rest when writes pause."""
        due = time.monotonic() + _IDLE  # what a dead process left in the write-ahead log
        # A look each second: to be woken would cost the first write after a pause more.
        while not self._ending.wait(max(0.0, min(_IDLE, due - time.monotonic()))):
            if self._wrote > self._rested:
                due = self._wrote + _IDLE
            if time.monotonic() >= due:
                again = self._pause()
                due = math.inf if again is None else time.monotonic() + again

    def _pause(self) -> float | None:
        with self._lock:
            if self._leader is not None:
                return _IDLE
            self._leader = self
        try:
            return self._rest()
        finally:
            self._hand_over([])

    def _rest(self, *, goes_on: bool = True) -> float | None:
        self._rested = time.monotonic()
        try:
            return self._idle(self._connection, goes_on=goes_on)
        except Exception:  # noqa: BLE001 - whoever rests must outlive it
            # Somebody else is writing, or the disk is full: the next pause tries again.
            with contextlib.suppress(sqlite3.Error):
                self._connection.rollback()
            return _IDLE * 10

    def _commit(self, batch: list[_Piece]) -> None:
        db = self._connection
        try:
            self._check()
            if not self._begin(batch):
                return
            for piece in batch:
                self._run(piece, alone=len(batch) == 1)
            if db.in_transaction:
                db.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - each who waits is told, and nobody waits for ever
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            for piece in batch:
                # Each its own: a raise writes its traceback into it.
                known = error.replace() if isinstance(error, LedgerError) else None
                piece.end(known or self._explain(error))
            return
        for piece in batch:
            piece.end()

    def _begin(self, batch: list[_Piece]) -> bool:
        """Begin a transaction; False where the patience of the first, who leads, ends before.

        Others whose patience ends meanwhile leave the batch.
        """
        mine = batch[0]
        while not mine.done:
            self._flush_for(batch)
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if code_of(error) not in LOCKED:
                    raise
                now = time.monotonic()
                for piece in [p for p in batch if p.give_up <= now]:
                    batch.remove(piece)
                    piece.end(self._explain(error))
                # Those who came since may have less patience; whoever waits is a thread.
                self._join(batch, sys.maxsize)
            else:
                return True
        return False

    def _flush_for(self, batch: list[_Piece]) -> None:
        level = "FULL" if any(piece.durable for piece in batch) else "NORMAL"
        if level != self._level:
            self._connection.execute(f"PRAGMA synchronous={level}")
            self._level = level

    def _run(self, piece: _Piece, *, alone: bool) -> None:
        db = self._connection
        try:
            if not alone:
                db.execute("SAVEPOINT piece")
            piece.result = piece.work(db)
            if not alone:
                db.execute("RELEASE piece")
        except Exception as error:
            if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
                raise  # it ends the transaction, and with it the whole batch
            db.execute("ROLLBACK" if alone else "ROLLBACK TO piece")
            piece.error = error.with_traceback(None)
