"""The audit: who changed which person, role, plan, token or target, and from what to what."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from core.ledger.records import AuditRecord
from core.ledger.store import Connection, Stored, random_code, reads

State = Mapping[str, Any] | None


class Audit(Stored):
    """Changes that people make, each written down in the transaction that makes it."""

    def _audited(
        self, by: str, what: str, subject: str, work: Callable[[Connection], tuple[State, State]]
    ) -> None:
        """Make a change once and write it down; `work` returns what was before and what is after.

        Neither holds a secret, and addresses in them are masked. A change of nothing is no row.
        """
        change = random_code(16)

        def once(db: Connection) -> None:
            # Where the answer to the COMMIT was lost, the row tells that the change was made.
            mine = {"change": change}
            if db.execute("SELECT 1 FROM audit WHERE change = :change", mine).fetchone():
                return
            before, after = work(db)
            if before == after:
                return
            row = {"at": db.now(), "who": by, "what": what, "subject": subject}
            states = {"before": before and json.dumps(before), "after": after and json.dumps(after)}
            db.execute(
                "INSERT INTO audit (change, at, who, what, subject, before, after) "
                "VALUES (:change, :at, :who, :what, :subject, :before, :after)",
                {**mine, **row, **states},
            )

        self.store.write(once, durable=True)

    @reads
    def audit(self, db: Connection, last: int = 50) -> list[AuditRecord]:
        """The latest changes, latest first."""
        rows = db.execute(
            "SELECT at, who, what, subject, before, after FROM audit "
            "ORDER BY at DESC, change LIMIT :last",
            {"last": last},
        )
        return [AuditRecord.of(row) for row in rows]
