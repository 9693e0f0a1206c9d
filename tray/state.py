"""What the tray knows at one moment; menu, icon and notifications are computed from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from core.reports import Verdict

_VOWELS = {*"aeiouy"}


@dataclass(frozen=True)
class Run:
    """A run of the ledger. `outcome` is None while it is out; `at` is when it ended."""

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
    """One connector, or a further account of it, as the source describes it.

    Times are in seconds since 1970.
    """

    name: str
    title: str
    verdict: Verdict = Verdict.UNCHECKED
    actions: tuple[str, ...] = ()
    words: str = ""
    fix: str | None = None
    notes: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    latency_ms: float | None = None
    since: float | None = None
    last_success: Run | None = None
    last_failure: Run | None = None

    @property
    def service(self) -> str:
        """The service's name; a further account's own name stands after it."""
        return self.name.partition("/")[0]

    @property
    def further(self) -> bool:
        """Whether this is a further account; services are counted without."""
        return self.name != self.service


@dataclass(frozen=True)
class Inbound:
    """One interface that a bot on this home serves."""

    surface: str
    ok: bool
    words: str
    fix: str | None = None
    since: float | None = None

    @property
    def title(self) -> str:
        """Its name, so that it is not taken for the connector of the same name."""
        # Nobody can say a name without a vowel: it is an abbreviation.
        name = self.surface.capitalize() if _VOWELS & {*self.surface} else self.surface.upper()
        return f"{name} interface"


@dataclass(frozen=True)
class Health:
    """One report of the source, and when it came."""

    at: float
    connectors: tuple[Connector, ...]
    inbound: tuple[Inbound, ...] = ()
    console: str | None = None  # where a bot shows the web console

    @property
    def configured(self) -> tuple[Connector, ...]:
        """The connectors somebody has set up."""
        return tuple(c for c in self.connectors if c.verdict is not Verdict.NOT_CONFIGURED)

    @property
    def offline(self) -> bool:
        """No service that is set up can be reached: that is this computer's network."""
        services = {c.service for c in self.configured}
        verdicts = {c.verdict for c in self.configured}
        return len(services) > 1 and verdicts == {Verdict.UNREACHABLE}


@dataclass(frozen=True)
class SourceFault:
    """Why the source gives no health, and what a person must do."""

    words: str
    fix: str


@dataclass(frozen=True)
class TestResult:
    """What came of one test send; `outcome` is None where it was turned away."""

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
    """Which Levqor is shown; `home` is None where it is on another computer."""

    words: str
    home: Path | None = None
    test_gap: float = 60.0

    @property
    def settings_file(self) -> Path | None:
        """Where its settings are, if on this computer."""
        return self.home and self.home / ".env"


@dataclass(frozen=True)
class Preferences:
    """What a person chose in the menu; kept between starts. Times in seconds since 1970."""

    notify: Notify = Notify.CHANGES
    muted: Mapping[str, float] = field(default_factory=dict)
    paused_until: float | None = None
    acknowledged_runs: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """Everything the menu shows. `now` is the moment it is shown for."""

    now: float
    source: SourceInfo
    health: Health | None = None
    fault: SourceFault | None = None
    runs: tuple[Run, ...] = ()
    own_runs: tuple[Run, ...] = ()  # the latest, where there is a console that shows more
    preferences: Preferences = field(default_factory=Preferences)
    checking: bool = False
    check_requested: bool = False  # the check that is out, by a person
    sending: frozenset[str] = frozenset()
    test_results: Mapping[str, TestResult] = field(default_factory=dict)
    autostart: bool = False
    notification_error: str | None = None
    version: str = ""
    stale_after: float = 1800.0

    @property
    def pause_left(self) -> float:
        """Seconds for which checks are still paused; 0 where they are not."""
        return max(0.0, (self.preferences.paused_until or 0.0) - self.now)

    def mute_left(self, name: str) -> float:
        """Seconds for which a connector is still left out of the verdict; 0 where it is not."""
        return max(0.0, self.preferences.muted.get(name, 0.0) - self.now)

    @property
    def has_console(self) -> bool:
        """Whether a bot shows the web console, as far as is known."""
        return bool(self.health and self.health.console)

    @property
    def stale(self) -> bool:
        """The last report is too old to be believed."""
        old = self.health is not None and self.now - self.health.at > self.stale_after
        return old and not self.pause_left

    def unconfirmed_test(self, connector: Connector, action: str) -> str | None:
        """The run of an action's last test, where it may have arrived and nobody has looked."""
        ends = [(0.0, 0, "", "")]
        failed, sent = connector.last_failure, connector.last_success
        if sent:
            ends.append((sent.at, 1, "sent", sent.run))
        if failed and failed.test and failed.action in ("", action):
            ends.append((failed.at, 2, failed.outcome or "", failed.run))
        if (result := self.test_results.get(action)) and result.outcome:
            # Without a run's id (the answer never came) its moment names it.
            ends.append((result.at, 3, result.outcome, result.run or f"{action} {result.at}"))
        *_, outcome, run = max(ends)
        unknown = outcome == "unknown" and run not in self.preferences.acknowledged_runs
        return run if unknown else None
