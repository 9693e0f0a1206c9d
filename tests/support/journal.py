"""Short words for tests of the ledger: orders, and runs that were accepted or have ended."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

from core.ledger import Ledger, RunRequest, random_code

if TYPE_CHECKING:
    from core.ledger import RunRecord

DO = "sample.do"
NOW = 1_800_000_000.0


def order(**more: Any) -> RunRequest:
    """A run of Ada's, or what `more` makes of it."""
    base = RunRequest(
        run=random_code(10), at=time.time(), action=DO, connector="sample", caller="cli:ada",
        surface="cli", fingerprint=b"f" * 32,
    )  # fmt: skip
    return dataclasses.replace(base, **more)


def accept(ledger: Ledger, **more: Any) -> tuple[RunRecord, bool]:
    return ledger.accept(order(**more))


def finish(ledger: Ledger, outcome: str, **more: Any) -> RunRecord | None:
    """A run from its beginning to its end."""
    entry, _ = accept(ledger, **more)
    ledger.sending(entry.run)
    ledger.settle(entry.run, outcome, attempts=1, ms=12.5)
    return ledger.run(entry.run)


def charged(ledger: Ledger) -> int:
    """How many runs use up quota, whoever asked for them."""
    sql = "SELECT count(*) FROM runs WHERE charged = 1"
    return int(ledger.store.read(lambda db: db.execute(sql).fetchone()[0]))


def row(ledger: Ledger, run: str, columns: str) -> tuple[Any, ...]:
    """Some columns of a run."""
    sql = f"SELECT {columns} FROM runs WHERE run = :run"
    return tuple(ledger.store.read(lambda db: db.execute(sql, {"run": run}).fetchone()))


def die(ledger: Ledger) -> None:
    """End a process's ownership as its death would: nothing is said, and others can tell."""
    store: Any = ledger.store
    if store.shared:
        args = {"me": store.owner(), "now": time.time()}
        store._closing.set()
        sql = "UPDATE bots SET dead = 1, until = :now WHERE owner = :me"
        store.write(lambda db: db.execute(sql, args))
        store.close()
    else:
        store._owner.close()
        store._owner = None
        store.close()
