"""How services, interfaces and bots are doing, as every interface shows it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.plain import plain_line
from core.reports.base import Report
from core.reports.runs import State
from core.reports.verdicts import Verdict


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


@dataclass(frozen=True)
class ChecksDay(Report):
    """For how many seconds of a day (UTC) a service had which verdict, as far as it was checked."""

    day: str = field(metadata={"json_schema_extra": {"format": "date"}})
    seconds: Mapping[str, float]


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

    detail: Mapping[str, ConnectorHealth] = field(
        metadata={"description": "By service; a further account is service/account."}
    )
    inbound: Mapping[str, str] = field(
        metadata={"description": "How each interface is doing, in words."}
    )
    inbound_detail: Mapping[str, InboundHealth]
    problems: tuple[str, ...] = field(
        metadata={"description": "What is wrong with Levqor's own files, though runs go on."}
    )
    console: str | None = field(
        default=None, metadata={"description": "Where a bot shows the web console, if one does."}
    )
    bots: Bots | None = field(
        default=None, metadata={"description": "Where several may share the database."}
    )

    @property
    def unchecked(self) -> bool:
        """Whether nobody has looked yet whether a service that is set up works."""
        return any(each.verdict is Verdict.UNCHECKED for each in self.detail.values())


@dataclass(frozen=True, kw_only=True)
class SignInLink(Report):
    """A link that signs a caller in to the web console, once."""

    link: str = field(metadata={"json_schema_extra": {"format": "uri"}})
    caller: str
    expires_at: dt.datetime


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
