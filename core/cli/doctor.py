"""`levqor doctor`: what is missing or wrong on this computer, in the settings and the services.

Of each it says where to get it, and which line to put where.
"""

from __future__ import annotations

import os
import platform
import stat
import time
from contextlib import suppress
from dataclasses import asdict, replace
from email.utils import parsedate_to_datetime
from shlex import quote
from typing import TYPE_CHECKING

import typer

from core import __version__
from core.cli import options, reports
from core.errors import LevqorError
from core.home import DATABASE
from core.plain import counted
from core.reports import Finding, Verdict, without_none
from core.wording import summary, titled

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from core.cli.session import Session
    from core.contract import Answer, Connector
    from core.engine import Engine
    from core.reports import Health
    from core.settings import Problem, Settings

# Google refuses a token request whose clock is five minutes off, Slack a signature too.
MAX_SKEW_S = 120.0
TITLES = {
    "machine": "This computer",
    "settings": "Settings",
    "services": "Services, checked just now",
}
STYLES = {True: "green", False: "red", None: ""}
GOOD = {
    Verdict.OK: True,
    Verdict.ATTENTION: None,
    Verdict.FAILING: False,
    Verdict.UNREACHABLE: False,
}


def doctor(
    ctx: typer.Context, service: options.Service = None, output: options.Output = None
) -> None:
    """Check this computer, the settings and every service, and say how to fix what is wrong."""
    session = options.reading(ctx)
    session.tolerant = True
    with session.out.waiting("checking everything"):
        services, findings = _diagnose(session, service)
    wrong = sum(finding.good is False for finding in findings)
    body = {
        "ok": not wrong,
        "home": str(session.settings.home),
        "levqor": __version__,
        "findings": [without_none(asdict(finding)) for finding in findings],
    }

    def draw() -> None:
        verdict = f"{counted(wrong, 'problem')} to fix." if wrong else "Nothing is wrong."
        style = "bold red" if wrong else "bold green"
        session.out.line(f"{services} {verdict}", style)
        session.out.line(f"Levqor {__version__}, home {session.settings.home}")
        _draw(session, findings)
        session.out.line(f"\n{verdict}", style)

    session.answer(body, draw)
    if wrong:
        raise typer.Exit(1)


def _draw(session: Session, findings: Sequence[Finding]) -> None:
    out = session.out
    for group, title in TITLES.items():
        of_group = [finding for finding in findings if finding.group == group]
        if of_group:
            out.line()
            out.line(title, "bold")
        for finding in of_group:
            out.line(f"{out.mark(finding.good)} {finding.what}", STYLES[finding.good])
            if finding.fix:
                out.line(f"    {finding.fix}")
            if finding.line:
                out.line(f"    Write it like this in {finding.place}:")
                out.line(f"    {finding.line}")


def _diagnose(session: Session, service: str | None) -> tuple[str, list[Finding]]:
    """A line on the services, and what was found in everything, or in one service.

    Of the computer one service shows only what is wrong with it.
    """
    from core.engine import Engine

    settings, connectors = session.settings, options.connectors(service)
    findings = [
        *_of("machine", _machine(settings.home, shared=settings.database_url is not None)),
        *_of("settings", _settings(settings, connectors, service)),
    ]
    skews: list[float] = []
    services = "The services were not checked."
    try:
        with Engine.open(settings, connectors=connectors, folder=session.folder) as engine:
            engine.outbound.on_answer = lambda answer: skews.extend(_skew(answer))
            if engine.ledger.store.shared or session.folder == settings.home:
                findings += _of("machine", _database(engine))
            report = reports.look(engine, service, live=True)
            services = summary(report)
            findings += _of("services", _services(report))
            if service is None:
                findings += _of("settings", _alerts(engine, report))
    except LevqorError as error:
        findings += _of("machine", [Finding(False, error.message, error.fix)])
    findings += _of("machine", _clock(skews))
    if service is not None:
        findings = [each for each in findings if each.group != "machine" or each.good is False]
    return services, findings


def _of(group: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    return (replace(finding, group=group) for finding in findings)


def _machine(home: Path, *, shared: bool) -> Iterator[Finding]:
    """Python, the home folder and the log."""
    yield Finding(True, f"Python {platform.python_version()}.")
    if not home.is_dir():
        yield _absent(home)
        return
    file = home / ".env"
    if file.exists():
        yield Finding(True, f"Settings are read from {file}.")
    else:
        yield Finding(None, f"There is no {file} yet.")
    if not shared and not (home / DATABASE).exists():
        yield Finding(None, f"There is no {DATABASE} in {home} yet; the first run makes it.")
    for path, name in ((home, "home folder"), (home / "logs", "log folder")):
        if path.exists():
            good = os.access(path, os.W_OK | os.X_OK)
            fix = None if good else f"Make it yours: sudo chown -R $(id -un) {quote(str(path))}"
            can = "can" if good else "cannot"
            yield Finding(good, f"The {name} {path} {can} be written.", fix)
    for file in (home / DATABASE, home / "levqor.key", home / "logs" / "connectors.log"):
        if file.exists():
            yield from _private(file)


def _absent(home: Path) -> Finding:
    above = next(folder for folder in home.parents if folder.exists())
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return Finding(
            None,
            f"The home folder {home} does not exist yet; it is made when it is needed.",
            f"To put settings into {home / '.env'}, first run: mkdir -m 700 -p {quote(str(home))}",
        )
    what = f"The home folder {home} cannot be made: {above} cannot be written."
    return Finding(False, what, "Choose another one: --home DIR.")


def _private(file: Path) -> Iterator[Finding]:
    if not file.is_file():
        what, fix = f"{file} is not a file.", "Move it away; Levqor makes a new one."
        yield Finding(False, what, fix)
    elif not os.access(file, os.R_OK | os.W_OK):
        fix = f"Make it yours: sudo chown $(id -un) {quote(str(file))}"
        yield Finding(False, f"{file} cannot be written.", fix)
    elif os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        what = f"Other users of this computer can read {file}."
        yield Finding(False, what, f"Run: chmod 600 {quote(str(file))}")


def _alerts(engine: Engine, report: Health) -> Iterator[Finding]:
    """Can the bot report to the targets in LEVQOR_ALERTS?"""
    known = {target.name: target for target in engine.ledger.targets()}
    for name in engine.settings.app.alerts:
        if name not in known:
            yield Finding(
                False,
                f"LEVQOR_ALERTS names {name}, which is no target.",
                f"Add it: levqor target add {name} ACTION FIELD=VALUE, or take it out of "
                "LEVQOR_ALERTS.",
            )
            continue
        connector, _ = engine.action(known[name].action)
        account = known[name].account
        detail = report.detail.get(connector.account_id(account))
        if detail is None or detail.verdict is Verdict.NOT_CONFIGURED:
            of = f" --account {account}" if account else ""
            yield Finding(
                False,
                f"LEVQOR_ALERTS names {name}, and {connector.account_title(account)} is not set "
                "up: no alert gets there.",
                f"Set it up: levqor init {connector.name}{of}",
            )


def _database(engine: Engine) -> Iterator[Finding]:
    """The database opened; does it hold runs from the future?"""
    store = engine.ledger.store
    yield Finding(True, f"{store.place} can be used.")
    yield from (Finding(None, what, fix) for what, fix in store.risks())
    latest = engine.ledger.runs(1)
    if latest and latest[0].at > time.time() + MAX_SKEW_S:
        yield Finding(
            False,
            "The latest run in the database is later than this computer's clock.",
            "Set the clock; until then the free plan counts by the wrong day.",
        )


def _settings(
    settings: Settings, connectors: Sequence[Connector], service: str | None
) -> Iterator[Finding]:
    """Every missing or malformed value; a service nobody began to set up is not wrong."""
    names = tuple(setting.name for c in connectors for setting in c.config.settings())
    each: dict[tuple[str, str], Problem] = {}
    for problem in settings.problems():
        # A further account's have more behind the name, and what is nearly right has too.
        if service is None or problem.setting.upper().startswith(names):
            each.setdefault((problem.setting, problem.what), problem)
    problems = each.values()
    untouched = [connector for connector in connectors if _untouched(connector, problems)]
    required = {s.name for c in untouched for s in c.config.settings() if s.required}
    for problem in problems:
        missing = problem.setting in required or not problem.fatal
        yield _setting(settings, problem, good=None if missing else False)
    unread = any(problem.setting == ".env" and problem.fatal for problem in problems)
    begun = len(untouched) < len(connectors) or any(map(settings.accounts, connectors))
    if service is None and not begun and not unread:
        fix = "Set one up with: levqor init. To try all without an account: levqor --sandbox smoke"
        yield Finding(False, "No service is set up.", fix)


def _untouched(connector: Connector, problems: Collection[Problem]) -> bool:
    required = [setting.name for setting in connector.config.settings() if setting.required]
    of_it = [problem for problem in problems if problem.setting in required]
    # A value that is there but broken counts as begun: each absent one is said to be missing.
    return len(of_it) == len(required) and all("is missing" in each.what for each in of_it)


def _setting(settings: Settings, problem: Problem, *, good: bool | None) -> Finding:
    declared = settings.setting(problem.setting)
    finding = Finding(good, problem.what, problem.fix, setting=problem.setting)
    if declared is None:
        return finding
    return replace(
        finding,
        line=f"{declared.name}={declared.example or declared.default or '…'}",
        place="the environment" if declared.env_only else str(settings.home / ".env"),
    )


def _services(report: Health) -> Iterator[Finding]:
    """What a live health report says of each service and each interface."""
    from core.interfaces import called

    for detail in report.detail.values():
        if detail.verdict in GOOD:
            took = "" if detail.latency_ms is None else f" ({detail.latency_ms:.0f} ms)"
            what = f"{titled(detail.title, detail.words.rstrip('.'))}{took}."
            fix = " ".join(filter(None, (*detail.notes, detail.fix))) or None
            yield Finding(GOOD[detail.verdict], what, fix)
    for surface, inbound in report.inbound_detail.items():
        what = f"Interface {called(surface)}: {inbound.verdict.rstrip('.')}."
        yield Finding(True if inbound.ok else None, what, inbound.fix)


def _clock(skews: Sequence[float]) -> Iterator[Finding]:
    """How far this clock is from the services' own; nothing where none told the time."""
    skew = sorted(skews)[len(skews) // 2] if skews else None
    if skew is None:
        return
    if abs(skew) <= MAX_SKEW_S:
        yield Finding(True, "This computer's clock is right: the services have the same time.")
        return
    direction = "ahead of" if skew > 0 else "behind"
    yield Finding(
        False,
        f"The clock is {abs(skew) / 60:.0f} minutes {direction} the clocks of the services.",
        "Set it (on Linux: timedatectl set-ntp true); Google and Slack refuse a wrong one.",
    )


def _skew(answer: Answer) -> Iterator[float]:
    """How many seconds our clock is ahead of who answers, where it tells the time."""
    with suppress(ValueError):
        moment = parsedate_to_datetime(answer.headers.get("Date", ""))
        yield time.time() - moment.timestamp()
