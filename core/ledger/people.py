"""People: their callers, roles and plans."""

from collections.abc import Iterable, Sequence

from core.callers import LABEL, LABEL_SHAPE, is_address
from core.errors import Fault, InvalidInput
from core.ledger.audit import LEVQOR, Audit, State
from core.ledger.membership import (
    PERSON,
    callers_named,
    change,
    find_person,
    join,
    named,
    part,
    person_of,
    require_unlinked,
    state,
)
from core.ledger.records import CallerRecord, PersonRecord
from core.ledger.sessions import end_sessions
from core.ledger.standing import Standing, callers_of, persons, standing, standings
from core.ledger.store import Connection, reads


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

    def set_plan(self, name: str, plan: str | None, *, by: str = LEVQOR) -> None:
        """Put a person, or a caller, known already or not, on a plan: theirs, if it is one's."""

        def work(db: Connection) -> tuple[State, State]:
            whose = name
            if ":" in name:
                named(db, name)
                whose = standing(db, name).person or name
            return change(db, whose, {"plan": plan})

        self._audited(by, "plan set", name, work)

    @reads
    def standings(self, db: Connection) -> list[Standing]:
        """Who every caller is that was ever seen."""
        return standings(db)

    @reads
    def callers(self, db: Connection) -> list[CallerRecord]:
        """Everybody who was ever seen, latest first, and then who was named."""
        rows = db.execute(
            "SELECT c.caller, CASE WHEN p.name IS NULL THEN c.plan ELSE p.plan END, "
            "nullif(c.first_seen, 0), nullif(c.last_seen, 0), c.paired_at, p.name, "
            "CASE WHEN p.name IS NULL THEN c.role ELSE p.role END "
            "FROM callers c LEFT JOIN people p ON p.name = c.person ORDER BY c.last_seen DESC"
        )
        return [CallerRecord(row[0], row[1] or self._begins_on(row[0]), *row[2:]) for row in rows]

    def persons(self, callers: Iterable[str]) -> dict[str, str]:
        """Which person each of some callers is; one whom nobody has added is left out."""
        wanted = [*dict.fromkeys(callers)]
        return self.store.read(lambda db: persons(db, wanted))

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
            for row in db.execute(f"{PERSON} ORDER BY name")
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
            raise InvalidInput([Fault("name", LABEL_SHAPE)], "That cannot be a person's name.")

        def work(db: Connection) -> tuple[State, State]:
            if find_person(db, name) is not None:
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
                join(db, name, caller)
            return None, state(db, name)

        self._audited(by, "people add", name, work)

    def person_set(self, name: str, *, by: str, **changes: str | None) -> None:
        """Change a person's `title`, `role` or `plan`, or a caller's of its own.

        Raises NotFound for a person who is not there; a caller need not have been seen yet.
        """

        def work(db: Connection) -> tuple[State, State]:
            if ":" in name:
                named(db, name)
                require_unlinked(db, name)
            return change(db, name, changes)

        self._audited(by, "people set", name, work)

    def person_link(self, name: str, caller: str, *, by: str) -> None:
        """Make a caller one of a person's; raises NotFound, InvalidInput where it is another's.

        What either has used of a quota today is used for both.
        """

        def work(db: Connection) -> tuple[State, State]:
            named(db, caller)
            before = state(db, name)
            join(db, name, caller)
            return before, state(db, name)

        self._audited(by, "people link", name, work)

    def person_unlink(self, caller: str, *, by: str) -> None:
        """Make a caller a person of its own again, with the role and plan it had as that person.

        What the person has used of a quota today stays used for both.
        """

        def work(db: Connection) -> tuple[State, State]:
            name = person_of(db, caller)
            before = state(db, name)
            part(db, name, caller)
            return before, state(db, name)

        self._audited(by, "people unlink", caller, work)

    def person_remove(self, name: str, *, by: str) -> list[str]:
        """Delete a person; their callers may do nothing from now on, their tokens are revoked.

        Returns who they were.
        """
        callers: list[str] = []

        def work(db: Connection) -> tuple[State, State]:
            before = state(db, name)
            callers[:] = callers_named(db, name)
            for caller in callers:
                part(db, name, caller)
                shut_out = {"caller": caller, "label": caller.partition(":")[2], "now": db.now()}
                db.execute("UPDATE callers SET role = 'none' WHERE caller = :caller", shut_out)
                db.execute("DELETE FROM link_codes WHERE :caller IN (maker, redeemer)", shut_out)
                end_sessions(db, caller)
                db.execute(
                    "UPDATE tokens SET revoked_at = :now "
                    "WHERE 'http:' || label = :caller AND revoked_at IS NULL",
                    shut_out,
                )
            db.execute("DELETE FROM people WHERE name = :name", {"name": name})
            return before, None

        self._audited(by, "people remove", name, work)
        return callers
