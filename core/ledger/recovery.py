"""What the database could not take, and what dead processes left: it is written later."""

import time
from typing import Any

from core.errors import LedgerError
from core.ledger import endings, runs
from core.ledger.records import RunRecord
from core.ledger.runs import Runs
from core.ledger.writer import PATIENCE


class Recovery(Runs):
    """How runs ended, kept beside the database while it cannot be written."""

    def settle(self, run: str, state: str, **more: Any) -> bool:
        """Write a run's outcome, False where it had one; what cannot be written is kept.

        Not flushed: a power cut in this moment makes `unknown` of it, which is honest.
        """
        at = time.time()
        try:
            return self._write(lambda db: runs.settle(db, run, state, at=at, **more))
        except LedgerError:
            self.keep(run, state=state, at=at, **more)
            raise

    def mark_notified(self, run: str) -> None:
        """The asker knows; forget where to answer. What cannot be written is kept."""
        try:
            self._write(lambda db: runs.forget_reply(db, run))
        except LedgerError:
            self.keep(run, told=True)
            raise

    def keep(self, run: str, **what: Any) -> None:
        """Keep what is known of a run until `catch_up` or the next start writes it."""
        if self._owner is not None:
            self._owner.endings.put(run, **what)

    def kept(self, *, safe: bool | None = None) -> list[str]:
        """The runs of which something is kept; with `safe`, where that outlives this process."""
        if self._owner is None:
            return []
        kept = self._owner.endings
        return [run for run in kept.kept if safe is None or kept.safe(run) is safe]

    def catch_up(self, *, patience: float = PATIENCE) -> None:
        """Write what was kept."""
        if self._owner is not None and (kept := self._owner.endings.kept):
            self._write(lambda db: runs.catch_up(db, kept), patience=patience)
            for run, what in kept.items():
                self._owner.endings.drop(run, what)

    def recover(self) -> list[RunRecord]:
        """Settle the runs of dead processes; a live process's runs are not touched.

        What such a process had kept of its runs is written first: what was told stands.
        """
        # Who is dead now is dead below as well: nothing is deleted that was not written.
        dead = [owner for owner in endings.owners(self.path) if not self._alive(owner)]
        kept = {
            run: what for owner in dead for run, what in endings.left_by(self.path, owner).items()
        }
        settled: list[RunRecord] = []
        if kept or self._any_open():
            settled = self._settle_left(kept)
        for owner in dead:
            endings.file_of(self.path, owner).unlink(missing_ok=True)
        return settled
