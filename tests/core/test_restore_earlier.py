"""A backup of an earlier schema, of another key, or put in place by hand."""

import contextlib
import sqlite3

import pytest
from sqlite_utils import Database

from core.errors import IdempotencyMismatch, LedgerError
from core.home_key import key_check
from core.ledger import Ledger
from core.ledger.file import SCHEMA
from core.ledger.restore import opened
from core.migrations import MIGRATIONS
from tests.support import engines
from tests.support.journal import accept, finish, order
from tests.support.restoring import made, put


def earlier(file, schema):
    """A database of an earlier Levqor with one run of Ada's, who is on `pro`."""
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        names = [step.name for step in MIGRATIONS._migrations]
        later = names[schema] if schema < len(names) else None
        MIGRATIONS.apply(Database(db, execute_plugins=False), stop_before=later)
        db.execute(
            "INSERT INTO runs (run, at, day, action, connector, caller, surface, test, state, "
            "charged, rebind, fingerprint, owner) VALUES ('earlierrun', 1.0, '1970-01-01', "
            "'sample.do', 'sample', 'cli:ada', 'cli', 0, 'sent', 1, 0, x'66', 'gone')"
        )
        db.execute(
            "INSERT INTO callers (caller, plan, first_seen, last_seen) "
            "VALUES ('cli:ada', 'pro', 1.0, 2.0)"
        )
        db.executemany(
            "INSERT INTO probes (connector, verdict, since, at) VALUES ('sample', ?, 1.0, 1.0)",
            [("failing",), ("ok",)],
        )
        db.execute(f"PRAGMA user_version={schema}")


def assert_carried_over(ledger):
    assert ledger.run("earlierrun").caller == "cli:ada"
    assert ledger.plan("cli:ada") == "pro"
    assert [probe.verdict for probe in ledger.probes("sample", 2)] == ["ok", "failing"]
    finish(ledger, "sent")
    assert len(ledger.runs()) == 2


@pytest.mark.parametrize("schema", range(1, SCHEMA))
def test_a_database_of_every_earlier_schema_is_brought_up_to_date(home, schema):
    earlier(home / "levqor.db", schema)
    with Ledger.open(home) as ledger:
        assert_carried_over(ledger)


@engines.both
@pytest.mark.parametrize("schema", [1, SCHEMA - 1])
def test_a_backup_of_an_earlier_schema_is_restored_and_stays_as_it_is(
    home, database, tmp_path, schema
):
    folder = tmp_path / "backups"
    folder.mkdir()
    earlier(folder / "copy.db", schema)
    before = (folder / "copy.db").read_bytes()
    put(folder / "copy.db", home, database)
    with Ledger.open(home, database) as ledger:
        assert_carried_over(ledger)
    assert [(f.name, f.read_bytes()) for f in folder.iterdir()] == [("copy.db", before)]


@engines.both
def test_a_backup_of_another_key_is_restored_with_a_new_key_alone(
    home, elsewhere, database, tmp_path
):
    def some(ledger):
        finish(ledger, "sent", key="telegram:7", fingerprint=b"a" * 32)

    file = made(elsewhere, tmp_path / "copy.db", some)
    for check, words in ((None, "has none"), (key_check(home), "another levqor.key")):
        with pytest.raises(LedgerError, match=words) as caught, opened(file, check):
            pass
        assert caught.value.reason == "ledger_key"
        assert "--new-key" in caught.value.fix
    put(file, home, database, new_key=True)
    with Ledger.open(home, database) as ledger:
        ledger.check_key(key_check(home))
        (first,) = ledger.runs()
        assert first.fingerprint == b""
        # What comes again is still not sent again, though nobody can tell whether it is the same.
        again = ledger.accept(order(key="telegram:7", fingerprint=b"b" * 32))
        assert (again[0].run, again[1]) == (first.run, False)
        ledger.set_plan("cli:ada", "pro")
        new, _ = accept(ledger, key="telegram:8", fingerprint=b"b" * 32, guard=True)
        with pytest.raises(IdempotencyMismatch):
            accept(ledger, key="telegram:8", fingerprint=b"c" * 32)
        ledger.settle(new.run, "sent")


def test_a_backup_that_is_put_in_place_by_hand_is_a_home_s_own_database(home, tmp_path, database):
    file = made(home, tmp_path / "copy.db")
    put(file, tmp_path / "home2")
    for path in (file, tmp_path / "home2" / "levqor.db"):
        with contextlib.closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@engines.shared
def test_a_backup_of_postgresql_is_put_in_place_by_hand(home, elsewhere, database, tmp_path):
    with Ledger.open(home, database) as ledger:
        finish(ledger, "sent")
        ledger.backup(elsewhere / "levqor.db")
    with Ledger.open(elsewhere) as ledger:
        assert len(ledger.runs()) == 1
        mode = ledger.store.write(lambda db: db.execute("PRAGMA journal_mode").fetchone())
        assert mode == ("wal",)
    assert {f.name for f in elsewhere.iterdir()} == {"levqor.db", "levqor.db-lock"}
