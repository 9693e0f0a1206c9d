"""What goes into the ledger and what comes out, as values."""

import datetime as dt
import hmac
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple, Self

from core.reports import Attempt, Run, State, moment
from core.scopes import BEFORE, Scope

DAY = 86400
OPEN = ("accepted", "sending")


@dataclass(frozen=True)
class TargetRecord:
    """A target: the fields of an action, and the account of its service, that a name stands for.

    An `account` of None is the service's first.
    """

    name: str
    action: str
    account: str | None
    fields: Mapping[str, str] = field(repr=False)
    changed_at: float

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        """Make the record of a row."""
        name, action, account, fields, changed_at = row
        return cls(name, action, account, json.loads(fields), changed_at)


@dataclass(frozen=True)
class RunRequest:
    """A run to be accepted, now or `at` some time.

    `authorize` is handed who asks before anything else is looked at, and raises where they may
    not; `refuse` is raised after the key was looked up, if given. `target` is what it goes to,
    as it was read before: it must still be so.
    """

    run: str
    action: str
    connector: str
    caller: str
    surface: str
    fingerprint: bytes = field(repr=False)
    test: bool = False
    key: str | None = field(default=None, repr=False)
    rebind: bool = False
    reply_to: str | None = field(default=None, repr=False)
    guard: bool = False
    test_gap: float = 0.0
    refuse: Exception | None = None
    at: float | None = None
    authorize: Callable[[Any], None] | None = field(default=None, repr=False)
    account: str = ""  # the service's first has no name
    target: TargetRecord | None = field(default=None, repr=False)


@dataclass(frozen=True)
class RunRecord:
    """A run as the journal holds it; times in seconds since 1970, UTC."""

    run: str
    at: float
    action: str
    connector: str
    caller: str
    surface: str
    test: bool
    state: State
    attempts: int
    ms: float | None
    code: str | None
    reason: str | None
    receipt: dict[str, Any] | None
    settled_at: float | None
    reply_to: str | None = field(default=None, repr=False)
    fingerprint: bytes = field(default=b"", repr=False)
    account: str = ""
    tries: tuple[tuple[int, int, str | None], ...] = ()  # of several: began, took (ms), reason

    @property
    def open(self) -> bool:
        """Still accepted or sending."""
        return self.state in OPEN

    def report(self) -> Run:
        """The run as every interface shows it."""
        return Run(
            run=self.run,
            action=self.action,
            connector=self.connector,
            caller=self.caller,
            surface=self.surface,
            test=self.test,
            state=self.state,
            in_doubt=True if self.state == "unknown" else None,
            error=self.code,
            reason=self.reason,
            receipt=self.receipt,
            attempts=self.attempts,
            ms=self.ms and round(self.ms, 2),
            at=moment(self.at),
            settled_at=None if self.settled_at is None else moment(self.settled_at),
            tries=Attempt.listed(self.tries, self.settled_at, self.ms),
        )

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Self:
        """Make the record of a row that holds RUN_COLUMNS."""
        values = list(row)
        values[6] = bool(values[6])
        values[12] = json.loads(values[12]) if values[12] else None
        values[17] = tuple(map(tuple, json.loads(values[17]))) if values[17] else ()
        return cls(*values)


RUN_COLUMNS = ", ".join(column.name for column in fields(RunRecord))


@dataclass(frozen=True)
class Owed:
    """An answer that is no run's, and that somebody still has to be given."""

    key: str
    kind: str
    reply_to: str = field(repr=False)


@dataclass(frozen=True)
class Token:
    """An HTTP token, without the token; `scope` is None for one from before there were scopes.

    `old_until` is how long the one it was before it was rotated works still.
    """

    label: str
    admin: bool
    created_at: float
    revoked_at: float | None = None
    scope: str | None = None
    per_hour: int | None = None
    expires_at: float | None = None
    used_at: float | None = None
    old_until: float | None = None
    hash: bytes = field(default=b"", repr=False)
    old_hash: bytes | None = field(default=None, repr=False)
    plan: str = "free"

    @property
    def grant(self) -> Scope:
        """What it may do, as far as its role allows that."""
        return BEFORE if self.scope is None else Scope.of(self.scope)

    @property
    def secret(self) -> str:
        """Which of the secrets it had over time it has now; no word of it."""
        return f"{self.created_at!r}-{self.old_until!r}"

    def is_newest(self, credential: bytes) -> bool:
        """Whether a digest is the token's, and not what it was before."""
        return hmac.compare_digest(self.hash, credential)

    def is_of(self, credential: bytes, now: float) -> bool:
        """Whether a digest is the token's, or what it was before while that works."""
        old = self.old_hash if self.old_until is not None and now < self.old_until else None
        return self.is_newest(credential) or (
            old is not None and hmac.compare_digest(old, credential)
        )

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        """Make the record of a row of `standing.TOKENS`."""
        return cls(row[0], bool(row[1]), *row[2:])


@dataclass(frozen=True)
class CallerRecord:
    """A caller the ledger knows, not seen yet where it was only named.

    A `role` of None is the default one.
    """

    caller: str
    plan: str
    first_seen: float | None
    last_seen: float | None
    paired_at: float | None
    person: str | None = None
    role: str | None = None


class PersonRecord(NamedTuple):
    """A person somebody has added; a role or plan of None is the default one."""

    name: str
    title: str | None
    role: str | None
    plan: str | None
    created_at: float
    seen_at: float | None
    callers: tuple[str, ...]

    @classmethod
    def of(cls, row: Sequence[Any], callers: Iterable[str]) -> Self:
        """Make the record of a row."""
        return cls(*row, tuple(callers))  # type: ignore[call-arg]


class AuditRecord(NamedTuple):
    """A change, who made it, and what was before and after; `change` is its ID."""

    change: str
    at: float
    who: str
    what: str
    subject: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        """Make the record of a row."""
        *values, before, after = row
        return cls(*values, *(state and json.loads(state) for state in (before, after)))


class ProbeStreak(NamedTuple):
    """A connector's verdict, and since when it has been the same."""

    connector: str
    verdict: str
    reason: str | None
    since: float
    at: float
    latency_ms: float | None


class Inbound(NamedTuple):
    """How an interface of a bot is doing, and how many seconds ago the bot said so.

    `alive` is False once that bot is gone.
    """

    surface: str
    ok: bool
    verdict: str
    fix: str | None
    since: float
    at: float
    age: float
    alive: bool


@dataclass(frozen=True)
class BotRecord:
    """A running bot; `settings` has a digest of each setting, `leases` what it alone does."""

    owner: str = field(repr=False)
    label: str
    version: str
    since: float
    settings: Mapping[str, str] = field(repr=False)
    leases: tuple[str, ...]


_FIRST_DAY = dt.date(1970, 1, 1)


def midnight_after(at: float) -> dt.datetime:
    """When the quota of a time's day is given anew."""
    today = dt.datetime.fromtimestamp(at, dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + dt.timedelta(days=1)


def day_of(at: float) -> str:
    """The UTC day of a time, as YYYY-MM-DD."""
    return (_FIRST_DAY + dt.timedelta(at // 86400)).isoformat()


def start_of(day: str) -> int:
    """When a UTC day written as YYYY-MM-DD begins."""
    return int(dt.datetime.fromisoformat(f"{day}T00:00+00:00").timestamp())
