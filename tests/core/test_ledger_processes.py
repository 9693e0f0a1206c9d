"""Several processes on one ledger: real ones, some of them killed."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from core.errors import LedgerError
from core.ledger import Ledger
from core.ledger.postgres import Lease
from tests.support.engines import both, shared
from tests.support.journal import charged
from tests.support.sandbox import Delay
from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[2]


def python(code, *args, **more):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more,
    )  # fmt: skip


def outputs(processes, seconds=110):
    end = time.monotonic() + seconds
    done = [p.communicate(timeout=end - time.monotonic()) for p in processes]
    for process, (_, err) in zip(processes, done, strict=True):
        assert process.returncode == 0, err[-2000:]
    return [out for out, _ in done]


OPEN = """
    import sys
    from pathlib import Path
    from core.ledger import Ledger
    with Ledger.open(Path(sys.argv[1]), *sys.argv[2:]) as ledger:
        ledger.runs()
    print("open")
"""


@shared
def test_processes_that_start_at_once_all_open_an_empty_database(home, database, counts):
    processes = [python(OPEN, home, database) for _ in range(counts(10, 80))]
    assert outputs(processes) == ["open\n"] * len(processes)


def test_processes_that_start_at_once_all_open_an_empty_home(home, counts):
    processes = [python(OPEN, home) for _ in range(counts(20, 80))]
    assert outputs(processes) == ["open\n"] * len(processes)
    assert sorted(p.name for p in home.iterdir() if "owner" in p.name) == []


# An engine whose process counts as dead soon after it was killed.
ENGINE = """
    import json, sys, threading, time
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path
    from core.callers import Caller
    from core.engine import Engine
    from core.errors import QuotaSpent
    from core.ledger import Ledger
    from core.ledger.postgres import Lease
    from core.settings import Settings
    settings = Settings(Path(sys.argv[1]), sandbox_urls=json.loads(sys.argv[2]))
    url = settings.database_url
    soon = {"lease": Lease(2, 0.3, 3)} if url else {}
    engine = Engine.open(settings, ledger=Ledger.open(settings.home, url, **soon))
"""


CONTEST = (
    ENGINE
    + """
    action = sys.argv[3]
    with engine:
        values = {"to": "delivered@resend.dev", "subject": "s", "text": "t"}
        def one(n):
            try:
                return engine.run(action, values, Caller("http", f"caller-{n}")).outcome
            except QuotaSpent as error:
                assert error.http == 402
                return "spent"
        print("ready", flush=True)
        sys.stdin.readline()
        with ThreadPoolExecutor(16) as pool:
            said = list(pool.map(one, range(50)))
        print(said.count("sent"), said.count("spent"))
"""
)


def start_together(processes):
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()


@pytest.fixture
def survivor(home, database):
    """Another process's ledger, which finds the dead."""
    soon = {} if database is None else {"lease": Lease(2, 0.3, 3)}
    with Ledger.open(home, database, **soon) as ledger:
        ledger.store.owner()
        yield ledger


def settled(ledger, count):
    """Settle all that dead processes left."""
    wait_for(lambda: ledger.recover() is None or not any(e.open for e in ledger.runs(last=count)))


@both
def test_eight_processes_and_fifty_callers_send_exactly_fifty(home, sandbox, environ, ledger):
    urls = json.dumps(environ)
    processes = [python(CONTEST, home, urls, "email.send", stdin=subprocess.PIPE) for _ in range(8)]
    start_together(processes)
    counts = [tuple(map(int, out.split())) for out in outputs(processes)]
    assert (sum(sent for sent, _ in counts), sum(spent for _, spent in counts)) == (50, 350)
    assert len(sandbox.resend.writes) == 50
    assert sum(row.sent for row in ledger.usage(2)) == 50
    assert charged(ledger) == 50


@both
def test_a_contestant_that_is_killed_loses_and_doubles_no_count(
    home, sandbox, environ, survivor, counts
):
    sandbox.telegram.always(Delay(0.02))
    urls = json.dumps(environ)
    contest = CONTEST.replace("values = {", 'values = {"text": "t"} or {')
    processes = [
        python(contest, home, urls, "telegram.send", stdin=subprocess.PIPE)
        for _ in range(counts(4, 8))
    ]
    start_together(processes)
    time.sleep(0.3)
    processes[0].kill()
    processes[0].communicate()
    outputs(processes[1:])
    time.sleep(0.3)
    settled(survivor, 1000)
    runs = survivor.runs(last=1000)
    assert {entry.state for entry in runs} <= {"sent", "unknown", "not_sent"}
    used = [entry.caller for entry in runs if entry.state in ("sent", "unknown")]
    assert len(used) == len(set(used)), "nobody got two"
    counted = charged(survivor)
    assert counted == len(used)
    assert sum(e.state == "sent" for e in runs) <= len(sandbox.telegram.writes) <= counted


FIRE = (
    ENGINE
    + """
    for n in range(40):
        accepted = engine.accept("slack.send", {"text": f"hello {n}"}, Caller("http", f"c{n}"))
        print(accepted.run, flush=True)
        if n >= 5:
            engine.start(accepted)
    threading.Event().wait()
"""
)


@both
@pytest.mark.parametrize("round_", range(3))
def test_after_a_kill_no_run_is_lost_or_doubled(home, sandbox, environ, survivor, round_):
    sandbox.slack.always(Delay(0.2))
    process = python(FIRE, home, json.dumps(environ))
    first = [process.stdout.readline().strip() for _ in range(40)]
    assert survivor.recover() == [], "a live process's runs are not touched"
    time.sleep(0.15 * round_)
    process.kill()
    process.communicate()
    settled(survivor, 40)
    assert survivor.recover() == []
    entries = {run: survivor.run(run) for run in first}
    never = [entries[run].state for run in first[:5]]
    assert never == ["not_sent"] * 5
    assert {e.reason for e in entries.values()} <= {None, "interrupted", "interrupted_before"}
    arrived = [w.json["text"] for w in sandbox.slack.writes]
    assert len(arrived) == len(set(arrived)), "nothing is sent twice"
    may_have = sum(e.state in ("sent", "unknown") for e in entries.values())
    assert len(arrived) <= may_have
    assert charged(survivor) == may_have


# On the other engine it loses them with its lease: tests/bot/test_three_bots.py.
def test_a_process_that_is_stopped_but_alive_keeps_its_runs(home, sandbox):
    process = python(FIRE, home, json.dumps(sandbox.settings()))
    try:
        run, *_ = [process.stdout.readline().strip() for _ in range(40)]
        # Not in the middle of a write: then nobody else could write either.
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGSTOP)
        with Ledger.open(home) as ledger:
            assert ledger.recover() == []
            assert ledger.run(run).state == "accepted"
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("there", [True, False])
def test_a_read_only_home_is_named_with_what_to_do(tmp_path, there):
    home = tmp_path / "home"
    home.mkdir()
    root = os.geteuid() == 0
    # Nothing is read-only for root but a disk that is.
    if root and os.system(f"mount -t tmpfs -o mode=700,size=2m none {home} 2>/dev/null"):
        pytest.skip("root may write anywhere, and may not mount a read-only disk here")
    try:
        if there:
            Ledger.open(home).close()
        if root:
            assert os.system(f"mount -o remount,ro {home}") == 0
        else:
            home.chmod(0o555)
        with pytest.raises(LedgerError) as caught:
            Ledger.open(home)
        assert caught.value.reason == "ledger_readonly"
        assert str(home / "levqor.db") in caught.value.message
        assert ("Mount it for writing" in caught.value.fix) is root
        assert "--home" in caught.value.fix
    finally:
        if root:
            os.system(f"umount -l {home}")
        home.chmod(0o755)
