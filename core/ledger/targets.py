"""Targets: names for destinations."""

import json
from collections.abc import Mapping
from typing import Any

from core.callers import LABEL, LABEL_SHAPE
from core.errors import Fault, InvalidInput, NotFound
from core.ledger.audit import Audit, State
from core.ledger.records import TargetRecord
from core.ledger.store import Connection, reads
from core.masking import mask


class Targets(Audit):
    """Which targets there are, by name."""

    @reads
    def target(self, db: Connection, name: str) -> TargetRecord | None:
        """Look a target up."""
        return find_target(db, name)

    @reads
    def targets(self, db: Connection) -> list[TargetRecord]:
        """Every target, by name."""
        return [TargetRecord.of(row) for row in db.execute(f"{_TARGET} ORDER BY name")]

    def target_add(
        self, name: str, action: str, account: str | None, fields: Mapping[str, str], *, by: str
    ) -> None:
        """Add a target; raises InvalidInput where the name is none or taken."""
        if not LABEL.fullmatch(name):
            raise InvalidInput([Fault("name", LABEL_SHAPE)], "That cannot be a target's name.")

        def work(db: Connection) -> tuple[State, State]:
            row = _row(db, name, action, account, fields)
            if db.execute(_INSERT, row).rowcount != 1:
                raise InvalidInput(
                    [Fault("name", "is taken")],
                    f"There is a target {name} already.",
                    fix=f"Choose another name, or change it: levqor target set {name}",
                )
            return None, _state(action, account, fields)

        self._audited(by, "target add", name, work)

    def target_set(
        self, name: str, account: str | None, fields: Mapping[str, str], *, by: str
    ) -> None:
        """Have a target mean another destination; raises NotFound."""

        def work(db: Connection) -> tuple[State, State]:
            old = _existing(db, name)
            before = _state(old.action, old.account, old.fields)
            if (old.account, old.fields) == (account, fields):
                return before, before
            db.execute(_UPDATE, _row(db, name, old.action, account, fields))
            after = _state(old.action, account, fields)
            # Two values may look the same once they are masked.
            changed = {
                each for each in {*fields, *old.fields} if fields.get(each) != old.fields.get(each)
            }
            return before, {**after, "changed": sorted(changed)}

        self._audited(by, "target set", name, work)

    def target_remove(self, name: str, *, by: str) -> None:
        """Delete a target; raises NotFound."""

        def work(db: Connection) -> tuple[State, State]:
            old = _existing(db, name)
            db.execute("DELETE FROM targets WHERE name = :name", {"name": name})
            return _state(old.action, old.account, old.fields), None

        self._audited(by, "target remove", name, work)


_TARGET = "SELECT name, action, account, fields, changed_at FROM targets"
_INSERT = (
    "INSERT INTO targets (name, action, account, fields, changed_at) "
    "VALUES (:name, :action, :account, :fields, :now) ON CONFLICT (name) DO NOTHING"
)
_UPDATE = (
    "UPDATE targets SET account = :account, fields = :fields, changed_at = :now WHERE name = :name"
)


def find_target(db: Connection, name: str) -> TargetRecord | None:
    """Read a target."""
    row = db.execute(f"{_TARGET} WHERE name = :name", {"name": name}).fetchone()
    return row and TargetRecord.of(row)


def _existing(db: Connection, name: str) -> TargetRecord:
    # Locked: two who change it do so one after the other.
    db.execute("UPDATE targets SET name = name WHERE name = :name", {"name": name})
    if (target := find_target(db, name)) is None:
        raise NotFound(f"There is no target {name}.", fix="See them with: levqor target list")
    return target


def _row(
    db: Connection, name: str, action: str, account: str | None, fields: Mapping[str, str]
) -> dict[str, Any]:
    given = {"name": name, "action": action, "account": account, "now": db.now()}
    return {**given, "fields": json.dumps(fields, ensure_ascii=False, sort_keys=True)}


def _state(action: str, account: str | None, fields: Mapping[str, str]) -> dict[str, object]:
    """What the audit keeps of a target: addresses are masked."""
    masked = {name: mask(value) for name, value in fields.items()}
    return {"action": action, "account": account, "fields": masked}
