"""How a run ended is not lost where the ledger cannot take it: a full disk, a second holder."""

import contextlib
import signal
import subprocess
import time

import pytest

from core.connectors import CONNECTORS
from core.engine import Engine
from core.engine.queues import WORKERS
from core.errors import LedgerError
from core.ledger import Ledger, endings
from core.ledger.store import Undecided
from core.settings import Settings
from tests.support.asking import ADA, HELLO
from tests.support.cli import ROOT, command, environment, levqor
from tests.support.disk import Filler, small_disk
from tests.support.engines import both, pooled_too, shared
from tests.support.holding import rows_held
from tests.support.journal import charged, order
from tests.support.sandbox import Delay, Hang
from tests.support.waiting import wait_for

# A busy machine fills the disk in less than that; an attempt may take ten seconds.
SLOW = 6.0


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        yield disk


def values_for(sandbox, outcome, database=None):
    """Settings with which a Slack message ends so."""
    values = sandbox.settings() | ({"LEVQOR_DATABASE_URL": database} if database else {})
    odd = {"SLACK_WEBHOOK_URL": values["SLACK_WEBHOOK_URL"] + "x"} if outcome == "refused" else {}
    return {**values, **odd}


@contextlib.contextmanager
def run_out(home, sandbox, outcome, database=None):
    """`levqor run`, whose message is with the service now and whose answer takes a while."""
    sandbox.slack.always(Delay(SLOW))
    process = subprocess.Popen(
        command("--home", home, "run", "slack.send", "hi"),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=ROOT, env=environment(**values_for(sandbox, outcome, database)),
    )  # fmt: skip
    try:
        wait_for(lambda: sandbox.slack.received)
        yield process
    finally:
        process.kill()
        process.communicate()


def next_run(home, sandbox, outcome, database=None):
    """What became of the last run, and how the next one ends."""
    sandbox.slack.always(None)
    values = values_for(sandbox, outcome, database)
    ran = levqor("--home", home, "run", "slack.send", "more", env=values)
    with Ledger.open(home, database) as ledger:
        return ledger.runs()[-1].state, ran.status


@pytest.mark.parametrize(("outcome", "then"), [("refused", 1), ("sent", 4)])
def test_an_ending_a_full_disk_did_not_take_is_said_kept_and_written_by_the_next(
    disk, sandbox, outcome, then
):
    with run_out(disk, sandbox, outcome) as process, Filler(disk):
        out, err = process.communicate(timeout=40)
    told = out if outcome == "sent" else err
    run = told.split("un ")[1].split()[0] if outcome == "sent" else err.split("Run ")[1].split()[0]
    assert process.returncode == 9, err
    assert "waiting 5 seconds for the database" in err
    assert f"The disk that holds the database {disk}/levqor.db is full." in err
    assert f"This could not be written down: {run} is {outcome}." in err
    assert "Then run: levqor runs. It writes this down." in err
    assert next_run(disk, sandbox, outcome) == (outcome, then)
    assert len(sandbox.slack.received) == (2 if outcome == "refused" else 1)
    assert [p.name for p in disk.glob("levqor.db-endings-*")] == []
    assert charged(Ledger.open(disk)) == (0 if outcome == "refused" else 1)


def test_an_ending_that_was_told_outlives_a_kill(disk, sandbox):
    with run_out(disk, sandbox, "refused") as process, Filler(disk):
        assert any("waiting 5 seconds" in line for line in process.stderr)
        process.send_signal(signal.SIGKILL)
    assert next_run(disk, sandbox, "refused") == ("refused", 1)


def test_room_that_comes_back_in_time_ends_the_wait(disk, sandbox):
    with run_out(disk, sandbox, "refused") as process:
        with Filler(disk):
            assert any("waiting 5 seconds" in line for line in process.stderr)
        assert process.wait(40) == 1
    assert next_run(disk, sandbox, "refused") == ("refused", 1)


@both
def test_an_ending_that_a_held_ledger_did_not_take_is_said_and_kept(home, sandbox, database):
    with run_out(home, sandbox, "refused", database) as process:
        with rows_held(home, database):
            _, err = process.communicate(timeout=90)
        assert process.returncode == 9, err
        place = "is held up by another transaction." if database else "levqor.db is held by another"
        assert place in err
    assert next_run(home, sandbox, "refused", database) == ("refused", 1)


@shared
def test_an_ending_that_a_server_did_not_take_outlives_a_kill(home, sandbox, cluster, database):
    with run_out(home, sandbox, "refused", database) as process, rows_held(home, database):
        assert any("waiting 5 seconds" in line for line in process.stderr)
        process.send_signal(signal.SIGKILL)
    # What its lease says half a minute later.
    cluster.execute("UPDATE bots SET dead = 1", database.rsplit("/", 1)[1])
    assert next_run(home, sandbox, "refused", database) == ("refused", 1)


@shared
def test_a_run_that_ended_while_the_server_was_held_is_written_before_the_next(
    home, sandbox, database
):
    settings = Settings(home, sandbox_urls=values_for(sandbox, "refused", database))
    sandbox.slack.always(Delay(1.0))
    with Engine.open(settings) as engine:
        out = engine.start(engine.accept("slack.send", HELLO, ADA))
        wait_for(lambda: sandbox.slack.received)
        with rows_held(home, database):
            assert out.result(30).outcome == "refused"
            assert engine.unwritten().exit == 9
        assert engine.run("slack.send", HELLO, ADA).outcome == "refused"
        assert engine.unwritten() is None


def test_a_process_that_lives_on_writes_its_ending_before_it_takes_the_next_run(disk, sandbox):
    settings = Settings(disk, sandbox_urls=values_for(sandbox, "refused"))
    sandbox.slack.always(Delay(SLOW))
    with Engine.open(settings) as engine:
        out = engine.start(engine.accept("slack.send", HELLO, ADA))
        wait_for(lambda: sandbox.slack.received)
        with Filler(disk):
            assert out.result(20).outcome == "refused"
            assert engine.unwritten().exit == 9
        assert engine.run("slack.send", HELLO, ADA).outcome == "refused"
        assert engine.unwritten() is None


def test_who_stops_keeps_each_ending_once_the_ledger_did_not_take_the_first(disk, sandbox):
    settings = Settings(disk, sandbox_urls=values_for(sandbox, "sent"))
    sandbox.slack.always(Hang())
    with Engine.open(settings) as engine:
        engine.ledger.set_plan(str(ADA), "pro")
        texts = ({"text": "one"}, {"text": "two"})
        outs = [engine.start(engine.accept("slack.send", text, ADA)) for text in texts]
        wait_for(lambda: len(sandbox.slack.received) == len(outs))
        with Filler(disk):
            engine.drain(0.0)
            assert [out.result(30).outcome for out in outs] == ["unknown"] * 2
            assert len(engine.ledger.kept()) == len(outs)
    with Ledger.open(disk) as ledger:
        assert [(run.state, run.reason) for run in ledger.runs()] == [
            ("unknown", "interrupted")
        ] * 2


@both
def test_no_run_begins_where_its_ending_would_find_no_room(disk, database):
    with Ledger.open(disk, database) as ledger:
        Filler(disk).fill(leaving=8192)
        with pytest.raises(LedgerError) as caught:
            ledger.accept(order())
        assert caught.value.reason == ("ledger_home" if database else "ledger_full")
        assert [p.name for p in disk.glob("levqor.db-*-*")] == []
        (disk / "filler").unlink()
        assert ledger.accept(order())[1]


@pooled_too
def test_what_several_dead_processes_kept_is_written_and_the_first_outcome_stands(
    home, open_ledger
):
    runs = ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"]
    with open_ledger() as ledger:
        for run in runs:
            ledger.accept(order(run=run, caller=f"cli:{run}", reply_to="{}"))
            ledger.sending(run)
        ledger.settle(runs[0], "sent")
        for owner, run in (("dead1", runs[1]), ("dead2", runs[2])):
            row = {"owner": owner, "run": run}
            sql = "UPDATE runs SET owner = :owner WHERE run = :run"
            ledger.store.write(lambda db, row=row, sql=sql: db.execute(sql, row))
        for owner, kept in (("dead1", runs[:2]), ("dead2", runs[2:])):
            left = endings.Endings(ledger.store.files, owner)
            for run in kept:
                left.put(run, state="refused", at=time.time(), reason="x", attempts=1, ms=2.0)
            left.put(kept[-1], told=True)
            left.close()
        file = endings.file_of(ledger.store.files, "dead1")
        assert file.stat().st_mode & 0o777 == 0o600
        with file.open("r+b") as broken:
            broken.seek(endings.SLOT * 5)
            broken.write(b'{"run":"half of a rec')
        ledger.recover()
        found = {run: ledger.run(run) for run in runs}
        assert [found[run].state for run in runs] == ["sent", "refused", "refused"]
        assert [found[run].reply_to for run in runs] == ["{}", None, None]
        assert list(home.glob("levqor.db-endings-dead*")) == []


def test_there_is_room_for_as_many_endings_as_runs_can_be_sent_at_a_time():
    assert len(CONNECTORS) * WORKERS <= endings.SLOTS


@both
def test_more_endings_than_there_is_room_for_are_kept_as_long_as_the_process(disk, database):
    with Ledger.open(disk, database) as ledger:
        ledger.accept(order())
        Filler(disk).fill()
        for number in range(endings.SLOTS + 1):
            ledger.keep(f"run{number}", state="refused", at=1.0)
        assert ledger.kept(safe=False) == [f"run{endings.SLOTS}"]
        assert len(ledger.kept()) == endings.SLOTS + 1


def test_that_an_asker_was_told_is_kept_while_the_ledger_is_away_and_so_is_no_more(ledger):
    told, waits = (
        ledger.accept(order(run=run, caller=f"cli:{run}", reply_to="{}"))[0].run
        for run in ("aaaaaaaaaa", "bbbbbbbbbb")
    )
    file = ledger.store.files
    away = file.rename(file.with_suffix(".away"))
    with pytest.raises(LedgerError):
        ledger.mark_notified(told)
    with pytest.raises(LedgerError):
        ledger.settle(waits, "refused", reason="x", attempts=2, ms=3.0)
    away.rename(file)
    assert ledger.kept() == ledger.kept(safe=True) == [told, waits]
    ledger.catch_up()
    assert ledger.kept() == []
    assert (ledger.run(told).state, ledger.run(told).reply_to) == ("accepted", None)
    ended = ledger.run(waits)
    assert (ended.state, ended.reason, ended.attempts, ended.ms) == ("refused", "x", 2, 3.0)
    assert ended.reply_to == "{}"


@both
def test_what_is_kept_of_a_run_that_was_never_journaled_makes_none(ledger):
    ledger.accept(order())  # from then on there is a file
    ledger.keep("aaaaaaaaaa", state="not_sent", at=1.0, code="ledger_error", reason="x")
    ledger.catch_up()
    assert ledger.run("aaaaaaaaaa") is None
    assert len(ledger.runs()) == 1
    assert ledger.kept() == []


class Unheard:
    """A ledger's store that writes, and whose answer is lost."""

    def __init__(self, store):
        self._store = store
        self.asked = []

    def __getattr__(self, name):
        return getattr(self._store, name)

    def write(self, work, **how):
        self.asked.append(how)
        self._store.write(work, **how)
        raise Undecided("No answer.", reason="unheard")


@both
def test_a_run_that_may_have_been_journaled_is_kept_as_not_sent(ledger):
    store, request = Unheard(ledger.store), order()
    with pytest.raises(Undecided):
        Ledger(store).accept(request, patience=3.0)
    assert store.asked == [{"durable": True, "patience": 3.0}]
    assert ledger.kept() == [request.run]
    ledger.catch_up()
    entry = ledger.run(request.run)
    assert (entry.state, entry.code, entry.reason) == ("not_sent", "ledger_error", "unheard")
    assert ledger.kept() == []
