"""People: their callers, roles and plans."""

from collections.abc import Sequence

from core.callers import LABEL, is_address
from core.errors import Fault, InvalidInput, NotFound
from core.ledger.accept import share_today
from core.ledger.audit import Audit
from core.ledger.records import CallerRecord, PersonRecord
from core.ledger.standing import Standing, callers_of, standing
from core.ledger.store import Connection, reads, writes


class People(Audit):
    """Who was seen, which person each caller is, and what role and plan they have.

    `default_plan` is that of everybody whom nobody has put on a plan, now and later.
    """

    default_plan = "free"

    @reads
    def standing(self, db: Connection, caller: str) -> Standing:
        """Who a caller is."""
        return standing(db, caller)

    @reads
    def plan(self, db: Connection, caller: str) -> str:
        """`free` or `pro`."""
        return self._plan(standing(db, caller))

    def _plan(self, who: Standing) -> str:
        return who.plan or self._begins_on(who.caller)

    def _begins_on(self, caller: str) -> str:
        """The plan of who was put on none; an address's is always the free one."""
        return "free" if is_address(caller) else self.default_plan

    @writes(durable=True)
    def set_plan(self, db: Connection, caller: str, plan: str) -> None:
        """Put a caller, known already or not, on a plan."""
        set_plan(db, caller, plan)

    @reads
    def callers(self, db: Connection) -> list[CallerRecord]:
        """Everybody who was ever seen, latest first."""
        rows = db.execute(
            "SELECT c.caller, CASE WHEN p.name IS NULL THEN c.plan ELSE p.plan END, c.first_seen, "
            "c.last_seen, c.paired_at, p.name, CASE WHEN p.name IS NULL THEN c.role ELSE p.role "
            "END FROM callers c LEFT JOIN people p ON p.name = c.person ORDER BY c.last_seen DESC"
        )
        return [CallerRecord(row[0], row[1] or self._begins_on(row[0]), *row[2:]) for row in rows]

    @reads
    def callers_of(self, db: Connection, caller: str) -> list[str]:
        """Every caller of the person that a caller is."""
        return callers_of(db, standing(db, caller))

    @reads
    def people(self, db: Connection) -> list[PersonRecord]:
        """Every person somebody has added, by name."""
        callers: dict[str, list[str]] = {}
        for person, caller in db.execute(
            "SELECT person, caller FROM callers WHERE person IS NOT NULL ORDER BY caller"
        ):
            callers.setdefault(person, []).append(caller)
        return [
            PersonRecord.of(row, callers.get(row[0], ()))
            for row in db.execute(f"{_PERSON} ORDER BY name")
        ]

    def person_add(
        self,
        name: str,
        callers: Sequence[str] = (),
        *,
        by: str,
        title: str | None = None,
        role: str | None = None,
        plan: str | None = None,
    ) -> None:
        """Add a person with these callers; raises InvalidInput where the name is none or taken."""
        if not LABEL.fullmatch(name):
            shape = "must be small letters, digits and dashes, a letter first, at most 40"
            raise InvalidInput([Fault("name", shape)], "That cannot be a person's name.")

        def work(db: Connection) -> tuple[None, dict[str, object]]:
            if _person(db, name) is not None:
                raise InvalidInput(
                    [Fault("name", "is taken")],
                    f"There is a person {name} already.",
                    fix=f"Choose another name, or change them: levqor people set {name}",
                )
            row = {"name": name, "title": title, "role": role, "plan": plan, "now": db.now()}
            db.execute(
                "INSERT INTO people (name, title, role, plan, created_at) "
                "VALUES (:name, :title, :role, :plan, :now)",
                row,
            )
            for caller in callers:
                _join(db, name, caller)
            return None, _state(db, name)

        self._audited(by, "people add", name, work)

    def person_set(self, name: str, *, by: str, **changes: str | None) -> None:
        """Change a person's `title`, `role` or `plan`, or a caller's of its own.

        Raises NotFound for a person who is not there; a caller need not have been seen yet.
        """
        table, key = ("callers", "caller") if ":" in name else ("people", "name")

        def work(db: Connection) -> tuple[dict[str, object], dict[str, object]]:
            if table == "callers":
                seen(db, name)
                _own(db, name)
            before = _state(db, name)
            for column, value in changes.items():
                db.execute(
                    f"UPDATE {table} SET {column} = :value WHERE {key} = :name",
                    {"value": value, "name": name},
                )
            return before, _state(db, name)

        self._audited(by, "people set", name, work)

    def person_link(self, name: str, caller: str, *, by: str) -> None:
        """Make a caller one of a person's; raises NotFound, InvalidInput where it is another's.

        What either has used of a quota today is used for both.
        """

        def work(db: Connection) -> tuple[dict[str, object], dict[str, object]]:
            seen(db, caller)
            before = _state(db, name)
            _join(db, name, caller)
            return before, _state(db, name)

        self._audited(by, "people link", name, work)

    def person_unlink(self, caller: str, *, by: str) -> None:
        """Make a caller a person of its own again, with the role and plan it had as that person.

        What the person has used of a quota today stays used for both.
        """

        def work(db: Connection) -> tuple[dict[str, object], dict[str, object]]:
            name = _linked(db, caller)
            before = _state(db, name)
            _part(db, name, caller)
            return before, _state(db, name)

        self._audited(by, "people unlink", caller, work)

    def person_remove(self, name: str, *, by: str) -> None:
        """Delete a person; their callers may do nothing from now on, their tokens are revoked."""

        def work(db: Connection) -> tuple[dict[str, object], None]:
            before = _state(db, name)
            for caller in _callers(db, name):
                _part(db, name, caller)
                shut_out = {"caller": caller, "label": caller.partition(":")[2], "now": db.now()}
                db.execute("UPDATE callers SET role = 'none' WHERE caller = :caller", shut_out)
                db.execute("DELETE FROM link_codes WHERE maker = :caller", shut_out)
                db.execute(
                    "UPDATE tokens SET revoked_at = :now "
                    "WHERE 'http:' || label = :caller AND revoked_at IS NULL",
                    shut_out,
                )
            db.execute("DELETE FROM people WHERE name = :name", {"name": name})
            return before, None

        self._audited(by, "people remove", name, work)


_PERSON = "SELECT name, title, role, plan, created_at, seen_at FROM people"


def seen(db: Connection, caller: str) -> None:
    """Write that a caller exists, and lock its row."""
    db.execute(
        "INSERT INTO callers (caller, first_seen, last_seen) VALUES (:caller, :now, :now) "
        "ON CONFLICT (caller) DO UPDATE SET last_seen = callers.last_seen",
        {"caller": caller, "now": db.now()},
    )


def set_plan(db: Connection, caller: str, plan: str | None) -> None:
    """Put a caller on a plan; on None, on whichever is the default."""
    db.execute(
        "INSERT INTO callers (caller, plan, first_seen, last_seen) "
        "VALUES (:caller, :plan, :now, :now) ON CONFLICT (caller) DO UPDATE SET plan = :plan",
        {"caller": caller, "plan": plan, "now": db.now()},
    )
    # Who is one of a person's has that person's plan.
    db.execute(
        "UPDATE people SET plan = :plan "
        "WHERE name = (SELECT person FROM callers WHERE caller = :caller)",
        {"caller": caller, "plan": plan},
    )


def _person(db: Connection, name: str) -> PersonRecord | None:
    """Read a person, once their rows are locked: the callers' first, as `standing.lock` does."""
    who = {"name": name}
    db.execute("UPDATE callers SET person = person WHERE person = :name", who)
    db.execute("UPDATE people SET name = name WHERE name = :name", who)
    row = db.execute(f"{_PERSON} WHERE name = :name", who).fetchone()
    return row and PersonRecord.of(row, _callers(db, name))


def _state(db: Connection, name: str) -> dict[str, object]:
    """What the audit keeps of a person, or of a caller of its own; raises NotFound."""
    if ":" in name:
        who = standing(db, name)
        return {"role": who.role, "plan": who.plan}
    if (person := _person(db, name)) is None:
        raise NotFound(
            f"There is no person {name}.", fix="See who there is with: levqor people list"
        )
    # The name stays out: who is removed is forgotten.
    return {"role": person.role, "plan": person.plan, "callers": list(person.callers)}


def _callers(db: Connection, name: str) -> list[str]:
    rows = db.execute(
        "SELECT caller FROM callers WHERE person = :name ORDER BY caller", {"name": name}
    )
    return [caller for (caller,) in rows]


def _own(db: Connection, caller: str) -> None:
    """Raise InvalidInput where a caller is one of a person's."""
    if (name := standing(db, caller).person) is not None:
        raise InvalidInput(
            [Fault("caller", f"is one of {name}'s")],
            f"{caller} is {name}.",
            fix=f"Change the person: levqor people set {name}, or first part them: "
            f"levqor people unlink {caller}",
        )


def _linked(db: Connection, caller: str) -> str:
    seen(db, caller)
    if (name := standing(db, caller).person) is None:
        raise NotFound(
            f"{caller} is not linked to a person.",
            fix="See who is linked to whom with: levqor people list",
        )
    return name


def _join(db: Connection, name: str, caller: str) -> None:
    seen(db, caller)
    if standing(db, caller).person == name:
        return
    _own(db, caller)
    if is_address(caller):
        raise InvalidInput(
            [Fault("caller", "is an address, which anybody may have next")],
            f"{caller} is an address and can be no person's.",
            fix="Make a token, and link that: levqor token new LABEL",
        )
    share_today(db, caller, name)
    db.execute(
        "UPDATE callers SET person = :name, role = NULL, plan = NULL WHERE caller = :caller",
        {"name": name, "caller": caller},
    )


def _part(db: Connection, name: str, caller: str) -> None:
    # It must come back with no more than it had: who was shut out stays so.
    db.execute(
        "UPDATE callers SET person = NULL, role = (SELECT role FROM people WHERE name = :name), "
        "plan = (SELECT plan FROM people WHERE name = :name) WHERE caller = :caller",
        {"name": name, "caller": caller},
    )
    share_today(db, name, caller)
