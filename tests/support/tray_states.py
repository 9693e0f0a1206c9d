"""States of the tray for tests, and its menu written as lines of text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.reports import Verdict
from tray.state import (
    Connector,
    Health,
    Inbound,
    Preferences,
    Run,
    SourceFault,
    SourceInfo,
    State,
    TestResult,
)

if TYPE_CHECKING:
    from tray.rows import Row

NOW = 1_800_000_000.0
MINUTE, HOUR = 60, 3600
LOCAL = SourceInfo("this computer", Path("/srv/levqor"))
REMOTE = SourceInfo("Levqor at levqor.example.com")

CHALK = Connector("chalk", "Chalk", Verdict.OK, ("chalk.write",), words="working", latency_ms=120.4)
DUCK = Connector("duck", "Duck post", Verdict.OK, ("duck.post",), words="working", latency_ms=81.0)
SENT = Run("r1", NOW - 2 * MINUTE, "sent", "chalk.write", ms=234.4)
BAD = Connector(
    "duck",
    "Duck post",
    Verdict.FAILING,
    ("duck.post",),
    words="not shared with the integration.",
    fix="Open the pond, and share it.",
    since=NOW - 5 * MINUTE,
)
HINT = replace(BAD, verdict=Verdict.ATTENTION, words="the token ends tomorrow", fix="Renew it.")
OFF = Connector(
    "duck",
    "Duck post",
    Verdict.NOT_CONFIGURED,
    ("duck.post",),
    words="Duck post is not set up. DUCK_KEY is missing.",
    fix="Set DUCK_KEY: duck.example, Settings.",
    settings=("DUCK_KEY",),
)
UNSEEN = Connector("duck", "Duck post", actions=("duck.post",), words="set up, not checked yet")
AWAY = replace(BAD, verdict=Verdict.UNREACHABLE, words="cannot be reached", fix=None)

# What a Levqor answers to a question after its health.
REPORT = {
    "connectors": {"chalk": True, "duck": True},
    "detail": {
        "chalk": {
            "title": "Chalk",
            "actions": ["chalk.write"],
            "verdict": "ok",
            "words": "working",
        },
        "duck": {"title": "Duck post", "verdict": "unreachable", "words": "cannot be reached"},
    },
    "inbound_detail": {"pigeon": {"ok": False, "verdict": "token revoked", "fix": "Get another."}},
}


def state(
    *connectors: Connector,
    inbound: tuple[Inbound, ...] = (),
    console: str | None = None,
    **more,
) -> State:
    """A state half a minute after a check that found these connectors."""
    health = Health(NOW - 30, connectors, inbound, console) if connectors else None
    return State(**{"now": NOW, "source": LOCAL, "health": health, "version": "1.2.3", **more})


def part(rows: tuple[Row, ...], which: str) -> str:
    """The text of one part: `top`, `inbound`, `console`, `tail`, or what is below a row's key."""
    ends = [n for n, row in enumerate(rows) if row.separator]
    if which == "top":
        found = tuple(replace(row, rows=()) for row in rows[: ends[1]])
    elif which in ("inbound", "console"):
        middle = rows[ends[1] + 1 : ends[-2]]
        ours = [row.key.startswith("in:") == (which == "inbound") for row in middle]
        found = tuple(row for row, our in zip(middle, ours, strict=True) if our)
        found = tuple(row for row in found if not row.separator)
    elif which == "tail":
        found = rows[ends[-2] + 1 :]
    else:
        found = next(row for row in rows if row.key == which).rows
    return "\n".join(lines(found))


def fault(words: str = "desk cannot be reached") -> SourceFault:
    return SourceFault(words, "See that it runs.")


def muted(name: str, seconds: float) -> Preferences:
    return Preferences(muted={name: NOW + seconds})


def results(outcome: str | None, words: str, **more) -> dict[str, TestResult]:
    return {"chalk.write": TestResult(outcome, words, at=NOW - 20, **more)}


def lines(rows: tuple[Row, ...], depth: int = 0) -> list[str]:
    """Rows as text: (greyed), [x] ticked, [ ] not, a line, deeper rows further in."""
    said = []
    for row in rows:
        text = row.text
        if row.checked is not None:
            text = f"[{'x' if row.checked else ' '}] {text}"
        text = f"({text})" if not row.enabled else text
        said.append("    " * depth + ("---" if row.separator else text))
        said += lines(row.rows, depth + 1)
    return said
