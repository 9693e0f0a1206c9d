"""What the ledger needs of a database: transactions, reads, and who is alive.

`sqlite.py` and `postgres.py` are the two engines. Each statement of the ledger is one text for
both, with `:name` for its parameters.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from core.errors import LedgerError
from core.ledger.endings import Endings

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound="Stored")

Row = tuple[Any, ...]

# How long a write waits for a database that others hold, or that cannot be reached.
PATIENCE = 10.0
# After this long nobody waits for an answer any more, and where to answer is forgotten.
ANSWER_SECONDS = 30 * 60.0
# How long the last one does, of a process that ends.
LAST_WORDS = 1.0


# Codes are read aloud and typed: no letters that look like others.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def random_code(length: int) -> str:
    """A random word of letters that cannot be mistaken for one another."""
    drawn, code = secrets.randbelow(len(_ALPHABET) ** length), ""
    for _ in range(length):
        drawn, letter = divmod(drawn, len(_ALPHABET))
        code += _ALPHABET[letter]
    return code


def digest(text: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(text.encode()).digest()


class Conflict(Exception):
    """A unique index refused a row: somebody else wrote it first."""


class Undecided(LedgerError):
    """The database may or may not have taken a transaction: its answer was lost."""


def closed() -> LedgerError:
    """Make the error of who writes to a ledger that was closed."""
    return LedgerError("The database is closed; Levqor is stopping.")


class Rows(Protocol):
    """What a statement returned."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """Every row that is left."""

    def __iter__(self) -> Iterator[Any]:
        """Row by row."""


class Connection(Protocol):
    """A database connection, as the ledger's statements see it."""

    def execute(self, sql: str, parameters: Mapping[str, Any] = ..., /) -> Rows:
        """Run one statement, its parameters by name."""

    def now(self) -> float:
        """Seconds since 1970 by the database's clock: the same for everybody who uses it."""

    def claim(self, table: str) -> bool:
        """Keep others from writing to a table until the transaction ends; whether it is empty."""

    def load(self, table: str, columns: str, rows: Iterable[Row]) -> None:
        """Write many rows, in bounded memory."""


class Store(Protocol):
    """A ledger's database. Every method may be called from any thread, and blocks.

    All raise LedgerError, which says what is wrong and what to do.
    """

    place: str  # which database this is, as a sentence begins
    files: Path  # the name that the files kept beside the database begin with
    shared: bool  # whether processes of several homes use it
    grace: float  # seconds after its owner's death in which a run that is sent may still be
    look_seconds: float  # how often a bot looks for what dead processes left

    def write(
        self,
        work: Callable[[Connection], T],
        *,
        durable: bool = False,
        patience: float = PATIENCE,
        long: bool = False,
    ) -> T:
        """Run `work` as one transaction and return its result once that is committed.

        `durable` flushes it to the disk; `long` where it takes more than seconds. `work` is run
        again where the answer to its COMMIT was lost, and must then find what it wrote. Raises
        Conflict, Undecided, LedgerError.
        """

    def read(self, work: Callable[[Connection], T], *, long: bool = False) -> T:
        """Run `work`, which only reads; `long` where it takes seconds."""

    def owner(self) -> str:
        """This process, as the owner of its runs; it counts as alive from the first call on."""

    @property
    def endings(self) -> Endings | None:
        """This process's own file of endings, once it is an owner."""

    def dead(self, db: Connection, owners: Iterable[str]) -> dict[str, float]:
        """Which of these owners are dead for good, and for how many seconds at least."""

    def use(self, url: str | None) -> None:
        """Open connections with another password or by another host from now on."""

    def risks(self) -> list[tuple[str, str]]:
        """By which of its settings it may lose what was written, each with the fix."""

    def backup(self, file: Path) -> None:
        """Write a consistent copy as a SQLite database, owner-only, while others go on."""

    def close(self, last: Callable[[Connection], object] | None = None) -> None:
        """Finish writes, `last` the last of an owner's, and give up ownership."""


class Stored:
    """A part of the ledger: statements on one store."""

    store: Store
    # By surface and statement, what was claimed for it while nobody could tell whether it was.
    _claiming: dict[tuple[str, str], dict[str, Row]]

    def _of_the_dead(self, db: Connection, sql: str, args: Mapping[str, Any]) -> list[Row]:
        """The rows of dead processes; each row ends in its owner."""
        rows: list[Row] = db.execute(sql, args).fetchall()
        dead = self.store.dead(db, {row[-1] for row in rows})
        return [row for row in rows if row[-1] in dead]

    def _claim(self, surface: str, select: str, take: str, after_seconds: float) -> list[Row]:
        """Make rows of the dead ours, each by its first column; without their owner, the last."""
        # Kept until it is sure that they were claimed: the answer to a COMMIT may be lost.
        claiming = self._claiming.setdefault((surface, take), {})

        def work(db: Connection) -> list[Row]:
            args = {"surface": surface, "after": db.now() - after_seconds}
            claiming.update({row[0]: row for row in self._of_the_dead(db, select, args)})
            me = self.store.owner()
            return [
                row[:-1]
                for key, row in claiming.items()
                if db.execute(take, {"key": key, "was": row[-1], "me": me}).rowcount == 1
            ]

        rows = self.store.write(work)
        claiming.clear()
        return rows


def writes(
    *, durable: bool = False
) -> Callable[[Callable[Concatenate[S, Connection, P], T]], Callable[Concatenate[S, P], T]]:
    """Make a method, which is handed the connection, run as one transaction."""

    def decorate(
        work: Callable[Concatenate[S, Connection, P], T],
    ) -> Callable[Concatenate[S, P], T]:
        @wraps(work)
        def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
            return self.store.write(lambda db: work(self, db, *args, **kwargs), durable=durable)

        return method

    return decorate


def reads(work: Callable[Concatenate[S, Connection, P], T]) -> Callable[Concatenate[S, P], T]:
    """Make a method, which is handed the connection, read."""

    @wraps(work)
    def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.store.read(lambda db: work(self, db, *args, **kwargs))

    return method
