"""Who is still to be told what: how a run ended, or an answer that is no run's."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from core.errors import LedgerError
from core.ledger import owed, runs
from core.ledger.opened import OpenLedger
from core.ledger.writer import PATIENCE

if TYPE_CHECKING:
    from core.ledger.entries import Entry, Owed


class TellingLedger(OpenLedger):
    """Where to answer, kept until the asker was told and half an hour at most."""

    def told(self, run: str) -> None:
        """The asker knows; forget where to answer. What cannot be written is kept."""
        try:
            self._write(lambda db: runs.told(db, run))
        except LedgerError:
            self.keep(run, told=True)
            raise

    def answer_at(self, run: str, reply_to: str) -> None:
        """Change where to answer, while the asker is still to be told."""
        self._write(lambda db: runs.answer_at(db, run, reply_to))

    def untold(self, surface: str) -> list[Entry]:
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
