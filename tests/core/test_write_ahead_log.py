"""What SQLite's write-ahead log holds, and for how long."""

import contextlib
import shutil
import sqlite3
import time

from core.ledger import Ledger
from core.ledger.file import _begin_log, connect
from tests.support.disk import Filler, small_disk
from tests.support.journal import accept, order
from tests.support.waiting import wait_for

# The log's head, and a frame: the database's first page, which holds no row.
BEGUN = 32 + 24 + 4096


def _begun_anew(log):
    content = log.read_bytes()
    return len(content) > BEGUN and content[0] and not any(content[BEGUN:])


def test_where_to_answer_is_forgotten_once_told_down_to_the_bytes(ledger, home):
    where = "https://hooks.invalid/response/SECRETANSWERPLACE"
    entry, _ = accept(ledger, reply_to=where)
    ledger.sending(entry.run)
    ledger.settle(entry.run, "sent")
    assert b"SECRETANSWERPLACE" in b"".join(p.read_bytes() for p in home.glob("levqor.db*"))
    ledger.mark_notified(entry.run)
    wait_for(lambda: b"SECRETANSWERPLACE" not in (home / "levqor.db-wal").read_bytes(), 10)
    left = b"".join(p.read_bytes() for p in home.glob("levqor.db*"))
    assert entry.run.encode() in left
    assert b"SECRETANSWERPLACE" not in left


def test_a_reader_at_the_wrong_moment_only_puts_the_emptying_off(home):
    with Ledger.open(home) as ledger:
        entry, _ = ledger.accept(order(test=True, reply_to="CANARY-where-to-answer"))
        with contextlib.closing(sqlite3.connect(ledger.store.files)) as reader, reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM runs").fetchall()
            ledger.mark_notified(entry.run)
            time.sleep(1.3)
            wal = home / "levqor.db-wal"
            assert b"CANARY" in wal.read_bytes()
        reader.close()
        wait_for(lambda: b"CANARY" not in wal.read_bytes(), 15)
    assert all(b"CANARY" not in file.read_bytes() for file in home.iterdir())


def test_a_log_that_was_emptied_is_there_to_be_overwritten_and_reads_as_empty(home, tmp_path):
    log = home / "levqor.db-wal"
    with Ledger.open(home) as ledger:
        entry, _ = accept(ledger)
        wait_for(lambda: _begun_anew(log), 15)
        length = log.stat().st_size
        ledger.sending(entry.run)
        wait_for(lambda: _begun_anew(log), 15)
        assert log.stat().st_size == length
        lost = tmp_path / "as after a power cut"
        shutil.copytree(home, lost)
    assert not log.exists()
    with contextlib.closing(sqlite3.connect(lost / "levqor.db")) as db:
        assert db.execute("SELECT run, state FROM runs").fetchall() == [(entry.run, "sending")]
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_log_that_another_wrote_into_since_it_was_emptied_is_left_as_it_is(home):
    Ledger.open(home).close()
    path, log = home / "levqor.db", home / "levqor.db-wal"
    with contextlib.closing(connect(path)) as mine, contextlib.closing(connect(path)) as other:
        mine.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        other.execute("INSERT INTO meta (name, value) VALUES ('another', 'was quicker')")
        written = log.read_bytes()
        with log.open("r+b", buffering=0) as opened:
            _begin_log(mine, opened, 1 << 20)
        assert log.read_bytes() == written
        said = "SELECT value FROM meta WHERE name = 'another'"
        assert mine.execute(said).fetchone() == ("was quicker",)


def test_a_log_that_is_begun_anew_leaves_a_newer_schema_its_number(home):
    log = home / "levqor.db-wal"
    with (
        Ledger.open(home) as ledger,
        contextlib.closing(sqlite3.connect(ledger.store.files)) as newer,
    ):
        newer.execute("PRAGMA user_version=1000")
        accept(ledger)
        wait_for(lambda: _begun_anew(log), 15)
        assert newer.execute("PRAGMA user_version").fetchone() == (1000,)


def test_nothing_is_left_in_an_emptied_log_where_the_disk_has_no_room_for_it(tmp_path):
    with small_disk(tmp_path / "disk", "1m") as disk, Ledger.open(disk / "home") as ledger:
        log = disk / "home/levqor.db-wal"
        entry, _ = accept(ledger)
        filler = Filler(disk)
        filler.fill(leaving=64 << 10)
        wait_for(lambda: log.stat().st_size == 0, 15)
        filler.fill(leaving=512 << 10)
        assert ledger.sending(entry.run)
        wait_for(lambda: _begun_anew(log), 15)


def test_what_a_dead_process_left_in_the_log_goes_soon_after_the_start(home):
    with Ledger.open(home) as idle, Ledger.open(home) as ledger:
        entry, _ = ledger.accept(order(test=True, at=time.time() - 3600, reply_to="CANARY-old"))
        ledger.close()
        assert idle.runs()[0].run == entry.run
        db = sqlite3.connect(idle.store.files)
        db.execute("UPDATE runs SET reply_to = 'CANARY-old'")
        db.commit()
        with Ledger.open(home) as fresh:
            wait_for(lambda: fresh.run(entry.run).reply_to is None, 15)
        db.close()
