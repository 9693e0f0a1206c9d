"""A backup goes into an empty database of either engine, whole or not at all."""

import contextlib
import random
import shutil
import sqlite3
import time

import pytest

from core.errors import LedgerError
from core.home_key import key_check
from core.ledger import Ledger
from core.ledger.backup import TABLES
from core.ledger.file import SCHEMA
from core.ledger.records import Owed
from tests.support import engines
from tests.support.journal import accept, finish
from tests.support.restoring import dump, fill, made, put


@engines.both
def test_every_table_and_column_is_copied_but_those_of_living_processes(ledger, database):
    living = {"bots", "leases", "inbound", "sign_ins", "sessions"}
    catalog = (
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'public'"
        if database
        else "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c "
        "WHERE m.type = 'table' AND m.name NOT LIKE '%sqlite%'"
    )
    rows = ledger.store.read(lambda db: db.execute(catalog).fetchall())
    there = {(table, column) for table, column in rows if table not in living}
    assert there == {(table, each) for table in TABLES for each in TABLES[table].split(", ")}


@pytest.mark.databases("postgres", "pgbouncer")
def test_a_home_goes_to_postgresql_and_comes_back_with_nothing_lost(
    home, elsewhere, database, tmp_path, counts
):
    draw = random.Random(time.time_ns())
    shutil.copy(_key(home), elsewhere)
    with Ledger.open(home) as ledger:
        fill(ledger, draw, counts(200, 20_000))
        before = dump(ledger)
        ledger.backup(tmp_path / "there.db")
    put(tmp_path / "there.db", home, database)
    with Ledger.open(home, database) as ledger:
        assert dump(ledger) == before
        ledger.backup(tmp_path / "back.db")
    put(tmp_path / "back.db", elsewhere)
    with Ledger.open(elsewhere) as ledger, Ledger.open(home, database) as shared:
        assert dump(ledger) == before
        for each in (ledger, shared):
            each.probed("sample", "failing", "no_service", 9.0)
            each.probed("sample", "ok", None, 9.0)
            assert [probe.verdict for probe in each.probes("sample", 2)] == ["ok", "failing"]
            numbers = [row[0] for row in dump(each)["probes"]]
            assert len(set(numbers)) == len(before["probes"]) + 2


def _key(home):
    key_check(home)
    return home / "levqor.key"


@engines.both
def test_what_was_true_of_living_processes_alone_stays_behind(home, elsewhere, database, tmp_path):
    def live(ledger):
        ledger.announce({})
        ledger.inbound("telegram", ok=True, verdict="listening")
        assert ledger.lease("poll", 1000.0) == 1
        finish(ledger, "sent")

    file = made(elsewhere, tmp_path / "copy.db", live)
    shutil.copy(_key(elsewhere), home)
    put(file, home, database)
    with Ledger.open(home, database) as ledger:
        assert (ledger.bots(), ledger.inbounds()) == ([], [])
        assert ledger.lease("poll", 1000.0) == 1
        assert len(ledger.runs()) == 1


@engines.both
def test_what_a_bot_noticed_by_itself_gives_way_and_what_was_counted_comes_along(
    home, elsewhere, database, tmp_path
):
    def count(ledger):
        finish(ledger, "sent", at=time.time() - 200 * 86400)
        ledger.prune(90)
        ledger.probed("sample", "failing", "no_service", 9.0)

    file = made(elsewhere, tmp_path / "copy.db", count)
    shutil.copy(_key(elsewhere), home)
    with Ledger.open(home, database) as ledger:
        ledger.probed("sample", "ok", None, 5.0)
        ledger.roll_up()
    put(file, home, database)
    with Ledger.open(home, database) as ledger:
        assert [probe.verdict for probe in ledger.probes("sample", 9)] == ["failing"]
        ledger.roll_up()
        assert [day.sent for day in ledger.usage(300)] == [1]


@engines.both
def test_a_run_that_had_not_ended_in_the_backup_is_unknown(home, elsewhere, database, tmp_path):
    """Its process went on after the copy: it may have been sent since."""
    with Ledger.open(elsewhere) as ledger:
        ledger.check_key(key_check(elsewhere))
        accepted, _ = accept(ledger, key="one", reply_to="where")
        sending, _ = accept(ledger, caller="cli:bob")
        ledger.sending(sending.run)
        ledger.owe(Owed("7", "refused", "where"), "telegram")
        ledger.backup(tmp_path / "copy.db")
    shutil.copy(elsewhere / "levqor.key", home)
    assert put(tmp_path / "copy.db", home, database).unknown == 2
    with Ledger.open(home, database) as ledger:
        assert ledger.recover() == []
        for run in (accepted.run, sending.run):
            left = ledger.run(run)
            assert (left.state, left.code, left.reason) == ("unknown", "upstream_error", "restored")
        # Its quota is held, its key stays bound, its asker is told, and so is the other one.
        assert accept(ledger, key="one")[0].run == accepted.run
        assert ledger.quota("cli:ada", ["sample.do"])[0].used == 1
        assert [record.run for record in ledger.claim_unnotified("cli")] == [accepted.run]
        assert [owed.key for owed in ledger.owed("telegram")] == ["7"]
        assert ledger.counts() == [("sample.do", "unknown", "cli", 2)]


@engines.both
@pytest.mark.parametrize("table", ["runs", "callers", "pairings", "owed"])
def test_nothing_that_is_there_is_replaced(home, elsewhere, database, tmp_path, table):
    file = made(elsewhere, tmp_path / "copy.db", lambda ledger: finish(ledger, "sent"))
    shutil.copy(elsewhere / "levqor.key", home)
    something = {
        "runs": lambda ledger: finish(ledger, "sent"),
        "callers": lambda ledger: ledger.set_plan("cli:ann", "pro"),
        "pairings": lambda ledger: ledger.pair_code("telegram"),
        "owed": lambda ledger: ledger.owe(Owed("7", "refused", "where"), "telegram"),
    }
    with Ledger.open(home, database) as ledger:
        something[table](ledger)
        before = dump(ledger)
    with pytest.raises(LedgerError, match="not empty") as caught:
        put(file, home, database)
    assert caught.value.reason == "ledger_not_empty"
    with Ledger.open(home, database) as ledger:
        assert dump(ledger) == before


@engines.both
def test_nothing_is_restored_under_a_running_bot(home, elsewhere, database, tmp_path):
    file = made(elsewhere, tmp_path / "copy.db")
    with Ledger.open(home, database) as bot:
        bot.announce({})
        with pytest.raises(LedgerError, match="in use by a bot"):
            put(file, home, database)
    put(file, home, database)


def _truncated(file):
    file.write_bytes(file.read_bytes()[:-5000])


def _scribbled(file):
    whole = bytearray(file.read_bytes())
    whole[8192:8292] = b"\xff" * 100
    file.write_bytes(whole)


def _text(file):
    file.write_text("SELECT 1;" * 1000)


def _foreign(file):
    file.unlink()
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        db.execute("CREATE TABLE runs (run TEXT)")


def _newer(file):
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        db.execute(f"PRAGMA user_version={SCHEMA + 1}")


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (_truncated, "backup_damaged"),
        (_scribbled, "backup_damaged"),
        (_text, "backup_foreign"),
        (_foreign, "backup_foreign"),
        (lambda file: file.write_bytes(b""), "backup_foreign"),
        (_newer, "ledger_newer"),
        (lambda file: file.unlink(), "backup_unreadable"),
        (lambda file: file.with_name("copy.db-wal").touch(), "backup_in_use"),
    ],
)
def test_what_is_no_whole_backup_is_named_and_nothing_is_made(
    home, elsewhere, tmp_path, harm, reason
):
    file = made(home, tmp_path / "copy.db", lambda ledger: finish(ledger, "sent"))
    harm(file)
    with pytest.raises(LedgerError) as caught:
        put(file, elsewhere)
    assert caught.value.reason == reason
    assert str(file) in caught.value.message
    assert caught.value.fix
    assert not (elsewhere / "levqor.db").exists()
