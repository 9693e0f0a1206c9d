"""Which person a caller is: their rows, how they are locked, and how callers join and part."""

from collections.abc import Mapping

from core.callers import is_address
from core.errors import Fault, InvalidInput, NotFound
from core.ledger.accept import share_today
from core.ledger.audit import State
from core.ledger.records import PersonRecord
from core.ledger.standing import standing
from core.ledger.store import Connection

# A person was seen when one of their callers was, also before that was theirs.
PERSON = (
    "SELECT name, title, role, plan, created_at, (SELECT nullif(max(t.at), 0) FROM "
    "(SELECT coalesce(people.seen_at, 0) AS at UNION ALL "
    "SELECT last_seen FROM callers WHERE person = people.name) t) FROM people"
)
# When somebody was last seen who was only named.
NEVER = 0.0


def named(db: Connection, caller: str) -> None:
    """Write that a caller exists, and lock its row."""
    db.execute(
        "INSERT INTO callers (caller, first_seen, last_seen) VALUES (:caller, :never, :never) "
        "ON CONFLICT (caller) DO UPDATE SET last_seen = callers.last_seen",
        {"caller": caller, "never": NEVER},
    )


def set_plan(db: Connection, caller: str, plan: str | None) -> None:
    """Put a caller on a plan; on None, on whichever is the default."""
    db.execute(
        "INSERT INTO callers (caller, plan, first_seen, last_seen) "
        "VALUES (:caller, :plan, :never, :never) ON CONFLICT (caller) DO UPDATE SET plan = :plan",
        {"caller": caller, "plan": plan, "never": NEVER},
    )
    # Who is one of a person's has that person's plan.
    db.execute(
        "UPDATE people SET plan = :plan "
        "WHERE name = (SELECT person FROM callers WHERE caller = :caller)",
        {"caller": caller, "plan": plan},
    )


def find_person(db: Connection, name: str) -> PersonRecord | None:
    """Read a person, once their rows are locked: the callers' first, as `standing.lock` does."""
    who = {"name": name}
    db.execute("UPDATE callers SET person = person WHERE person = :name", who)
    db.execute("UPDATE people SET name = name WHERE name = :name", who)
    row = db.execute(f"{PERSON} WHERE name = :name", who).fetchone()
    return row and PersonRecord.of(row, callers_named(db, name))


def state(db: Connection, name: str) -> dict[str, object]:
    """What the audit keeps of a person, or of a caller of its own; raises NotFound."""
    if ":" in name:
        who = standing(db, name)
        return {"role": who.role, "plan": who.plan}
    if (person := find_person(db, name)) is None:
        raise NotFound(
            f"There is no person {name}.", fix="See who there is with: levqor people list"
        )
    # The name stays out: who is removed is forgotten.
    return {"role": person.role, "plan": person.plan, "callers": list(person.callers)}


def change(db: Connection, name: str, changes: Mapping[str, str | None]) -> tuple[State, State]:
    """Change a person, or a caller of its own; what was before, and what is after."""
    table, key = ("callers", "caller") if ":" in name else ("people", "name")
    before = state(db, name)
    for column, value in changes.items():
        db.execute(
            f"UPDATE {table} SET {column} = :value WHERE {key} = :name",
            {"value": value, "name": name},
        )
    after = state(db, name)
    # How lists show somebody is nobody's business: that it was changed is.
    return before, {**after, "display": "changed"} if "title" in changes else after


def callers_named(db: Connection, name: str) -> list[str]:
    """The callers of a person that was found, which locks them."""
    rows = db.execute(
        "SELECT caller FROM callers WHERE person = :name ORDER BY caller", {"name": name}
    )
    return [caller for (caller,) in rows]


def require_unlinked(db: Connection, caller: str) -> None:
    """Raise InvalidInput where a caller is one of a person's."""
    if (name := standing(db, caller).person) is not None:
        raise InvalidInput(
            [Fault("caller", f"is one of {name}'s")],
            f"{caller} is {name}.",
            fix=f"Change the person: levqor people set {name}, or first part them: "
            f"levqor people unlink {caller}",
        )


def person_of(db: Connection, caller: str) -> str:
    """Read which person a caller is; raises NotFound where it is of its own."""
    named(db, caller)
    if (name := standing(db, caller).person) is None:
        raise NotFound(
            f"{caller} is not linked to a person.",
            fix="See who is linked to whom with: levqor people list",
        )
    return name


def join(db: Connection, name: str, caller: str) -> None:
    """Make a caller a person's; raises InvalidInput where it is another's, or an address."""
    named(db, caller)
    if standing(db, caller).person == name:
        return
    require_unlinked(db, caller)
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


def part(db: Connection, name: str, caller: str) -> None:
    """Make a caller a person of its own again."""
    # It must come back with no more than it had: who was shut out stays so.
    db.execute(
        "UPDATE callers SET person = NULL, role = (SELECT role FROM people WHERE name = :name), "
        "plan = (SELECT plan FROM people WHERE name = :name) WHERE caller = :caller",
        {"name": name, "caller": caller},
    )
    share_today(db, name, caller)
