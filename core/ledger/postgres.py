"""The ledger's PostgreSQL engine: several bots on one database.

A process owns its runs as long as its row in `bots` has a lease that it keeps up, by the
database's clock alone. Nothing here depends on a session, so poolers in transaction mode work.
"""

import contextlib
import logging
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import psycopg

from core.backoff import backoff
from core.errors import LedgerError
from core.home import DATABASE
from core.ledger import backup, postgres_risks, postgres_schema
from core.ledger.endings import Endings
from core.ledger.file import make_home
from core.ledger.postgres_connection import CommitLost, Pool, PostgresConnection, transaction
from core.ledger.postgres_errors import explain, passes
from core.ledger.store import LAST_WORDS, PATIENCE, Conflict, Connection, Undecided, closed
from core.logs import mistake

T = TypeVar("T")

_log = logging.getLogger(__name__)

# One try of a transaction; who waits longer for a row than that has met a stuck process.
_TRY_SECONDS = 5.0
# A report over many days; and a copy of everything, or a new index on it.
_LONG_SECONDS, _COPY_SECONDS = 600.0, 86400.0
_SHORTEST_TRY = 0.1
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0
_SWEEP_SECONDS = 60.0


@dataclass(frozen=True)
class Lease:
    """How long a process counts as alive that is not heard of, in seconds.

    It says that it lives every `beat`. What it had begun to send is called unknown only once
    its lease has ended `grace` ago, which is longer than a run may take.
    """

    seconds: float = 30.0
    beat: float = 5.0
    grace: float = 45.0


class PostgresStore:
    """A PostgreSQL database that several processes share; a `Store`."""

    shared = True

    def __init__(
        self, files: Path, pool: Pool, sweep: Callable[[Connection], int], lease: Lease
    ) -> None:
        self.files, self.place = files, pool.place
        self.grace, self.look_seconds = lease.grace, lease.beat
        self._pool = pool
        self._sweep = sweep
        self._lease = lease
        self._owner: str | None = None
        self._endings: Endings | None = None
        self._owner_lock = threading.RLock()
        self._living: threading.Thread | None = None
        self._closing = threading.Event()

    @classmethod
    def open(
        cls,
        home: Path,
        url: str,
        sweep: Callable[[Connection], int],
        lease: Lease = Lease(),
    ) -> Self:
        """Open the database that `url` names, made or migrated where needed."""
        make_home(home)
        store = cls(home / DATABASE, Pool(url), sweep, lease)
        try:
            if not store.read(postgres_schema.current):
                store.write(postgres_schema.migrate, long=True)
        except BaseException:
            store.close()
            raise
        return store

    def close(self, last: Callable[[Connection], object] | None = None) -> None:
        """Give up ownership and every connection."""
        self._closing.set()
        with self._owner_lock:
            if self._endings is not None:
                if last is not None:
                    with contextlib.suppress(LedgerError):
                        self.write(last, patience=LAST_WORDS)
                self._endings.close()
        self._pool.close()

    def write(
        self,
        work: Callable[[Connection], T],
        *,
        durable: bool = False,  # noqa: ARG002 - Store's: what is not flushed may be lost while we live
        patience: float = PATIENCE,
        long: bool = False,
    ) -> T:
        """Run `work` as a transaction, again where that is lost before or at its COMMIT."""
        seconds = _COPY_SECONDS if long else 0.0
        return self._patiently(lambda db: transaction(db, work), patience, long=seconds)

    def read(self, work: Callable[[Connection], T], *, long: bool = False) -> T:
        """Run `work`, each statement on its own."""
        return self._patiently(work, PATIENCE, long=_LONG_SECONDS if long else 0.0)

    def _patiently(
        self,
        work: Callable[[PostgresConnection], T],
        patience: float,
        *,
        long: float = 0.0,
        reserved: bool = False,
    ) -> T:
        """Run `work` until the database has answered, or patience ends.

        What takes `long`, so many seconds at most, is not tried again after that.
        """
        if self._pool.closed:
            raise closed()
        until = time.monotonic() + patience
        undecided, tries = False, 0
        while True:
            tries += 1
            try:
                left = max(_SHORTEST_TRY, min(_TRY_SECONDS, until - time.monotonic()))
                with self._pool.connection(long or left, wait=left, reserved=reserved) as db:
                    return work(db)
            except psycopg.IntegrityError as error:
                raise Conflict(error.sqlstate) from None
            except (psycopg.Error, CommitLost) as error:
                undecided = undecided or isinstance(error, CommitLost)
                known, again = self._judge(error)
            # Not in the handler: psycopg's error keeps a socket open for as long as it is kept.
            wait = backoff(tries, first=_FIRST_WAIT, longest=_LONGEST_WAIT, jitter=0.5)
            if not again or time.monotonic() + wait > until:
                if undecided:
                    raise Undecided(known.message, fix=known.fix, reason=known.reason)
                raise known
            time.sleep(wait)

    def _judge(self, error: psycopg.Error | CommitLost) -> tuple[LedgerError, bool]:
        """What an error means, and whether another try may find it otherwise."""
        cause = error.cause if isinstance(error, CommitLost) else error
        if isinstance(cause, psycopg.errors.ReadOnlySqlTransaction):
            self._pool.drop()  # another host may be the primary now
        return explain(self.place, cause), passes(cause)

    def owner(self) -> str:
        """This process, as the owner of its runs."""
        with self._owner_lock:
            if self._owner is None:
                try:
                    if self._living is None:
                        living = threading.Thread(
                            target=self._live, name="levqor-lease", daemon=True
                        )
                        living.start()
                        self._living = living
                except RuntimeError:
                    raise LedgerError(
                        "This process may start no more threads, and needs one for the database.",
                        fix="Close some programs, or raise its limit (ulimit -u).",
                        reason="ledger_threads",
                    ) from None
                self._register()
            return str(self._owner)

    @property
    def endings(self) -> Endings | None:
        """This process's own file of endings, once it is an owner."""
        return self._endings

    def dead(self, db: Connection, owners: Iterable[str]) -> dict[str, float]:
        """Which owners were declared dead, or have said that they end."""
        if not (asked := set(owners)):
            return {}
        rows = db.execute(
            "SELECT owner, dead, until FROM bots WHERE owner = ANY(:owners)",
            {"owners": list(asked)},
        ).fetchall()
        now = db.now()
        gone = dict.fromkeys(asked - {row[0] for row in rows}, math.inf)
        return gone | {owner: now - until for owner, dead, until in rows if dead}

    def use(self, url: str | None) -> None:
        """Open connections with another password or by another host from now on."""
        if url is not None:
            self._pool.use(url)

    def risks(self) -> list[tuple[str, str]]:
        """By which of its settings the server may lose what was written, each with the fix."""
        return self.read(postgres_risks.risks)

    def backup(self, file: Path) -> None:
        """Copy every table, as of one moment, into a SQLite database."""

        def copy(db: PostgresConnection) -> None:
            with db.snapshot() as rows:
                backup.write_rows(rows, file)

        self._patiently(copy, PATIENCE, long=_COPY_SECONDS)

    def _register(self) -> None:
        """Begin to own runs under a name that was never used, and go on as who this was before."""
        names = {"owner": secrets.token_hex(8), "was": self._owner or ""}

        def register(db: Connection) -> None:
            now = db.now()
            db.execute(
                "INSERT INTO bots (owner, label, version, settings, since, held, until, dead) "
                "SELECT :owner, max(label), max(version), max(settings), "
                "coalesce(min(since), :now), :now, :until, 0 FROM bots WHERE owner = :was "
                "ON CONFLICT (owner) DO NOTHING",
                {**names, "now": now, "until": now + self._lease.seconds},
            )
            db.execute("UPDATE inbound SET owner = :owner WHERE owner = :was", names)

        # Before its file is made: one whose owner has no row is a dead process's.
        self._alone(register, PATIENCE)
        try:
            if self._endings is None:
                self._endings = Endings(self.files, names["owner"])
            else:
                self._endings.move(self.files, names["owner"])
        except OSError as error:
            with contextlib.suppress(LedgerError):
                self.write(lambda db: db.execute("DELETE FROM bots WHERE owner = :owner", names))
            raise LedgerError(
                f"{self.files.parent} cannot be written ({error.strerror}).",
                fix="Make room there, or make it writable: ends of runs are kept in it.",
                reason="ledger_home",
            ) from None
        self._owner = names["owner"]

    def _live(self) -> None:
        """Keep the lease up, and declare dead who did not, until this is closed."""
        swept = 0.0
        while not self._closing.wait(self._lease.beat):
            if self._owner is None:
                continue
            try:
                if not self._alone(self._beat, self._lease.beat):
                    # Another declared this process dead while it stood still: what it had
                    # accepted was settled, and what it has to say of its runs is still heard.
                    with self._owner_lock:
                        if self._closing.is_set():
                            return
                        _log.warning("the lease was lost; going on under another")
                        self._register()
                if time.monotonic() - swept > _SWEEP_SECONDS:
                    swept = time.monotonic()
                    self.write(self._sweep, patience=self._lease.beat)
            except LedgerError:
                continue
            # This thread must outlive it.
            except Exception as fault:  # noqa: BLE001  # pragma: no cover - a fault of ours
                _log.error("the lease was not kept up: %s", mistake(fault))

    def _alone(self, work: Callable[[Connection], T], patience: float) -> T:
        # Not behind those who wait for a place: a lease that ends stops them all.
        return self._patiently(lambda db: transaction(db, work), patience, reserved=True)

    def _beat(self, db: Connection) -> bool:
        args = {"me": self._owner, "now": (now := db.now()), "lease": self._lease.seconds}
        mine = db.execute(
            "UPDATE bots SET held = CASE WHEN until < :now THEN :now ELSE held END, "
            "until = :now + :lease WHERE owner = :me AND dead = 0 RETURNING held",
            args,
        ).fetchone()
        if mine is None:
            return False
        # After an outage everybody's lease has ended. Only who has kept one up since before
        # theirs ended, or for a whole lease by now, can tell that another has not. One who is
        # about to say that it lives is not waited for: this lease would end meanwhile.
        db.execute(
            "UPDATE bots SET dead = 1 WHERE owner IN (SELECT owner FROM bots WHERE dead = 0 "
            "AND until < :now AND (:held < until OR :held < :now - :lease) FOR UPDATE SKIP LOCKED)",
            {**args, "held": min(mine[0], now)},
        )
        return True
