"""levqor.db: runs, quota, callers and plans, tokens, what was noticed.

Writes go through one thread (see writer.py); reads use a connection of their own, which
in WAL mode waits for nobody. Every method may be called from any thread, and blocks: an
event loop hands them to a thread. All raise LedgerError, which names the file.
"""

from __future__ import annotations

import dataclasses
import sqlite3
import time
from typing import TYPE_CHECKING, Any

from core.callers import is_address
from core.errors import LedgerError
from core.ledger import backup, endings, owed, people, runs, status, usage
from core.ledger.opened import OpenLedger
from core.ledger.people import random_code
from core.ledger.records import (
    Inbound,
    Owed,
    Person,
    ProbeStreak,
    Quota,
    RunRecord,
    RunRequest,
    Token,
)
from core.ledger.writer import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_GIVE_WAY_SECONDS = 0.03


class Ledger(OpenLedger):
    """The journal of one home; open it with `Ledger.open`, close it when done.

    `default_plan` is that of every caller whom nobody has put on a plan, now and later.
    """

    default_plan = "free"

    # Runs

    def accept(self, order: RunRequest, *, patience: float = PATIENCE) -> tuple[RunRecord, bool]:
        """Journal a run and reserve its quota, flushed to disk; see runs.accept."""
        owner, plan = self._owner_id(), self._begins_on(order.caller)
        try:
            return self._write(
                lambda db: runs.accept(db, order, owner, plan), durable=True, patience=patience
            )
        except sqlite3.IntegrityError:
            # Two runs drew the same ten letters: one pair in 10**14.
            again = dataclasses.replace(order, run=random_code(len(order.run)))
            return self._write(
                lambda db: runs.accept(db, again, owner, plan), durable=True, patience=patience
            )

    def sending(self, run: str) -> bool:
        """Commit that a run is on its way; False where it was settled meanwhile."""
        return self._write(lambda db: runs.sending(db, run), durable=True)

    def settle(self, run: str, state: str, **more: Any) -> bool:
        """Write a run's outcome; see runs.settle. What cannot be written is kept.

        Not flushed: a power cut in this moment makes `unknown` of it, which is honest.
        """
        at = time.time()
        try:
            return self._write(lambda db: runs.settle(db, run, state, at=at, **more))
        except LedgerError:
            self.keep(run, state=state, at=at, **more)
            raise

    def recover(self) -> list[RunRecord]:
        """Settle the runs of dead processes; a live process's runs are not touched.

        What such a process had kept of its runs is written first: what was told stands.
        """
        # Who is dead now is dead below as well: nothing is deleted that was not written.
        dead = [one for one in endings.owners(self.path) if not self._alive(one)]
        with self._reading() as db:
            left = runs.any_open(db)
        kept = {run: what for one in dead for run, what in endings.left_by(self.path, one).items()}
        settled: list[RunRecord] = []
        if left or kept:
            settled = self._write(lambda db: self._recover(db, kept), durable=bool(kept))
        for one in dead:
            endings.file_of(self.path, one).unlink(missing_ok=True)
        return settled

    def _recover(self, db: sqlite3.Connection, kept: dict[str, dict[str, Any]]) -> list[RunRecord]:
        runs.catch_up(db, kept)
        return runs.recover(
            db, self._alive, lambda owner: endings.left_by(self.path, owner), time.time()
        )

    def run(self, run: str, caller: str | None = None) -> RunRecord | None:
        """The run of an id, or of the beginning of one if only one begins so.

        With `caller` only that caller's runs are looked at, so that a beginning tells
        nothing about anybody else's.
        """
        with self._reading() as db:
            return runs.find(db, run, caller)

    def keyed(self, key: str) -> RunRecord | None:
        """The run a request's own key belongs to."""
        with self._reading() as db:
            return runs.keyed(db, key)

    def runs(self, last: int = 20, caller: str | None = None) -> list[RunRecord]:
        """The latest runs, of everybody or of one caller, latest first."""
        with self._reading() as db:
            return runs.latest(db, last, caller)

    def last(self, connector: str, states: Sequence[str]) -> RunRecord | None:
        """A connector's latest run with one of these outcomes."""
        with self._reading() as db:
            return runs.last(db, connector, states)

    def quota(self, caller: str, actions: Sequence[str]) -> list[Quota]:
        """Where a caller stands with each of these actions today."""
        day = runs.day_of(time.time())
        with self._reading() as db:
            plan = people.plan(db, caller) or self._begins_on(caller)
            limit = None if plan == "pro" else runs.FREE_LIMIT
            return [Quota(one, runs.used(db, caller, one, day), limit) for one in actions]

    def usage(self, days: int) -> list[usage.Row]:
        """Runs by connector and day over the last `days` days, today included."""
        with self._reading(long=True) as db:
            return usage.rows(db, days, time.time())

    # Who is still to be told

    def mark_notified(self, run: str) -> None:
        """The asker knows; forget where to answer. What cannot be written is kept."""
        try:
            self._write(lambda db: runs.mark_notified(db, run))
        except LedgerError:
            self.keep(run, told=True)
            raise

    def set_reply_address(self, run: str, reply_to: str) -> None:
        """Change where to answer, while the asker is still to be told."""
        self._write(lambda db: runs.set_reply_address(db, run, reply_to))

    def claim_unnotified(self, surface: str) -> list[RunRecord]:
        """Runs of dead processes whose askers still have to be told, now ours to tell."""
        owner, alive = self._owner_id(), self._alive
        return self._write(lambda db: runs.claim_untold(db, surface, owner, alive, time.time()))

    def owe(self, one: Owed, surface: str, *, patience: float = PATIENCE) -> None:
        """Write down an answer that is no run's before its request is confirmed."""
        owner, now = self._owner_id(), time.time()
        self._write(
            lambda db: owed.owe(db, one, surface, owner, now), durable=True, patience=patience
        )

    def answered(self, key: str) -> None:
        """That answer was given; forget where."""
        self._write(lambda db: owed.answered(db, key))

    def owed(self, surface: str) -> list[Owed]:
        """Answers that dead processes owed, now ours to give."""
        owner, alive = self._owner_id(), self._alive
        return self._write(lambda db: owed.claim(db, surface, owner, alive, time.time()))

    # People

    def plan(self, caller: str) -> str:
        """`free` or `pro`."""
        with self._reading() as db:
            return people.plan(db, caller) or self._begins_on(caller)

    def _begins_on(self, caller: str) -> str:
        """The plan of a caller whom nobody has put on one; an address's is always the free one."""
        return "free" if is_address(caller) else self.default_plan

    def set_plan(self, caller: str, plan: str) -> None:
        """Put a caller on a plan."""
        self._write(lambda db: people.set_plan(db, caller, plan, time.time()), durable=True)

    def callers(self) -> list[Person]:
        """Everybody who was ever seen."""
        with self._reading() as db:
            return people.people(db, self._begins_on)

    def token_new(self, label: str, *, plan: str | None = None, admin: bool = False) -> str:
        """Make a token and return it, this once; see people.token_new."""
        return self._write(
            lambda db: people.token_new(db, label, plan, admin, time.time()), durable=True
        )

    def tokens(self) -> list[Token]:
        """Every token, without the token."""
        with self._reading() as db:
            return people.tokens(db, self._begins_on)

    def token_revoke(self, label: str) -> None:
        """End a token at once."""
        self._write(lambda db: people.token_revoke(db, label, time.time()), durable=True)

    def token_check(self, token: str) -> Token | None:
        """Whose token this is; None where it is not valid."""
        with self._reading() as db:
            return people.token_check(db, token, self._begins_on)

    def pair_code(self, surface: str) -> tuple[str, float]:
        """A one-time code and when it expires (seconds since 1970)."""
        return self._write(lambda db: people.pair_code(db, surface, time.time()), durable=True)

    def redeem(self, surface: str, ident: str, code: str, *, patience: float = PATIENCE) -> bool:
        """Pair a caller with a code; False where it is wrong, used or late."""
        return self._write(
            lambda db: people.redeem(db, surface, ident, code, time.time()),
            durable=True, patience=patience,
        )  # fmt: skip

    def unpair(self, caller: str) -> None:
        """Take a pairing back."""
        self._write(lambda db: people.unpair(db, caller), durable=True)

    def paired(self, surface: str) -> list[str]:
        """The ids paired on a surface."""
        with self._reading() as db:
            return people.paired(db, surface)

    # What was noticed

    def probed(
        self, connector: str, verdict: str, reason: str | None, latency_ms: float | None
    ) -> None:
        """Write what a probe found."""
        now = time.time()
        self._write(lambda db: status.probed(db, connector, verdict, reason, latency_ms, now))

    def probes(self, connector: str, limit: int = 1) -> list[ProbeStreak]:
        """A connector's verdicts, latest first, each with since when."""
        with self._reading() as db:
            return status.stretches(db, connector, limit)

    def inbound(self, surface: str, *, ok: bool, verdict: str, fix: str | None = None) -> None:
        """Write how a way in is doing."""
        owner, now = self._owner_id(), time.time()
        self._write(
            lambda db: status.inbound(
                db, surface, ok=ok, verdict=verdict, fix=fix, owner=owner, now=now
            )
        )

    def inbounds(self) -> list[Inbound]:
        """How each way in of this home's bot is doing."""
        with self._reading() as db:
            return status.inbounds(db, self._alive)

    # Keeping

    def backup(self, file: Path) -> None:
        """Write a consistent copy, owner-only, while others go on. Refuses to overwrite."""
        with self._reading(long=True) as db:
            backup.write(db, file)

    def prune(self, days: int) -> int:
        """Delete what is older than `days` days; returns how many runs."""
        before, gone = time.time() - days * 86400, 0
        while step := self._write(lambda db: runs.prune(db, before)):
            gone += step
            # SQLite gives its lock to who asks first; one who waits asks every 20 ms or so.
            time.sleep(_GIVE_WAY_SECONDS)
        self._write(lambda db: people.prune(db, before))
        self._write(lambda db: status.prune(db, before), durable=True)
        return gone
