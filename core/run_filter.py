"""Which runs somebody asks for, in the words that every interface takes."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, TypeVar, get_args

from core.contract import nearest
from core.engine.access import local_surfaces
from core.errors import Fault, Forbidden, InvalidInput
from core.interfaces import titles
from core.ledger.listing import Place, RunFilter, Wanted
from core.ledger.records import DAY
from core.scopes import Read
from core.spans import span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from core.engine import Access, Engine
    from core.reports import Usage

T = TypeVar("T")

OUTCOMES: tuple[Wanted, ...] = get_args(Wanted)
SINCE = "a time such as 7d, 36h or 90m (so long ago), or a date in UTC such as 2026-11-01"

NOT_YOUR_RUNS = Forbidden(
    "You may list your own runs only.", fix="Leave person out; admins see the runs of others."
)


def read_filter(
    engine: Engine,
    asked: Mapping[str, str | None],
    who: Access | None = None,
    *,
    option: str = "",
) -> tuple[RunFilter, Place | None]:
    """Read `since`, `until`, `person`, `action`, `interface`, `outcome` and `before`, or none.

    `who` asks: but for an admin, all they may mean is their own runs. Raises Forbidden, and
    InvalidInput with every fault; `option` goes before the names in it.
    """
    faults = []

    def read(name: str, parse: Callable[[str], T]) -> T | None:
        try:
            return None if (text := asked.get(name)) is None else parse(text)
        except ValueError as error:
            faults.append(Fault(f"{option}{name}", str(error)))
            return None

    since = read("since", lambda text: moment(text, engine.ledger.now()))
    until = read("until", lambda text: _end(text, engine.ledger.now()))
    own = RunFilter()
    callers: tuple[str, ...] | None
    if who is not None and who.sees_only:
        own = own_runs(engine, who)
        callers = _own(own.callers or (), who, asked.get("person"))
    else:
        callers = read("person", lambda text: _callers(engine, text))
    names = read("action", lambda text: _action(engine, text, own.actions))
    surface = read("interface", _interface)
    outcome = read("outcome", _outcome)
    before = read("before", Place.parse)
    if faults:
        raise InvalidInput(faults, "These runs cannot be listed.")
    connector, action = names or (None, None)
    if own.since is not None:
        since = max(own.since, since or own.since)
    of = RunFilter(since, callers, connector, action, outcome, own.actions, surface, until)
    return of, before


def own_runs(engine: Engine, who: Access) -> RunFilter:
    """The runs that somebody sees who sees only their own, as `Access.sees` has it."""
    if who.token is None:
        return RunFilter(callers=tuple(engine.ledger.callers_of(str(who.caller))))
    ids = engine.action_ids()
    offered = tuple(each for each in ids if who.scope.offers(each))
    narrow = None if len(offered) == len(ids) else offered
    return RunFilter(who.token.created_at, (str(who.caller),), actions=narrow)


def callers_here(engine: Engine, user: str) -> tuple[str, ...]:
    """Every caller that an operating system's user is: on each interface here, and linked."""
    ids = (f"{surface}:{user}" for surface in local_surfaces(engine.settings))
    return tuple(dict.fromkeys(each for id_ in ids for each in engine.ledger.callers_of(id_)))


def usage_for(engine: Engine, who: Access, days: int) -> Usage:
    """Runs by service and day, everybody's where somebody may read that, and their own quota."""
    of = None if who.reads(Read.USAGE) else own_runs(engine, who)
    actions = engine.authorization.offered(who)
    return engine.ledger.usage_report(days, str(who.caller), actions, of)


def moment(text: str, now: float) -> float:
    """Seconds since 1970 of a moment, or of so long ago; raises ValueError."""
    if (ago := span(text)) is not None:
        return now - ago
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"must be {SINCE}") from None
    return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).timestamp()


def _end(text: str, now: float) -> float:
    """The moment up to which runs are meant; of a date, its end."""
    whole = re.fullmatch(r"\d{4}-\d\d-\d\d", text)
    return moment(text, now) + (DAY if whole else 0)


def _interface(text: str) -> str:
    if text in (known := titles()):
        return text
    raise ValueError(_unknown("is no interface", text, known))


def _callers(engine: Engine, text: str) -> tuple[str, ...]:
    """All callers of a person, or the one caller that is named."""
    known = {person.name: person.callers for person in engine.ledger.people()}
    known |= {each.caller: (each.caller,) for each in engine.ledger.callers()}
    if text in known:
        return known[text]
    raise ValueError(_unknown("is nobody whom Levqor knows", text, known))


def _own(own: tuple[str, ...], who: Access, person: str | None) -> tuple[str, ...]:
    if person in (None, who.person):
        return own
    if person in own:
        return (person,)
    raise NOT_YOUR_RUNS.replace()


def _action(engine: Engine, text: str, seen: Iterable[str] | None) -> tuple[str, str | None]:
    """A service's name and, where an action is meant, its ID; of those that may be `seen`."""
    ids = {
        each: (engine.action(each)[0].name, each)
        for each in (engine.action_ids() if seen is None else seen)
    }
    named = {name: (name, None) for name, _ in ids.values()}
    known: dict[str, tuple[str, str | None]] = {**named, **ids}
    if text in known:
        return known[text]
    raise ValueError(_unknown("is no action and no service", text, known))


def _outcome(text: str) -> Wanted:
    for outcome in OUTCOMES:
        if outcome == text:
            return outcome
    raise ValueError(f"must be {', '.join(OUTCOMES[:-1])} or {OUTCOMES[-1]}")


def _unknown(what: str, text: str, known: Iterable[str]) -> str:
    near = nearest(text, known)
    return f"{what}; did you mean {near}?" if near else what
