"""A backup goes into an empty database of either engine, whole or not at all."""

import contextlib
import random
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest
from sqlite_utils import Database

from core.errors import IdempotencyMismatch, LedgerError
from core.home_key import key_check
from core.ledger import Ledger
from core.ledger.backup import TABLES
from core.ledger.file import SCHEMA, connect
from core.ledger.records import Owed
from core.ledger.restore import opened
from core.migrations import MIGRATIONS
from tests.support import engines
from tests.support.cli import command, environment, levqor
from tests.support.journal import accept, finish, order
from tests.support.postgres_proxy import PostgresProxy
from tests.support.waiting import wait_for

LARGE = 3000
KEPT = {table: columns for table, columns in TABLES.items() if table != "meta"}
DRAWN = {
    "TEXT": lambda draw: draw.choice(
        ["", "plain", "Žluťoučký 🐎", "a\tb\\N\n", "\\x41", "'; --", "x" * 3000]
    ),
    "REAL": lambda draw: draw.choice([0.0, -1.5, 1e300, 0.1, 5e-324, 1795715520.123456]),
    "INTEGER": lambda draw: draw.choice([0, 1, 2**31 - 1, -7]),
    "BLOB": lambda draw: draw.choice([b"", b"\0\xff\\", draw.randbytes(32)]),
}


@pytest.fixture
def elsewhere(tmp_path):
    """Another home, empty, with the key of the first."""
    folder = tmp_path / "elsewhere"
    folder.mkdir(mode=0o700)
    return folder


def dump(ledger):
    """Every row of every table that is kept."""

    def read(db):
        return {
            table: sorted(db.execute(f"SELECT {columns} FROM {table}").fetchall(), key=repr)
            for table, columns in KEPT.items()
        }

    return ledger.store.read(read)


def fill(ledger, draw, count):
    """Put rows into every table that hold whatever their columns' types can."""

    def rows(table, columns):
        types = {row[1]: row[2:] for row in db.execute(f"PRAGMA table_info({table})")}
        for n in range(count):
            row = []
            for column in columns.split(", "):
                kind, needed, *_, in_key = types[column]
                value = None if not needed and draw.random() < 0.3 else DRAWN[kind](draw)
                if in_key or column in ("key", "quota_owner"):
                    value = f"{n} {value}" if kind == "TEXT" else n * 3 + 1
                if in_key and kind == "BLOB":
                    value = f"{n}".encode()
                # Open runs are another test's, and so is that old answers are forgotten.
                fixed = {"state": "sent", "at": draw.choice([4e9, 4e9 + 0.123456, 1e300])}
                row.append(fixed.get(column, value))
            yield tuple(row)

    with contextlib.closing(connect(ledger.store.files)) as db:
        db.execute("BEGIN")
        for table, columns in KEPT.items():
            db.load(table, columns, rows(table, columns))
        db.execute("COMMIT")


def put(file, home, database=None, **more):
    """Restore a file into a home's database; the home's key is made where there is none."""
    with opened(file, key_check(home), **more) as given, Ledger.open(home, database) as ledger:
        return given.restore(ledger)


def made(home, file, work=lambda ledger: None):
    """A backup of a home's database in which something was done."""
    with Ledger.open(home) as ledger:
        ledger.check_key(key_check(home))
        work(ledger)
        ledger.backup(file)
    return file


@engines.both
def test_every_table_and_column_is_copied_but_those_of_living_processes(ledger, database):
    living = {"bots", "leases", "inbound"}
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
            assert (ledger.run(run).state, ledger.run(run).reason) == ("unknown", "restored")
        # Its quota is held, its key stays bound, its asker is told, and so is the other one.
        assert accept(ledger, key="one")[0].run == accepted.run
        assert ledger.quota("cli:ada", ["sample.do"])[0].used == 1
        assert [record.run for record in ledger.claim_unnotified("cli")] == [accepted.run]
        assert [owed.key for owed in ledger.owed("telegram")] == ["7"]
        assert ledger.counts() == [("sample.do", "unknown", "cli", 2)]


@engines.both
@pytest.mark.parametrize("table", ["runs", "callers", "pairings", "probes", "owed"])
def test_nothing_that_is_there_is_replaced(home, elsewhere, database, tmp_path, table):
    file = made(elsewhere, tmp_path / "copy.db", lambda ledger: finish(ledger, "sent"))
    shutil.copy(elsewhere / "levqor.key", home)
    something = {
        "runs": lambda ledger: finish(ledger, "sent"),
        "callers": lambda ledger: ledger.set_plan("cli:ann", "pro"),
        "pairings": lambda ledger: ledger.pair_code("telegram"),
        "probes": lambda ledger: ledger.probed("sample", "ok", None, 1.0),
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


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A backup that takes a while to restore."""
    folder = tmp_path_factory.mktemp("large")
    with Ledger.open(folder / "home") as ledger:
        fill(ledger, random.Random(1), LARGE)
        ledger.backup(folder / "copy.db")
    return folder / "copy.db"


@engines.both
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=lambda n: n.name)
def test_a_restore_that_is_killed_half_way_leaves_nothing(home, large, database, number):
    key_check(home)
    env = environment(**({"LEVQOR_DATABASE_URL": database} if database else {}))
    half_way = (lambda: _copying(database)) if database else (lambda: _written(home))
    child = subprocess.Popen(
        command("--home", home, "restore", large), env=env, stderr=subprocess.PIPE
    )
    wait_for(half_way, 60)
    child.send_signal(number)
    _, said = child.communicate(timeout=60)
    assert child.returncode == (-9 if number == signal.SIGKILL else 130), said
    wait_for(lambda: not (database and _copying(database)), 60)
    with Ledger.open(home, database) as ledger:
        assert set(map(len, dump(ledger).values())) == {0}
    ran = levqor("--home", home, "restore", large, "--output", "json", env=env)
    assert ran.json["rows"]["runs"] == LARGE


@engines.shared
@pytest.mark.parametrize("way", ["before", "after", "delayed"])
def test_a_restore_whose_commit_was_lost_is_one_restore(
    home, elsewhere, cluster, database, tmp_path, way
):
    file = made(elsewhere, tmp_path / "copy.db", lambda ledger: finish(ledger, "sent"))
    shutil.copy(elsewhere / "levqor.key", home)
    with PostgresProxy(cluster.port) as proxy:
        with Ledger.open(home, proxy.url(database)) as ledger:
            proxy.cut(way, "'restored'")
            with opened(file, key_check(home)) as given:
                assert given.restore(ledger).rows["runs"] == 1
        assert proxy.cuts == [way]
    with Ledger.open(home, database) as ledger:
        assert len(ledger.runs()) == 1


def _written(home):
    with contextlib.suppress(FileNotFoundError):
        return (home / "levqor.db-wal").stat().st_size > 100_000
    return False


def _copying(url):
    import psycopg

    with psycopg.connect(url) as db:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY %' AND state = 'active'"
        row = db.execute(f"{sql} AND datname = current_database()").fetchone()
        return row[0] > 0


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
