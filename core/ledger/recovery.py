"""What the database could not take, and what dead processes left: it is written later."""

from collections.abc import Mapping
from typing import Any

from core.errors import LedgerError
from core.ledger import endings, runs
from core.ledger.accept import read
from core.ledger.records import RunRecord, RunRequest
from core.ledger.runs import OPEN, Runs
from core.ledger.store import PATIENCE, Connection, Store, Undecided, reads, writes

_INTERRUPTED = {
    "accepted": ("not_sent", "interrupted_before"),
    "sending": ("unknown", "interrupted"),
}


# A transaction of more would take longer than a database far away is given for one.
_STEP = 25


class Recovery(Runs):
    """How runs ended, kept beside the database while it cannot be written."""

    def accept(self, request: RunRequest, *, patience: float = PATIENCE) -> tuple[RunRecord, bool]:
        """Journal a run, as `Runs.accept`; one that may have been journaled is not sent."""
        try:
            return super().accept(request, patience=patience)
        except Undecided as error:
            self.keep(request.run, state="not_sent", code=error.code, reason=error.reason)
            raise

    def settle(self, run: str, state: str, **more: Any) -> bool:
        """Write a run's outcome, False where it had one; what cannot be written is kept.

        Not flushed: a power cut in this moment makes `unknown` of it, which is honest.
        """
        try:
            return self.store.write(lambda db: runs.settle(db, run, state, **more))
        except LedgerError:
            self.keep(run, state=state, **more)
            raise

    def mark_notified(self, run: str) -> None:
        """The asker knows; forget where to answer. What cannot be written is kept."""
        try:
            self.store.write(lambda db: runs.forget_reply(db, run))
        except LedgerError:
            self.keep(run, told=True)
            raise

    def keep(self, run: str, **what: Any) -> None:
        """Keep what is known of a run until `catch_up` or the next start writes it."""
        if (mine := self.store.endings) is not None:
            mine.put(run, **what)

    def kept(self, *, safe: bool | None = None) -> list[str]:
        """The runs of which something is kept; with `safe`, where that outlives this process."""
        if (mine := self.store.endings) is None:
            return []
        return [run for run in mine.kept if safe is None or mine.safe(run) is safe]

    def catch_up(self, *, patience: float = PATIENCE) -> None:
        """Write what was kept."""
        if (mine := self.store.endings) is not None and (kept := mine.kept):
            self.store.write(lambda db: runs.catch_up(db, kept), patience=patience)
            for run, what in kept.items():
                mine.drop(run, what)

    def recover(self) -> list[RunRecord]:
        """Settle the runs of dead processes; a live process's runs are not touched.

        What such a process had kept of its runs is written first: what was told stands.
        """
        # Who is dead now is dead below as well: nothing is deleted that was not written.
        files = self.store.files
        owners = endings.owners(files)
        dead = self.store.read(lambda db: self.store.dead(db, owners)) if owners else {}
        kept = {run: what for owner in dead for run, what in endings.left_by(files, owner).items()}
        settled: list[RunRecord] = []
        if kept or self._any_open():
            while step := self._settle_left(kept):
                settled, kept = settled + step, {}
        for owner in dead:
            endings.file_of(files, owner).unlink(missing_ok=True)
        return settled

    @reads
    def _any_open(self, db: Connection) -> bool:
        return bool(runs.open_owners(db))

    @writes(durable=True)
    def _settle_left(
        self, db: Connection, kept: Mapping[str, Mapping[str, Any]]
    ) -> list[RunRecord]:
        return settle_left(db, self.store, kept)


def settle_left(
    db: Connection, store: Store, kept: Mapping[str, Mapping[str, Any]]
) -> list[RunRecord]:
    """Write what dead processes had kept, then settle some of what else they left."""
    runs.catch_up(db, kept)
    settled: list[RunRecord] = []
    dead = store.dead(db, runs.open_owners(db))
    for owner, seconds in sorted(dead.items()):
        runs.catch_up(db, endings.left_by(store.files, owner))
        late = OPEN if seconds >= store.grace else "state = 'accepted'"
        where = f"WHERE owner = :owner AND {late} ORDER BY run LIMIT :step"
        for run in read(db, where, owner=owner, step=_STEP - len(settled)):
            outcome, reason = _INTERRUPTED[run.state]
            ending = {"code": "upstream_error", "reason": reason, "left": run.state}
            if runs.settle(db, run.run, outcome, **ending):  # type: ignore[arg-type]
                settled += read(db, "WHERE run = :run", run=run.run)
    return settled
