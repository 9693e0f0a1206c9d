"""Callers and their plans."""

from core.callers import is_address
from core.ledger.records import Person
from core.ledger.store import Connection, Stored, reads, writes


class People(Stored):
    """Who was seen, and who is on which plan.

    `default_plan` is that of every caller whom nobody has put on a plan, now and later.
    """

    default_plan = "free"

    @reads
    def plan(self, db: Connection, caller: str) -> str:
        """`free` or `pro`."""
        return self._plan(db, caller)

    def _plan(self, db: Connection, caller: str) -> str:
        sql = "SELECT plan FROM callers WHERE caller = :caller"
        row = db.execute(sql, {"caller": caller}).fetchone()
        return (row and row[0]) or self._begins_on(caller)

    def _begins_on(self, caller: str) -> str:
        """The plan of a caller whom nobody has put on one; an address's is always the free one."""
        return "free" if is_address(caller) else self.default_plan

    @writes(durable=True)
    def set_plan(self, db: Connection, caller: str, plan: str) -> None:
        """Put a caller, known already or not, on a plan."""
        set_plan(db, caller, plan)

    @reads
    def callers(self, db: Connection) -> list[Person]:
        """Everybody who was ever seen, latest first."""
        rows = db.execute(
            "SELECT caller, plan, first_seen, last_seen, paired_at FROM callers "
            "ORDER BY last_seen DESC"
        )
        return [Person(row[0], row[1] or self._begins_on(row[0]), *row[2:]) for row in rows]


def set_plan(db: Connection, caller: str, plan: str | None) -> None:
    """Put a caller on a plan; on None, on whichever is the default."""
    db.execute(
        "INSERT INTO callers (caller, plan, first_seen, last_seen) "
        "VALUES (:caller, :plan, :now, :now) ON CONFLICT (caller) DO UPDATE SET plan = :plan",
        {"caller": caller, "plan": plan, "now": db.now()},
    )
