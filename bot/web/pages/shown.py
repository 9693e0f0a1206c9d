"""What the pages show: values read from engine and ledger, ready for a template."""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core import wording
from core.contract import Connector
from core.engine import Access, Engine
from core.errors import InvalidInput
from core.health import HealthChecker
from core.health import shown as health_shown
from core.ledger import RunRecord
from core.ledger.listing import RunFilter
from core.reports import BROKEN, ConnectorHealth, Health, RunPage, Verdict
from core.run_filter import OUTCOMES, usage_for

DAYS = 90
_DAY = 86400.0
# How a state or a verdict is coloured.
_TONES = {
    "sent": "ok", "refused": "bad", "not_sent": "bad", "unknown": "doubt",
    Verdict.OK: "ok", Verdict.ATTENTION: "doubt", Verdict.FAILING: "bad",
    Verdict.UNREACHABLE: "bad",
}  # fmt: skip
_MARKS = {"ok": "✓", "bad": "✗", "doubt": "!"}
MOST_UNKNOWN = 10


@dataclass(frozen=True)
class Stretch:
    """A bar of a service's strip: a day, what was found on it, and its place in the picture."""

    x: int
    tone: str
    words: str


def _ago(at: float | dt.datetime) -> str:
    seconds = at.timestamp() if isinstance(at, dt.datetime) else at
    return wording.ago(time.time() - seconds)


def _utc(at: float | dt.datetime) -> str:
    moment = at if isinstance(at, dt.datetime) else dt.datetime.fromtimestamp(at, dt.UTC)
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M}"


def _ms(ms: float | None) -> str:
    if ms is None:
        return ""
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def tone(word: str) -> str:
    """The colour of a run's state or a service's verdict."""
    return _TONES.get(word, "dim")


FILTERS = {
    "ago": _ago,
    "utc": _utc,
    "ms": _ms,
    "tone": tone,
    "mark": lambda word: _MARKS.get(tone(word), "·"),
    "state": lambda word: word.replace("_", " "),
}


def overview(engine: Engine, health: HealthChecker, who: Access) -> dict[str, Any]:
    """Every service, what is not known of a run, and how the interfaces are connected."""
    report = health_shown(health.report(), who)
    ledger = engine.ledger
    callers = None if who.sees_only is None else tuple(ledger.callers_of(str(who.caller)))
    unknown = ledger.run_page(MOST_UNKNOWN, RunFilter(callers=callers, outcome="unknown"))
    names = {each.caller: each.person for each in ledger.callers() if each.person}
    today = {day.connector: day for day in usage_for(engine, who, 1).usage}
    return {
        "title": "Overview",
        "summary": wording.summary(report),
        "report": report,
        "cards": [_card(engine, name, detail, today) for name, detail in report.detail.items()],
        "unknown": [_row(engine, run, names) for run in unknown.runs],
        "closing": [*wording.closing_lines(report)],
        "broken": _broken(report),
    }


def _broken(report: Health) -> list[str]:
    return [each.title for each in report.detail.values() if each.verdict in BROKEN]


def _card(
    engine: Engine, name: str, detail: ConnectorHealth, today: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "name": name,
        "health": detail,
        "words": wording.VERDICTS[detail.verdict].cell.capitalize(),
        "strip": _strip(engine, name),
        "today": today.get(name),
    }


def _strip(engine: Engine, name: str) -> list[Stretch]:
    """A bar for each of the last days: the worst that a check found on it."""
    now = engine.ledger.now()
    first = now - DAYS * _DAY
    streaks = [each for each in engine.ledger.probes(name, 1000) if each.at >= first]
    worst = (Verdict.FAILING, Verdict.UNREACHABLE, Verdict.ATTENTION, Verdict.OK)
    bars = []
    for number in range(DAYS):
        begin = now - (DAYS - number) * _DAY
        found = {each.verdict for each in streaks if each.since < begin + _DAY and each.at >= begin}
        verdict = next((each for each in worst if each in found), None)
        words = wording.VERDICTS[verdict].cell if verdict else "no check"
        day = dt.datetime.fromtimestamp(begin + _DAY, dt.UTC)
        bars.append(Stretch(number * 4, tone(verdict or ""), f"{day:%Y-%m-%d}: {words}"))
    return bars


def runs(engine: Engine, page: RunPage, who: Access, asked: Mapping[str, str]) -> dict[str, Any]:
    """A page of runs, and what it can be narrowed to."""
    names = {each.caller: each.person for each in engine.ledger.callers() if each.person}
    return {
        **_filters(engine, who, asked),
        "runs": [_row(engine, run, names) for run in page.runs],
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
        "actions": engine.action_ids(),
        "outcomes": OUTCOMES,
    }


def _row(engine: Engine, run: Any, names: Mapping[str, str | None]) -> dict[str, Any]:
    connector = next((c for c in engine.connectors if c.name == run.connector), None)
    return {
        "run": run,
        "who": names.get(run.caller) or run.caller,
        "service": connector.title if connector else run.connector,
    }


def run(engine: Engine, entry: RunRecord) -> dict[str, Any]:
    """One run's story."""
    connector: Connector | None = next(
        (c for c in engine.connectors if c.name == entry.connector), None
    )
    story = wording.why(entry, engine.connectors).splitlines()
    return {
        "title": f"Run {entry.run}",
        "entry": entry,
        "service": connector.title if connector else entry.connector,
        "story": story[1:],
    }
