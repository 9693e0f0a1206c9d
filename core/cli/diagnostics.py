"""What the doctor checks: this computer, the settings, then every service."""

from __future__ import annotations

import os
import platform
import stat
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from shlex import quote
from typing import TYPE_CHECKING

from core.cli import health, options
from core.errors import LevqorError
from core.home import DATABASE
from core.reports import Finding, Verdict
from core.wording import summary, titled

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from core.cli.session import Session
    from core.contract import Answer, Connector
    from core.engine import Engine
    from core.reports import Health
    from core.settings import Problem, Settings

# Google refuses a token request whose clock is five minutes off, Slack a signature too.
MAX_SKEW_S = 120.0
GOOD = {
    Verdict.OK: True,
    Verdict.ATTENTION: None,
    Verdict.FAILING: False,
    Verdict.UNREACHABLE: False,
}


@dataclass(frozen=True)
class Diagnosis:
    """What was found, in the order a person fixes it, and a line on the services."""

    summary: str
    findings: Sequence[Finding]

    @property
    def wrong(self) -> int:
        """How many problems there are to fix."""
        return sum(finding.good is False for finding in self.findings)


def diagnose(session: Session, service: str | None) -> Diagnosis:
    """Check everything, or one service; of the computer then only what is wrong with it."""
    from core.engine import Engine

    settings, connectors = session.settings, options.connectors(service)
    findings = [*_machine(settings.home), *_settings(settings, connectors, service)]
    skews: list[float] = []
    told = "The services were not checked."
    try:
        with Engine.open(settings, connectors=connectors, folder=session.folder) as engine:
            engine.outbound.on_answer = lambda answer: skews.extend(_skew(answer))
            if session.folder == settings.home:
                findings += _database(engine)
            report = health.look(engine, service, live=True)
            told = summary(report)
            findings += _services(report)
    except LevqorError as error:
        findings.append(_of_machine(False, error.message, error.fix))
    findings += _clock(skews)
    if service is not None:
        findings = [one for one in findings if one.group != "machine" or one.good is False]
    return Diagnosis(told, findings)


def _of_machine(good: bool | None, what: str, fix: str | None = None) -> Finding:  # noqa: FBT001
    return Finding(good, what, fix, "machine")


def _machine(home: Path) -> Iterator[Finding]:
    """Python, the home folder and the log."""
    yield _of_machine(True, f"Python {platform.python_version()}.")
    if not home.is_dir():
        yield _absent(home)
        return
    file = home / ".env"
    if file.exists():
        yield _of_machine(True, f"Settings are read from {file}.")
    else:
        yield _of_machine(None, f"There is no {file} yet.")
    if not (home / DATABASE).exists():
        yield _of_machine(None, f"There is no {DATABASE} in {home} yet; the first run makes it.")
    for path, name in ((home, "home folder"), (home / "logs", "log folder")):
        if path.exists():
            good = os.access(path, os.W_OK | os.X_OK)
            fix = None if good else f"Make it yours: sudo chown -R $(id -un) '{path}'"
            can = "can" if good else "cannot"
            yield _of_machine(good, f"The {name} {path} {can} be written.", fix)
    for file in (home / DATABASE, home / "levqor.key", home / "logs" / "connectors.log"):
        if file.exists():
            yield from _private(file)


def _absent(home: Path) -> Finding:
    above = next(folder for folder in home.parents if folder.exists())
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return _of_machine(
            None,
            f"The home folder {home} does not exist yet; it is made when it is needed.",
            f"To put settings into {home / '.env'}, first run: mkdir -m 700 -p {quote(str(home))}",
        )
    what = f"The home folder {home} cannot be made: {above} cannot be written."
    return _of_machine(False, what, "Choose another one: --home DIR.")


def _private(file: Path) -> Iterator[Finding]:
    if not file.is_file():
        what, fix = f"{file} is not a file.", "Move it away; Levqor makes a new one."
        yield _of_machine(False, what, fix)
    elif not os.access(file, os.R_OK | os.W_OK):
        fix = f"Make it yours: sudo chown $(id -un) '{file}'"
        yield _of_machine(False, f"{file} cannot be written.", fix)
    elif os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        what = f"Other users of this computer can read {file}."
        yield _of_machine(False, what, f"Run: chmod 600 '{file}'")


def _database(engine: Engine) -> Iterator[Finding]:
    """The database opened; does it hold runs from the future?"""
    yield _of_machine(True, f"The database {engine.ledger.path} can be used.")
    latest = engine.ledger.runs(1)
    if latest and latest[0].at > time.time() + MAX_SKEW_S:
        yield _of_machine(
            False,
            "The latest run in the database is later than this computer's clock.",
            "Set the clock; until then the free plan counts by the wrong day.",
        )


def _settings(
    settings: Settings, connectors: Sequence[Connector], service: str | None
) -> Iterator[Finding]:
    """Every missing or malformed value; a service nobody began to set up is not wrong."""
    problems: dict[tuple[str, str], Problem] = {}
    for problem in settings.problems():
        problems.setdefault((problem.setting, problem.what), problem)
    if service is not None:
        names = {setting.name for c in connectors for setting in c.config.settings()}
        problems = {key: each for key, each in problems.items() if each.setting in names}
    untouched = {
        setting.name
        for connector in connectors
        if not settings.configured(connector) and _untouched(connector, problems.values())
        for setting in connector.config.settings()
        if setting.required
    }
    for problem in problems.values():
        missing = problem.setting in untouched or not problem.fatal
        yield _setting(settings, problem, good=None if missing else False)
    unread = any(problem.setting == ".env" and problem.fatal for problem in problems.values())
    untouched_all = all(_untouched(connector, problems.values()) for connector in connectors)
    if service is None and untouched_all and not unread:
        fix = "Set up one of those above, or try all of them with: levqor --sandbox smoke"
        yield Finding(False, "No service is set up.", fix, "settings")


def _untouched(connector: Connector, problems: Collection[Problem]) -> bool:
    required = [setting.name for setting in connector.config.settings() if setting.required]
    of_it = [problem for problem in problems if problem.setting in required]
    # A value that is there but broken counts as begun: each absent one is said to be missing.
    return len(of_it) == len(required) and all("is missing" in each.what for each in of_it)


def _setting(settings: Settings, problem: Problem, *, good: bool | None) -> Finding:
    declared = next((each for each in settings.described() if each.name == problem.setting), None)
    finding = Finding(good, problem.what, problem.fix, "settings", problem.setting)
    if declared is None:
        return finding
    return replace(
        finding,
        line=f"{declared.name}={declared.example or declared.default or '…'}",
        place="the environment" if declared.env_only else str(settings.home / ".env"),
    )


def _services(report: Health) -> Iterator[Finding]:
    """What a live health report says of each service and each interface."""
    for detail in report.detail.values():
        if detail.verdict in GOOD:
            took = "" if detail.latency_ms is None else f" ({detail.latency_ms:.0f} ms)"
            what = f"{titled(detail.title, detail.words.rstrip('.'))}{took}."
            fix = " ".join(filter(None, (*detail.notes, detail.fix))) or None
            yield Finding(GOOD[detail.verdict], what, fix, "services")
    for surface, inbound in report.inbound_detail.items():
        what = f"Interface {surface}: {inbound.verdict.rstrip('.')}."
        yield Finding(True if inbound.ok else None, what, inbound.fix, "services")


def _clock(skews: Sequence[float]) -> Iterator[Finding]:
    """How far this clock is from the services' own; nothing where none told the time."""
    skew = sorted(skews)[len(skews) // 2] if skews else None
    if skew is None:
        return
    if abs(skew) <= MAX_SKEW_S:
        yield _of_machine(True, "The clock agrees with the services'.")
        return
    direction = "ahead of" if skew > 0 else "behind"
    yield _of_machine(
        False,
        f"The clock is {abs(skew) / 60:.0f} minutes {direction} the services'.",
        "Set it (on Linux: timedatectl set-ntp true); Google and Slack refuse a wrong one.",
    )


def _skew(answer: Answer) -> Iterator[float]:
    """How many seconds our clock is ahead of who answers, where it tells the time."""
    with suppress(ValueError):
        moment = parsedate_to_datetime(answer.headers.get("Date", ""))
        yield time.time() - moment.timestamp()
