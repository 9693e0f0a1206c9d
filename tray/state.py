"""What the tray knows at one moment, as values; menu, icon and notices are computed from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Verdict(StrEnum):
    """How a connector, or a way in, is doing."""

    OK = "ok"
    ATTENTION = "attention"
    BROKEN = "broken"
    OFF = "off"  # not set up
    UNKNOWN = "unknown"  # set up, not checked yet


@dataclass(frozen=True)
class Run:
    """A run of the journal. `outcome` is None while it is out; `at` is when it ended."""

    run: str
    at: float
    outcome: str | None
    action: str = ""
    ms: float | None = None
    words: str | None = None
    fix: str | None = None
    test: bool = False
    surface: str = ""


@dataclass(frozen=True)
class Connector:
    """One connector, as the source describes it; times in seconds since 1970."""

    name: str
    title: str
    verdict: Verdict = Verdict.UNKNOWN
    actions: tuple[str, ...] = ()
    words: str | None = None
    fix: str | None = None
    notes: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    latency_ms: float | None = None
    since: float | None = None
    last_success: Run | None = None
    last_failure: Run | None = None
    unreachable: bool = False


@dataclass(frozen=True)
class Inbound:
    """One way in that a bot on this home serves."""

    surface: str
    ok: bool
    words: str
    fix: str | None = None
    since: float | None = None


@dataclass(frozen=True)
class Health:
    """One answer of the source, and when it came."""

    at: float
    connectors: tuple[Connector, ...]
    inbound: tuple[Inbound, ...] = ()

    @property
    def configured(self) -> tuple[Connector, ...]:
        """The connectors somebody has set up."""
        return tuple(c for c in self.connectors if c.verdict is not Verdict.OFF)

    @property
    def offline(self) -> bool:
        """Nothing that is set up can be reached: that is this computer's network."""
        reached = [c.unreachable for c in self.configured]
        return len(reached) > 1 and all(reached)


class Missing(StrEnum):
    """What is wrong with the source itself."""

    UNREACHABLE = "unreachable"
    CERTIFICATE = "certificate"
    TOKEN = "token"  # noqa: S105 - the name of a trouble
    HOME_GONE = "home_gone"
    HOME_READ_ONLY = "home_read_only"
    DISK_FULL = "disk_full"
    LEDGER = "ledger"
    SETTINGS = "settings"
    SLOW = "slow"
    STRANGE = "strange"


@dataclass(frozen=True)
class SourceFault:
    """Why the source gives no health, and what a person must do."""

    kind: Missing
    words: str
    fix: str
    since: float = 0.0


@dataclass(frozen=True)
class TestResult:
    """What came of one test send; `outcome` is None where it was turned away."""

    action: str
    outcome: str | None
    words: str
    fix: str | None = None
    run: str | None = None
    link: str | None = None
    at: float = 0.0
    wait: float | None = None


class Notify(StrEnum):
    """Which notifications a person wants."""

    OFF = "off"
    CHANGES = "changes"
    EVERYTHING = "everything"


@dataclass(frozen=True)
class SourceInfo:
    """Where state comes from, and what that source can do besides."""

    words: str
    remote: bool = False
    sandbox: bool = False
    pairs: bool = True
    home: str | None = None
    test_gap: float = 60.0


@dataclass(frozen=True)
class Preferences:
    """What a person chose in the menu; kept between starts. Times in seconds since 1970."""

    notify: Notify = Notify.CHANGES
    muted: Mapping[str, float] = field(default_factory=dict)
    paused_until: float | None = None
    acknowledged_runs: tuple[str, ...] = ()

    def is_muted(self, name: str, now: float) -> bool:
        """Tell whether a connector is left out of the verdict."""
        return self.muted.get(name, 0.0) > now

    def is_paused(self, now: float) -> bool:
        """Tell whether checks are paused."""
        return self.paused_until is not None and self.paused_until > now


@dataclass(frozen=True)
class State:
    """Everything the menu shows. `now` is the moment it is shown for."""

    now: float
    source: SourceInfo
    health: Health | None = None
    trouble: SourceFault | None = None
    runs: tuple[Run, ...] = ()
    preferences: Preferences = field(default_factory=Preferences)
    checking: bool = False
    asked: bool = False
    sending: frozenset[str] = frozenset()
    test_results: Mapping[str, TestResult] = field(default_factory=dict)
    autostart: bool = False
    notification_error: str | None = None
    version: str = ""
    stale_after: float = 1800.0

    @property
    def paused(self) -> bool:
        """Tell whether checks are paused now."""
        return self.preferences.is_paused(self.now)

    @property
    def stale(self) -> bool:
        """The last answer is too old to be believed."""
        old = self.health is not None and self.now - self.health.at > self.stale_after
        return old and not self.paused

    def muted(self, name: str) -> bool:
        """Tell whether a connector is muted now."""
        return self.preferences.is_muted(name, self.now)

    def unconfirmed_test(self, one: Connector, action: str) -> str | None:
        """The run of an action's last test, where it may have arrived and nobody has looked."""
        failed, sent, told = one.last_failure, one.last_success, self.test_results.get(action)
        run, outcome, at = None, None, 0.0
        if failed and failed.test and failed.action in ("", action):
            run, outcome, at = failed.run, failed.outcome, failed.at
        if told and told.outcome and told.at >= at:
            # Without a run's id (the answer never came) its moment names it.
            run, outcome, at = told.run or f"{action} {told.at}", told.outcome, told.at
        if sent and sent.at > at:
            return None
        return (
            run if outcome == "unknown" and run not in self.preferences.acknowledged_runs else None
        )
