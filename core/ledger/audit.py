"""The audit: who changed which person, role, plan, token or target, and from what to what."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from core.callers import is_address
from core.ledger.records import AuditRecord
from core.ledger.store import PATIENCE, Connection, Stored, random_code, reads
from core.masking import mask

State = Mapping[str, Any] | None

# Who makes a change that nobody asked for.
LEVQOR = "levqor"
_MOST = 2**31
_END = 1e12  # no moment is later


class Audit(Stored):
    """Changes that people make, each written down in the transaction that makes it."""

    def _audited(
        self,
        by: str,
        what: str,
        subject: str,
        work: Callable[[Connection], tuple[State, State]],
        *,
        patience: float = PATIENCE,
    ) -> bool:
        """Make a change once and write it down; `work` returns what was before and what is after.

        Neither holds a secret, and addresses in them are masked. A change of nothing is no row,
        and the answer is False.
        """
        change = random_code(16)
        if is_address(subject):
            surface, _, address = subject.partition(":")
            subject = f"{surface}:{mask(address)}"

        def once(db: Connection) -> bool:
            # Where the answer to the COMMIT was lost, the row tells that the change was made.
            mine = {"change": change}
            if db.execute("SELECT 1 FROM audit WHERE change = :change", mine).fetchone():
                return True
            before, after = work(db)
            if before == after:
                return False
            row = {"at": db.now(), "who": by, "what": what, "subject": subject}
            states = {"before": before and json.dumps(before), "after": after and json.dumps(after)}
            db.execute(
                "INSERT INTO audit (change, at, who, what, subject, before, after) "
                "VALUES (:change, :at, :who, :what, :subject, :before, :after)",
                {**mine, **row, **states},
            )
            return True

        return self.store.write(once, durable=True, patience=patience)

    @reads
    def audit(
        self,
        db: Connection,
        last: int | None = None,
        since: float = 0.0,
        before: tuple[float, str] | None = None,
    ) -> list[AuditRecord]:
        """The changes since a moment, latest first; all of them, or the last ones.

        With `before`, a change's time and ID, only those that come after it in this list.
        """
        at, change = before or (_END, "")
        rows = db.execute(
            "SELECT change, at, who, what, subject, before, after FROM audit WHERE at >= :since "
            "AND at <= :at AND (at < :at OR change > :change) ORDER BY at DESC, change LIMIT :last",
            {
                "last": _MOST if last is None else last,
                "since": since,
                "at": at,
                "change": change,
            },
        )
        return [AuditRecord.of(row) for row in rows]
