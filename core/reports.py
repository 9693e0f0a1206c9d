"""What Levqor reports of health, runs and usage: the values that every interface shows.

`body()` is a value as programs get it; HTTP's description of it is made from the fields' types.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from typing import Any, ClassVar, Literal

from core.plain import plain_line

Outcome = Literal["sent", "refused", "not_sent", "unknown"]
State = Literal["accepted", "sending", Outcome]
DOUBT = {"description": "It may have been done; absent where it was not."}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `good` is None where it is only worth knowing.

    `line` is what to write, and `place` the file to write it to.
    """

    good: bool | None
    what: str
    fix: str | None = None
    group: str = ""
    setting: str | None = None
    line: str | None = None
    place: str | None = None

    def __post_init__(self) -> None:
        """A workspace's, a bot's or a folder's name may hold anything."""
        object.__setattr__(self, "what", plain_line(self.what))


class Verdict(StrEnum):
    """How a service is doing."""

    OK = "ok"
    ATTENTION = "attention"
    FAILING = "failing"
    UNREACHABLE = "unreachable"
    NOT_CONFIGURED = "not_configured"
    UNCHECKED = "unchecked"


# It is set up and does not work; one that is merely not set up is no failure.
BROKEN = (Verdict.FAILING, Verdict.UNREACHABLE)


@dataclass(frozen=True, kw_only=True)
class Report:
    """A value that is shown as JSON, its moments as ISO 8601 in UTC.

    A field that has a default is left out where it is None.
    """

    _timespec: ClassVar[str] = "seconds"

    def body(self) -> dict[str, Any]:
        """Return the value as JSON's types, in the order of the fields."""
        return {
            each.name: self._plain(value)
            for each in fields(self)
            if (value := getattr(self, each.name)) is not None or each.default is MISSING
        }

    def _plain(self, value: Any) -> Any:
        if isinstance(value, Report):
            return value.body()
        if isinstance(value, dt.datetime):
            return value.isoformat(timespec=self._timespec)
        if isinstance(value, Mapping):
            return {name: self._plain(each) for name, each in value.items()}
        return [*map(self._plain, value)] if isinstance(value, tuple) else value


@dataclass(frozen=True, kw_only=True)
class Receipt(Report):
    """What came of a run that was sent."""

    status: str = field(metadata={"examples": ["sent", "created", "appended"]})
    id: str | None = field(default=None, metadata={"description": "The service's ID, masked."})
    updated: int | None = field(default=None, metadata={"description": "Rows."})
    run: str


@dataclass(frozen=True, kw_only=True)
class Run(Report):
    """A run of the journal."""

    run: str
    action: str
    connector: str
    caller: str
    surface: str
    test: bool
    state: State
    in_doubt: bool | None = field(default=None, metadata=DOUBT)
    error: str | None = None
    reason: str | None = None
    receipt: Mapping[str, Any] | None = None
    attempts: int
    ms: float | None = None
    at: dt.datetime
    settled_at: dt.datetime | None = None


@dataclass(frozen=True)
class UsageDay(Report):
    """A connector's day (UTC): outcomes counted, milliseconds at the 50th and 95th percentile."""

    connector: str
    day: str = field(metadata={"json_schema_extra": {"format": "date"}})
    sent: int
    refused: int
    not_sent: int
    unknown: int
    p50_ms: float | None = None
    p95_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class Quota(Report):
    """Where a caller stands with one action today."""

    action: str
    used: int
    limit: int | None = field(default=None, metadata={"description": "Absent where there is none."})
    resets_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Usage(Report):
    """Runs by connector and UTC day, latest first, and where a caller stands today."""

    days: int
    usage: tuple[UsageDay, ...]
    caller: str
    plan: str = field(metadata={"json_schema_extra": {"enum": ["free", "pro"]}})
    quota: tuple[Quota, ...]


@dataclass(frozen=True, kw_only=True)
class LastRun(Report):
    """A service's latest run."""

    _timespec = "milliseconds"

    at: dt.datetime
    run: str
    action: str
    outcome: State
    ms: float | None
    test: bool


@dataclass(frozen=True, kw_only=True)
class LastFailure(LastRun):
    """A service's latest run that was not sent, or may not have been."""

    reason: str | None
    message: str
    fix: str | None


@dataclass(frozen=True, kw_only=True)
class ConnectorHealth(Report):
    """How a service is doing, since when, and what to do."""

    _timespec = "milliseconds"

    title: str
    actions: tuple[str, ...]
    verdict: Verdict
    words: str
    latency_ms: float | None
    since: dt.datetime | None
    checked_at: dt.datetime | None
    last_success: LastRun | None
    last_failure: LastFailure | None
    fix: str | None
    notes: tuple[str, ...]
    settings: tuple[str, ...] | None = field(
        default=None, metadata={"description": "What is missing where it is not set up."}
    )


@dataclass(frozen=True, kw_only=True)
class InboundHealth(Report):
    """How an interface of the bot is doing; `at` is its latest sign of life."""

    _timespec = "milliseconds"

    ok: bool
    verdict: str
    fix: str | None
    since: dt.datetime
    at: dt.datetime

    @property
    def words(self) -> str:
        """The verdict and what to do."""
        return f"{self.verdict}. {self.fix}" if self.fix else self.verdict


@dataclass(frozen=True, kw_only=True)
class BotStatus(Report):
    """A bot that runs: its machine and process, and what it reads while the others stand by."""

    bot: str = field(metadata={"examples": ["web1:4711"]})
    version: str
    since: dt.datetime
    reads: tuple[str, ...]

    @property
    def words(self) -> str:
        """Its name, and what it reads."""
        return f"{self.bot} (reads {', '.join(self.reads)})" if self.reads else self.bot


@dataclass(frozen=True, kw_only=True)
class Bots(Report):
    """The bots on one database, and the names of the settings that are not the same on all."""

    bots: tuple[BotStatus, ...]
    settings_that_differ: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Status(Report):
    """Whether a bot is alive, or ready for requests."""

    status: str = field(metadata={"examples": ["ready"]})


@dataclass(frozen=True, kw_only=True)
class HealthSummary(Report):
    """Which connectors are set up."""

    status: str
    connectors: Mapping[str, bool]
    configured: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Health(HealthSummary):
    """Which connectors are set up, how each is doing, and how the bot's interfaces are."""

    detail: Mapping[str, ConnectorHealth]
    inbound: Mapping[str, str] = field(
        metadata={"description": "How each interface is doing, in words."}
    )
    inbound_detail: Mapping[str, InboundHealth]
    problems: tuple[str, ...] = field(
        metadata={"description": "What is wrong with Levqor's own files, though runs go on."}
    )
    bots: Bots | None = field(
        default=None, metadata={"description": "Where several may share the database."}
    )


@dataclass(frozen=True, kw_only=True)
class InboundUptime(Report):
    """How an interface of the bot is doing."""

    ok: bool
    verdict: str
    fix: str | None = None
    since: dt.datetime


@dataclass(frozen=True, kw_only=True)
class Uptime(Report):
    """Since when the bot runs, its version, and how its interfaces are doing."""

    status: str
    version: str
    started_at: dt.datetime
    uptime_seconds: float
    inbound: Mapping[str, InboundUptime]


def moment(at: float) -> dt.datetime:
    """Seconds since 1970 as a moment in UTC."""
    return dt.datetime.fromtimestamp(at, dt.UTC)


def iso(at: float | None) -> str | None:
    """Seconds since 1970 as ISO 8601 in UTC, to the second."""
    return None if at is None else moment(at).isoformat(timespec="seconds")


def without_none(body: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is None."""
    return {name: value for name, value in body.items() if value is not None}
