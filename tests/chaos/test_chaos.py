"""Two minutes of chaos; and that it catches a Levqor which breaks its promises."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SOAK
from tests.support import postgres
from tests.support.cli import checkout

ROOT = Path(__file__).parents[2]
# What is broken, and how the auditor may call it.
BROKEN = {
    "retry": (
        "core/outbound/retry.py",
        "return error.certainty is Certainty.REPEATABLE",
        "return True",
        {"double"},
    ),
    "settle": (
        "core/ledger/runs.py",
        '"state": state,\n            "at"',
        '"state": "sent" if state == "unknown" else state,\n            "at"',
        {"loss"},
    ),
    "quota": (
        "core/ledger/accept.py",
        '"charged": not request.test,',
        '"charged": request.test,',
        {"count"},
    ),
    "giving back": (
        "core/ledger/runs.py",
        '"gone": state in ("refused", "not_sent"),',
        '"gone": state == "refused",',
        {"count"},
    ),
}


def chaos(seconds, seed, database, *, at=ROOT):
    """Run the program to its end; its exit status and summary."""
    line = [sys.executable, "-m", "tests.chaos", "--seconds", str(seconds), "--seed", seed]
    done = subprocess.run(
        [*line, "--database", database],
        check=False,
        capture_output=True,
        text=True,
        cwd=at,
        env={**os.environ, "PYTHONPATH": str(at)},
    )
    assert done.stdout, done.stderr[-3000:]
    return done.returncode, json.loads(done.stdout)


@pytest.mark.timeout(5400)
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_whatever_happens_nothing_is_sent_twice_lost_in_silence_or_counted_wrong(database, counts):
    if database == "postgres":
        postgres.needed()
    status, summary = chaos(counts(30, 3600), "make test", database)
    assert (status, summary["findings"]) == (0, []), json.dumps(summary, indent=1)
    assert summary["arrivals"] > 0
    assert summary["told"]["sent"] > 0
    # A midnight came while they asked.
    assert len(summary["days"]) == 2


@pytest.mark.skipif(not SOAK, reason="two minutes for each broken Levqor: make soak")
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("what", BROKEN)
def test_two_minutes_catch_a_levqor_that_breaks_its_promises(what, tmp_path):
    name, right, wrong, kinds = BROKEN[what]
    broken = broken_checkout(tmp_path / "levqor", name, right, wrong)
    status, summary = chaos(120, "broken", "sqlite", at=broken)
    assert status == 1
    assert kinds & {one["kind"] for one in summary["findings"]}


def broken_checkout(folder, name, right, wrong):
    """A copy in which one line is another."""
    import shutil

    checkout(folder)
    for room in ("tests", "tray"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / name
    text = file.read_text()
    assert text.count(right) == 1, f"{name} has no such line any more"
    file.write_text(text.replace(right, wrong))
    return folder
