"""What the doctor looks at: this machine, the settings, then every service."""

from __future__ import annotations

import dataclasses
import os
import platform
import stat
import time
from shlex import quote
from typing import TYPE_CHECKING

from core.cli.clock import clocked
from core.errors import LevqorError
from core.home import DATABASE
from core.reports import Finding, Verdict
from core.wording import under

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from core.contract import Connector
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


def machine(home: Path) -> Iterator[Finding]:
    """Python, the home folder and the log."""
    yield Finding(group="machine", good=True, what=f"Python {platform.python_version()}.")
    if not home.is_dir():
        yield from _makeable(home)
        return
    file = home / ".env"
    what = f"Settings are read from {file}." if file.exists() else f"There is no {file} yet."
    yield Finding(group="machine", good=True if file.exists() else None, what=what)
    if not (home / DATABASE).exists():
        what = f"There is no {DATABASE} in {home} yet; the first run makes it."
        yield Finding(group="machine", good=None, what=what)
    for path, name in ((home, "home folder"), (home / "logs", "log folder")):
        yield from _writable(path, name)
    for file in (home / "levqor.db", home / "levqor.key", home / "logs" / "connectors.log"):
        yield from _private(file)


def _makeable(home: Path) -> Iterator[Finding]:
    """A home that is not there: could it be?"""
    above = next(one for one in home.parents if one.exists())
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        what = f"The home folder {home} does not exist yet; it is made when it is needed."
        fix = f"Settings go into {home / '.env'}: mkdir -m 700 -p {quote(str(home))}"
        yield Finding(group="machine", good=None, what=what, fix=fix)
    else:
        what = f"The home folder {home} cannot be made: {above} cannot be written."
        yield Finding(group="machine", good=False, what=what, fix="Choose another one: --home DIR.")


def _writable(path: Path, name: str) -> Iterator[Finding]:
    if not path.exists():
        return
    good = os.access(path, os.W_OK | os.X_OK)
    can = "can" if good else "cannot"
    fix = None if good else f"Make it yours: sudo chown -R $(id -un) '{path}'"
    yield Finding(good, f"The {name} {path} {can} be written.", fix, "machine")


def _private(file: Path) -> Iterator[Finding]:
    if not file.exists():
        return
    if not file.is_file():
        what, fix = f"{file} is not a file.", "Move it away; Levqor makes a new one."
        yield Finding(group="machine", good=False, what=what, fix=fix)
    elif not os.access(file, os.R_OK | os.W_OK):
        fix = f"Make it yours: sudo chown $(id -un) '{file}'"
        yield Finding(group="machine", good=False, what=f"{file} cannot be written.", fix=fix)
    elif os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        what = f"Other users of this machine can read {file}."
        yield Finding(group="machine", good=False, what=what, fix=f"Run: chmod 600 '{file}'")


def ledger(engine: Engine) -> Iterator[Finding]:
    """The ledger opened; does it hold runs from the future?"""
    yield Finding(group="machine", good=True, what=f"The ledger {engine.ledger.path} can be used.")
    latest = engine.ledger.runs(1)
    if latest and latest[0].at > time.time() + MAX_SKEW_S:
        yield Finding(
            group="machine",
            good=False,
            what="The ledger's latest run is later than this machine's clock.",
            fix="Set the clock; until then the free plan counts by the wrong day.",
        )


def settings(found: Settings, connectors: Sequence[Connector]) -> Iterator[Finding]:
    """Every missing or malformed value; a connector nobody began to set up is not wrong."""
    problems: dict[tuple[str, str], Problem] = {}
    for problem in found.problems():
        problems.setdefault((problem.setting, problem.what), problem)
    untouched = {
        one.name: connector
        for connector in connectors
        if not found.configured(connector) and _untouched(connector, problems.values())
        for one in connector.config.settings()
        if one.required
    }
    for problem in problems.values():
        about = untouched.get(problem.setting)
        good = None if about or not problem.fatal else False
        yield _setting(found, problem, good=good)
    unread = any(problem.setting == ".env" and problem.fatal for problem in problems.values())
    if not unread and all(_untouched(connector, problems.values()) for connector in connectors):
        yield Finding(
            group="settings",
            good=False,
            what="No connector is set up.",
            fix="Set up one of those above, or try all of them with: levqor --sandbox smoke",
        )


def _untouched(connector: Connector, problems: Iterable[Problem]) -> bool:
    required = [one.name for one in connector.config.settings() if one.required]
    said = [problem for problem in problems if problem.setting in required]
    # A value that is there but broken counts as begun: each absent one is said to be missing.
    return len(said) == len(required) and all("is missing" in problem.what for problem in said)


def _setting(found: Settings, problem: Problem, *, good: bool | None) -> Finding:
    about = next((one for one in found.described() if one.name == problem.setting), None)
    if about is None:
        return Finding(good, problem.what, problem.fix, "settings", problem.setting)
    return Finding(
        good,
        problem.what,
        problem.fix,
        "settings",
        about.name,
        f"{about.name}={about.example or about.default or '…'}",
        "the environment" if about.env_only else str(found.home / ".env"),
    )


def services(report: Health) -> Iterator[Finding]:
    """What a live health report says of each connector and each interface."""
    for detail in report.detail.values():
        if detail.verdict not in GOOD:
            continue
        took = "" if detail.latency_ms is None else f" ({detail.latency_ms:.0f} ms)"
        what = f"{under(detail.title, detail.words.rstrip('.'))}{took}."
        fix = " ".join(filter(None, (*detail.notes, detail.fix))) or None
        yield Finding(GOOD[detail.verdict], what, fix, "services")
    for surface, inbound in report.inbound_detail.items():
        what = f"Interface {surface}: {inbound.verdict.rstrip('.')}."
        yield Finding(True if inbound.ok else None, what, inbound.fix, "services")


def clock(skews: Sequence[float]) -> Iterator[Finding]:
    """How far this clock is from the services' own; nothing where none told the time."""
    if not skews:
        return
    skew = sorted(skews)[len(skews) // 2]
    if abs(skew) <= MAX_SKEW_S:
        yield Finding(group="machine", good=True, what="The clock agrees with the services'.")
        return
    way = "ahead of" if skew > 0 else "behind"
    yield Finding(
        group="machine",
        good=False,
        what=f"The clock is {abs(skew) / 60:.0f} minutes {way} the services'.",
        fix="Set it (on Linux: timedatectl set-ntp true); Google and Slack refuse a wrong one.",
    )


def look(asked_settings: Settings, connectors: Sequence[Connector], folder: Path) -> list[Finding]:
    """Everything, in the order a person mends it; `folder` is where the ledger is."""
    from core.engine import Engine
    from core.health import HealthChecker

    findings = [*machine(asked_settings.home), *settings(asked_settings, connectors)]
    skews: list[float] = []
    watched = [dataclasses.replace(c, probe=clocked(c.probe, skews)) for c in connectors]
    try:
        with Engine.open(asked_settings, connectors=watched, folder=folder) as engine:
            if folder == asked_settings.home:
                findings += ledger(engine)
            findings += services(HealthChecker(engine).report(live=True))
    except LevqorError as error:
        findings.append(Finding(group="machine", good=False, what=error.message, fix=error.fix))
    return [*findings, *clock(skews)]
