"""Usage, as every interface shows it."""

import datetime as dt
from dataclasses import dataclass, field

from core.reports.base import Report


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


@dataclass(frozen=True)
class HistoryStep(Report):
    """What came of a service's runs in one stretch of time."""

    start: dt.datetime
    sent: int
    refused: int
    not_sent: int
    unknown: int
    p50_ms: float | None = None
    p95_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class History(Report):
    """A service's runs over a time; `since` is when the first was that is known, of any service."""

    connector: str
    since: dt.datetime | None
    steps: tuple[HistoryStep, ...]


@dataclass(frozen=True)
class PersonUsage(Report):
    """What came of a person's runs of one action."""

    person: str
    action: str
    sent: int
    refused: int
    not_sent: int
    unknown: int


@dataclass(frozen=True, kw_only=True)
class UsageTotal(Report):
    """What came of the runs of one person, action or service; `title` is a person's own name."""

    name: str
    title: str | None = None
    sent: int
    refused: int
    not_sent: int
    unknown: int
    p50_ms: float | None = None
    p95_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class UsageBy(Report):
    """Runs of some UTC days, the first and the last included, by person, action or service."""

    by: str
    first: str
    last: str
    usage: tuple[UsageTotal, ...]


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
