"""Levqors of two schemas on one PostgreSQL, and several that start on an empty one."""

import re
import shutil
import subprocess
import sys
import threading

import pytest

from core.errors import LedgerError, LevqorError
from core.ledger import Ledger
from core.ledger.file import SCHEMA
from core.ledger.postgres_schema import OLDEST_READER
from tests.support import engines
from tests.support.cli import ROOT, environment
from tests.support.journal import accept, finish
from tests.support.waiting import wait_for

# It accepts one run after another, each caller's first of the day, until its input ends.
ACCEPTING = """
import pathlib, sys, threading
from core.errors import QuotaSpent
from core.ledger import Ledger
from core.ledger.file import SCHEMA
from tests.support.journal import accept

ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
with Ledger.open(pathlib.Path(sys.argv[1]), sys.argv[2]) as ledger:
    print("opened", SCHEMA, flush=True)
    first = spent = 0
    while not ended.is_set():
        try:
            accept(ledger, caller=f"cli:{first + spent}")
            first += 1
        except QuotaSpent:
            spent += 1
    print(first, spent)
"""


def release(folder, step, oldest=OLDEST_READER):
    """The next release of Levqor: this checkout's own code with one step more."""
    for room in ("core", "tests/support"):
        shutil.copytree(ROOT / room, folder / room)
    for file, old, new in (
        ("file", rf"^SCHEMA = {SCHEMA}$", f"SCHEMA = {SCHEMA + 1}"),
        ("postgres_schema", r"^OLDEST_READER = \d+$", f"OLDEST_READER = {oldest}"),
        ("postgres_schema", r"^_STEPS = \{$", f'_STEPS = {{\n    {SCHEMA + 1}: "{step}",'),
    ):
        path = folder / "core/ledger" / f"{file}.py"
        text, changed = re.subn(old, new, path.read_text(), flags=re.MULTILINE)
        assert changed == 1
        path.write_text(text)
    return folder


def started(folder, home, url):
    return subprocess.Popen(
        [sys.executable, "-c", ACCEPTING, str(home), url],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder,
        env=environment(PYTHONPATH=str(folder)),
    )  # fmt: skip


@pytest.fixture
def next_home(tmp_path):
    return tmp_path / "next-home"


@engines.shared
def test_the_present_release_goes_on_while_the_next_one_migrates_and_after(
    ledger, open_ledger, next_home, database, tmp_path
):
    step = "ALTER TABLE runs ADD COLUMN note TEXT; CREATE INDEX runs_note ON runs (note)"
    folder = release(tmp_path / "next", step)
    mine, stop = [], threading.Event()

    def go_on():
        for number in range(100_000):
            if stop.is_set():
                return
            try:
                accept(ledger, caller=f"cli:{number}")
            except LevqorError as error:
                mine.append(error.code)
            else:
                mine.append("first")

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        wait_for(lambda: len(mine) > 20)
        other = started(folder, next_home, database)
        assert other.stdout.readline() == f"opened {SCHEMA + 1}\n"
        after = len(mine)
        wait_for(lambda: len(mine) > after + 50)
    finally:
        stop.set()
        thread.join()
    said, _ = other.communicate("")
    first, _ = map(int, said.split())
    # One run for each caller, whichever of the two was asked: the free plan's quota is exact.
    assert set(mine) <= {"first", "quota_exceeded"}
    with open_ledger() as again:
        callers = {person.caller for person in again.callers()}
        runs = again.runs(100_000)
    assert len(runs) == len({run.caller for run in runs}) == mine.count("first") + first
    assert {run.caller for run in runs} == callers
    numbers = ledger.store.read(lambda db: db.execute("SELECT name, value FROM meta").fetchall())
    assert dict(numbers) == {"schema": str(SCHEMA + 1), "oldest_reader": str(OLDEST_READER)}


@engines.shared
def test_a_database_that_only_the_next_release_can_use_is_refused_with_the_fix(
    ledger, open_ledger, next_home, database, tmp_path
):
    folder = release(
        tmp_path / "next", "ALTER TABLE callers RENAME COLUMN plan TO chosen", SCHEMA + 1
    )
    finish(ledger, "sent")
    other = started(folder, next_home, database)
    assert other.stdout.readline() == f"opened {SCHEMA + 1}\n"
    other.kill()
    other.communicate()
    with pytest.raises(LedgerError, match=f"newer Levqor .schema {SCHEMA + 1}") as caught:
        open_ledger()
    assert (caught.value.reason, caught.value.fix) == (
        "ledger_newer",
        "Install that Levqor here too.",
    )
    # Who was running all the while sends nothing, and says as much.
    with pytest.raises(LedgerError, match="other tables than this Levqor uses") as caught:
        accept(ledger, caller="cli:bob")
    assert caught.value.reason == "ledger_newer"


@engines.shared
def test_several_first_starts_at_once_on_an_empty_database_all_succeed(
    cluster, tmp_path, counts, database
):
    for round_ in range(counts(2, 30)):
        with cluster.database() as name:
            homes = [tmp_path / f"{round_}-{n}" for n in range(3)]
            bots = [started(ROOT, home, cluster.url(name)) for home in homes]
            assert [bot.stdout.readline() for bot in bots] == [f"opened {SCHEMA}\n"] * 3
            counted = [bot.communicate("")[0] for bot in bots]
            with Ledger.open(homes[0], cluster.url(name)) as ledger:
                assert len(ledger.callers()) == sum(int(said.split()[0]) for said in counted)


@engines.shared
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_letter_is_refused_with_the_fix(
    cluster, home, database, encoding
):
    name = f"narrow_{encoding.lower()}"
    cluster.execute(
        f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 "
        "LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    try:
        with pytest.raises(LedgerError, match=f"keeps text as {encoding}") as caught:
            Ledger.open(home, cluster.url(name))
        assert "--encoding=UTF8" in caught.value.fix
    finally:
        cluster.execute(f"DROP DATABASE {name}")


@engines.shared
def test_a_caller_of_any_letters_is_kept_and_found(ledger):
    finish(ledger, "sent", caller="telegram:žluť🐎", key="Ω")
    assert ledger.keyed("Ω").caller == "telegram:žluť🐎"
