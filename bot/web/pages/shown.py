"""What the pages show: values read from engine and ledger, ready for a template."""

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.web.pages import charts
from core import wording
from core.contract import Connector
from core.engine import Access, Engine, reasons
from core.errors import InvalidInput
from core.health import HealthChecker
from core.health import shown as health_shown
from core.interfaces import called, titles
from core.ledger import RunRecord
from core.ledger.listing import RunFilter
from core.ledger.records import DAY, day_of
from core.plain import plain_text
from core.reports import ConnectorHealth, Health, RunPage, UsageDay, Verdict
from core.run_filter import OUTCOMES, own_runs
from core.scopes import Read
from core.story import decided

DAYS = 90
HOUR = 3600
_MARKS = {"ok": "✓", "bad": "✗", "doubt": "!"}
MOST_UNKNOWN = 10
# To a token that reads no checks.
NOT_SHOWN = (
    "How services and interfaces are doing is not shown to this token. "
    "An admin can allow it: its scope needs the word live."
)


def _ago(at: float | dt.datetime | None) -> str:
    if at is None:
        return "never"
    seconds = at.timestamp() if isinstance(at, dt.datetime) else at
    return wording.ago(time.time() - seconds)


def _lasted(at: dt.datetime) -> str:
    seconds = time.time() - at.timestamp()
    return f" for {wording.span(seconds)}" if seconds >= 60 else ""


def utc(at: float | dt.datetime) -> str:
    """Say when something was, or will be, as the pages have it: to the minute."""
    moment = at if isinstance(at, dt.datetime) else dt.datetime.fromtimestamp(at, dt.UTC)
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M}"


def _ms(ms: float | None) -> str:
    if ms is None:
        return ""
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def written(value: Any) -> Any:
    """A value as a page holds it: no text turns around what stands beside it.

    What somebody typed goes back to them as it was: `|e` makes no `str` of it.
    """
    return plain_text(value) if type(value) is str else value


FILTERS = {
    "ago": _ago,
    "lasted": _lasted,
    "utc": utc,
    "ms": _ms,
    "tone": charts.tone,
    "mark": lambda word: _MARKS.get(charts.tone(word), ""),
    "verdict": lambda verdict: wording.VERDICTS[verdict].cell.capitalize(),
    "state": lambda word: word.replace("_", " "),
    "interface": called,
    "counted": charts.counted,
}


def overview(
    engine: Engine,
    health: HealthChecker,
    who: Access,
    seen: Mapping[str, ConnectorHealth],
) -> dict[str, Any]:
    """Every service, what is not known of a run, and how the interfaces are connected.

    `seen` is what this bot's last checks found.
    """
    report = None
    if who.reads(Read.LIVE):
        report = health.report()
        detail = {name: _with_notes(each, seen.get(name)) for name, each in report.detail.items()}
        report = health_shown(replace(report, detail=detail), who)
    ledger = engine.ledger
    of = RunFilter() if who.sees_only is None else own_runs(engine, who)
    unknown = ledger.runs(MOST_UNKNOWN, replace(of, outcome="unknown"))
    days = _days(engine, who)
    return {
        "title": "Overview",
        "summary": wording.summary(report) if report else "Overview",
        "cards": sorted(
            (
                _card(engine, name, detail, days)
                for name, detail in (report.detail if report else {}).items()
            ),
            key=lambda card: not card["broken"],
        ),
        "unknown": [
            {**row, "ending": _ending(engine, row["run"])} for row in _rows(engine, unknown)
        ],
        "interfaces": _interfaces(report) if report else [],
        "team": report.bots if report else None,
        "differ": [*wording.bots_differ(report.bots)] if report and report.bots else [],
        "problems": [*_problems(report)] if report else [NOT_SHOWN],
    }


def _problems(report: Health) -> Iterator[str]:
    """What is wrong with Levqor's own files: interfaces and bots have tables."""
    return wording.closing_lines(replace(report, inbound={}, bots=None))


def _ending(engine: Engine, run: RunRecord) -> list[str]:
    """How a run ended that was not sent, or may not have been, in the words of `why`."""
    connector = next((each for each in engine.connectors if each.name == run.connector), None)
    error = reasons.restore_error(run, connector)
    return wording.refusal(error, outcome=run.state).splitlines()


def _with_notes(known: ConnectorHealth, last: ConnectorHealth | None) -> ConnectorHealth:
    """What is known of a service, with what a check found that nobody keeps, if none came since."""
    if last is None or not (last.checked_at and known.checked_at):
        return known
    same = last.checked_at >= known.checked_at and last.verdict == known.verdict
    return replace(known, words=last.words, fix=last.fix, notes=last.notes) if same else known


def _interfaces(report: Health) -> list[dict[str, Any]]:
    """How each interface does that a bot has said anything of, in order."""
    order = [*titles()]
    listed = sorted(
        report.inbound_detail.items(),
        key=lambda item: order.index(item[0]) if item[0] in order else len(order),
    )
    return [{"title": called(name), "health": health} for name, health in listed]


Days = Mapping[tuple[str, str], UsageDay]


def _days(engine: Engine, who: Access, only: str = "") -> Days:
    """The runs of each service and day that somebody may see; of their own, today's alone."""
    days, of = (DAYS, None) if who.reads(Read.USAGE) else (1, own_runs(engine, who))
    usage = engine.ledger.usage(days, of, only=only)
    return {(each.connector, each.day): each for each in usage}


def _card(engine: Engine, name: str, detail: ConnectorHealth, days: Days) -> dict[str, Any]:
    strip = _strip(engine, name, detail, days)
    today = days.get((name, day_of(engine.ledger.now())))
    broken = charts.tone(detail.verdict) in ("bad", "doubt")
    more = {"today": today, "broken": broken, "listed": _listed(detail, strip)}
    return {"name": name, "health": detail, "strip": strip, **more}


def _listed(detail: ConnectorHealth, strip: Sequence[charts.Stretch]) -> bool:
    """Whether there is anything to draw: not of what is not set up and never was."""
    return detail.verdict != Verdict.NOT_CONFIGURED or any(each.tone != "dim" for each in strip)


def _strip(engine: Engine, name: str, detail: ConnectorHealth, days: Days) -> list[charts.Stretch]:
    runs = {day: each for (connector, day), each in days.items() if connector == name}
    checks = engine.ledger.checks_by_day(name, DAYS)
    today = detail.checked_at and day_of(detail.checked_at.timestamp()) == checks[-1].day
    return charts.strip(checks, runs, detail.verdict if today else None)


# A span's name: how it is called, how many seconds it is, how many a step of it, and its name.
SPANS = {
    "1d": ("24 hours", DAY, HOUR, "an hour"),
    "7d": ("7 days", 7 * DAY, 6 * HOUR, "6 hours"),
    "30d": ("30 days", 30 * DAY, DAY, "a day"),
    "90d": ("90 days", 90 * DAY, DAY, "a day"),
}


def service(
    engine: Engine,
    health: HealthChecker,
    who: Access,
    kind: tuple[Connector, str | None],
    span: str,
    seen: Mapping[str, ConnectorHealth],
) -> dict[str, Any]:
    """How a service did: its checks, its runs and how long they took."""
    connector, account = kind
    name = connector.account_id(account)
    detail = _with_notes(health.known(connector, account), seen.get(name))
    _, seconds, step, step_name = SPANS[span]
    until = engine.ledger.now()
    since = (until - seconds) // step * step + step
    history = engine.ledger.history(connector.name, since, until, step)
    busy = [each for each in history.steps if charts.total(each)]
    strip = _strip(engine, name, detail, _days(engine, who, connector.name))
    return {
        "title": detail.title,
        "service": connector.name,
        "name": name,
        "health": detail,
        "strip": strip,
        "listed": _listed(detail, strip),
        "ends": (f"{utc(since)} UTC", f"{utc(until)} UTC"),
        "span": span,
        "spans": [(each, words) for each, (words, *_) in SPANS.items()],
        "known": history.since,
        "missing": history.since is not None and history.since.timestamp() > since,
        "step": step_name,
        "steps": busy[::-1],
        "quiet": len(busy) < len(history.steps),
        "outcomes": charts.outcomes(history.steps),
        "times": charts.times(history.steps),
    }


def runs(engine: Engine, page: RunPage, who: Access, asked: Mapping[str, str]) -> dict[str, Any]:
    """A page of runs, and what it can be narrowed to."""
    return {
        **_filters(engine, who, asked),
        "runs": _rows(engine, page.runs),
        "next": page.next,
        "error": None,
    }


def no_runs(
    engine: Engine, error: InvalidInput, who: Access, asked: Mapping[str, str]
) -> dict[str, Any]:
    """The same where what was asked for makes no sense."""
    return {**_filters(engine, who, asked), "runs": [], "next": None, "error": error}


def _filters(engine: Engine, who: Access, asked: Mapping[str, str]) -> dict[str, Any]:
    people = []
    if who.sees_only is None:
        added = [person.name for person in engine.ledger.people()]
        alone = [each.caller for each in engine.ledger.callers() if each.person is None]
        people = [*added, *sorted(alone)]
    return {
        "title": "Runs",
        "asked": asked,
        "people": people,
        "actions": [*(each.name for each in engine.connectors), *engine.action_ids()],
        "interfaces": titles(),
        "outcomes": OUTCOMES,
        "sends": bool(engine.authorization.offered(who)),
    }


def _rows(engine: Engine, runs: Sequence[Any]) -> list[dict[str, Any]]:
    names = engine.ledger.persons(run.caller for run in runs)
    return [
        {
            "run": run,
            "who": names.get(run.caller, run.caller),
            "service": title(engine, run.connector),
            "interface": called(run.surface),
        }
        for run in runs
    ]


def run(engine: Engine, entry: RunRecord, who: Access) -> dict[str, Any]:
    """One run's story."""
    # What it was, who asked, how often it was tried, and that it was sent stand beside it.
    _, _, *lines = wording.why(replace(entry, tries=()), engine.connectors).splitlines()
    lines = lines if entry.open else [line for line in lines[1:] if line != "Sent."]
    connector = next((each for each in engine.connectors if each.name == entry.connector), None)
    return {
        "title": f"Run {entry.run}",
        "entry": entry,
        "person": engine.ledger.persons([entry.caller]).get(entry.caller),
        "interface": called(entry.surface),
        "again": entry.action in engine.authorization.offered(who),
        "service": title(engine, entry.connector),
        "story": lines,
        "tries": reasons.attempts(entry, connector),
        "decided": [*decided(engine, entry)],
    }


def title(engine: Engine, name: str) -> str:
    """A service's title; of one that is no more, its name."""
    return next((each.title for each in engine.connectors if each.name == name), name)
