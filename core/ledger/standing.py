"""Who a caller is in the ledger: a person, a role, a plan, a token."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from core.callers import ADDRESSED_SURFACE
from core.ledger.records import Token
from core.ledger.store import Connection

# Whoever needs no lock on a caller's row writes that they were seen this often.
_SEEN_SECONDS = 60.0


@dataclass(frozen=True)
class Standing:
    """What is kept of a caller; a role or a plan is None where nobody has chosen one.

    A caller whom nobody has added to a person is a person of its own. `at` is when its token was
    read.
    """

    caller: str
    person: str | None = None
    role: str | None = None
    plan: str | None = None
    token: Token | None = None
    at: float = 0.0

    @property
    def quota_owner(self) -> str:
        """Whose quota its runs use."""
        return self.person or self.caller


_CALLER = (
    "SELECT p.name, CASE WHEN p.name IS NULL THEN c.role ELSE p.role END, "
    "CASE WHEN p.name IS NULL THEN c.plan ELSE p.plan END, c.last_seen "
    "FROM callers c LEFT JOIN people p ON p.name = c.person WHERE c.caller = :caller"
)
_EVERY = (
    "SELECT c.caller, p.name, CASE WHEN p.name IS NULL THEN c.role ELSE p.role END, "
    "CASE WHEN p.name IS NULL THEN c.plan ELSE p.plan END "
    "FROM callers c LEFT JOIN people p ON p.name = c.person"
)
_TOKEN = ", ".join(column.name for column in fields(Token)[:-1])
TOKENS = f"SELECT {_TOKEN} FROM tokens"
# The same with the plan of each one's caller, whose name begins with `:begins`.
TOKENS_AND_PLANS = (
    f"SELECT {_TOKEN}, (SELECT CASE WHEN p.name IS NULL THEN c.plan ELSE p.plan END "
    "FROM callers c LEFT JOIN people p ON p.name = c.person "
    "WHERE c.caller = :begins || tokens.label) FROM tokens"
)


def standing(db: Connection, caller: str) -> Standing:
    """Read who a caller is."""
    row = db.execute(_CALLER, {"caller": caller}).fetchone()
    person, role, plan, _ = row or (None, None, None, None)
    token = _token(db, caller)
    return Standing(caller, person, role, plan, token, db.now() if token else 0.0)


def standings(db: Connection) -> list[Standing]:
    """Read who everybody is that was ever seen, latest first."""
    tokens = {token.label: token for token in map(Token.of, db.execute(TOKENS))}
    return [
        Standing(caller, person, role, plan, tokens.get(token_label(caller) or ""))
        for caller, person, role, plan in db.execute(f"{_EVERY} ORDER BY c.last_seen DESC")
    ]


def seen(db: Connection, caller: str, now: float) -> tuple[str | None, str | None, str | None]:
    """Write that a caller was seen, which locks its row; its person, role and plan."""
    person, role, plan = db.execute(
        "INSERT INTO callers (caller, first_seen, last_seen) VALUES (:caller, :now, :now) "
        "ON CONFLICT (caller) DO UPDATE SET last_seen = :now, first_seen = "
        "CASE WHEN callers.first_seen = 0 THEN :now ELSE callers.first_seen END "
        "RETURNING person, role, plan",
        {"caller": caller, "now": now},
    ).fetchone()
    return person, role, plan


def lock(db: Connection, caller: str, now: float, *, unlimited: str | None = None) -> Standing:
    """Read who a caller is and write that they were seen, which locks their rows.

    Whoever locks both locks the caller first. Two callers of one person wait for each other, and
    so does who links or removes one of them. With `unlimited`, the default plan of who may need
    no lock, nothing is locked where the plan is `pro` and no token has a rate.
    """
    if unlimited is not None:
        row = db.execute(_CALLER, {"caller": caller}).fetchone()
        person, role, plan, last_seen = row or (None, None, None, 0.0)
        token = _token(db, caller)
        rated = token is not None and token.per_hour is not None
        if (plan or unlimited) == "pro" and last_seen > now - _SEEN_SECONDS and not rated:
            return Standing(caller, person, role, plan, token, now)
    person, role, plan = seen(db, caller, now)
    if person is not None:
        role, plan = db.execute(
            "UPDATE people SET seen_at = :now WHERE name = :person RETURNING role, plan",
            {"person": person, "now": now},
        ).fetchone()
    return Standing(caller, person, role, plan, _token(db, caller), now)


def callers_of(db: Connection, who: Standing) -> list[str]:
    """Every caller of a person."""
    if who.person is None:
        return [who.caller]
    rows = db.execute("SELECT caller FROM callers WHERE person = :name", {"name": who.person})
    return [caller for (caller,) in rows]


def persons(db: Connection, callers: Sequence[str]) -> dict[str, str]:
    """The person of each of some callers who is one's."""
    names = {f"caller_{number}": caller for number, caller in enumerate(callers)}
    if not names:
        return {}
    sql = (
        "SELECT caller, person FROM callers WHERE person IS NOT NULL "
        f"AND caller IN ({', '.join(f':{name}' for name in names)})"
    )
    return dict(db.execute(sql, names).fetchall())


def token_label(caller: str) -> str | None:
    """The label of a caller's token; None where it is none."""
    surface, _, label = caller.partition(":")
    return label if surface == ADDRESSED_SURFACE else None


def _token(db: Connection, caller: str) -> Token | None:
    if (label := token_label(caller)) is None:
        return None
    row = db.execute(f"{TOKENS} WHERE label = :label", {"label": label}).fetchone()
    return row and Token.of(row)
