"""Number and noun, number and verb agree wherever something is counted."""

import re
from pathlib import Path

import pytest

from core.plain import agreeing, counted
from core.reports import Usage
from core.wording import usage_lines

ROOT = Path(__file__).parents[2]
# A number that may be one must come through `counted`; these never are.
NEVER_ONE = re.compile(
    r"[A-Z_]{3,}|most:,|size:,|len\(text\)|len\(names\)|len\(changes\)|len\(runs\)|abs\(skew\)"
    r"|seconds // DAY|units"
)
NOUNS = [
    "runs",
    "days",
    "seconds",
    "minutes",
    "hours",
    "commands",
    "messages",
    "people",
    "tokens",
    "files",
    "rows",
    "characters",
    "bytes",
    "entries",
    "connectors",
    "callers",
    "attempts",
    "updates",
    "things",
    "columns",
    "pages",
    "levels",
    "changes",
    "problems",
]
BARE = re.compile(rf"\{{([^{{}}]+)\}} (?:{'|'.join(NOUNS)})\b")


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "0 runs are"), (1, "1 run is"), (2, "2 runs are"), (1000, "1,000 runs are")],
)
def test_noun_and_verb_agree(count, told):
    assert f"{counted(count, 'run')} {agreeing(count)}" == told


def test_a_noun_may_have_a_plural_of_its_own():
    assert [counted(n, "entry", "entries") for n in (1, 2)] == ["1 entry", "2 entries"]


def test_nothing_is_counted_with_a_fixed_plural():
    fixed = [
        f"{file.relative_to(ROOT)}: {found[0]}"
        for room in ("core", "bot", "tray")
        for file in sorted((ROOT / room).rglob("*.py"))
        for found in BARE.finditer(file.read_text())
        if not NEVER_ONE.search(found[1])
    ]
    assert fixed == []


@pytest.mark.parametrize(("days", "told"), [(1, "No runs in 1 day."), (7, "No runs in 7 days.")])
def test_days_without_a_run(days, told):
    report = Usage(caller="cli:ann", plan="free", quota=(), usage=(), days=days)
    assert usage_lines(report)[-1] == told


def test_runs_that_are_forgotten(cli, monkeypatch):
    monkeypatch.setenv("LEVQOR_KEEP_DAYS", "1")
    assert cli("prune").out == "0 runs older than 1 day were deleted.\n"
    assert cli("usage", "--days", "1").out.startswith("No runs in the last 1 day.\n")
