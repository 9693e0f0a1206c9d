"""What comes up seldom with a home, a database and its copies."""

import sqlite3
import tempfile
from types import SimpleNamespace

import psycopg
import pytest

from core.errors import LedgerError, LevqorError, NotConfigured, NotFound
from core.home import MOVING, check, temporary, write_private
from core.home_key import home_key
from core.ledger import Ledger
from core.ledger import usage as counted_runs
from core.ledger.backup import made
from core.ledger.explain import explain
from core.ledger.moving import move
from core.ledger.postgres_errors import explain as explain_postgres
from core.ledger.postgres_risks import OLDEST_SERVER, risks
from core.ledger.restore import opened
from tests.support.journal import accept, finish


def test_a_home_is_a_folder(tmp_path):
    (tmp_path / "home").write_text("no folder\n")
    with pytest.raises(NotConfigured, match="is not a folder"):
        check(tmp_path / "home")


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_private(tmp_path / "file", b"x")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_without_a_folder_for_what_is_temporary_it_says_how_one_is_named(tmp_path, monkeypatch):
    import contextlib

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with contextlib.ExitStack() as stack, pytest.raises(LedgerError) as told:
        temporary(stack)
    assert told.value.fix == "Name one that you may write to in TMPDIR."


def test_a_key_that_is_named_and_not_there_is_not_made(home, tmp_path):
    with pytest.raises(LedgerError, match="cannot be read or written: No such file"):
        home_key(home, tmp_path / "no.key")
    assert list(home.iterdir()) == []


def test_a_backup_goes_where_files_can_be_made(ledger, tmp_path):
    with pytest.raises(LedgerError) as told:
        ledger.backup(tmp_path / "no" / "copy.db")
    assert (told.value.reason, told.value.fix) == (
        "backup_unwritable", "Choose a folder you may write to.",
    )  # fmt: skip


def failed(code, name):
    error = sqlite3.OperationalError()
    error.sqlite_errorcode, error.sqlite_errorname = code, name
    return error


@pytest.mark.parametrize(
    ("code", "name", "where", "reason", "says"),
    [
        (sqlite3.SQLITE_INTERNAL, "SQLITE_INTERNAL", "", "unusable", "(SQLITE_INTERNAL)"),
        (sqlite3.SQLITE_IOERR, "SQLITE_IOERR", "gone/", "unusable", "(SQLITE_IOERR)"),
        (sqlite3.SQLITE_BUSY, "SQLITE_BUSY", "", "locked", "held by another program"),
        (sqlite3.SQLITE_READONLY, "SQLITE_READONLY", "", "readonly", "cannot be written"),
    ],
)
def test_what_the_database_says_is_told_in_words(tmp_path, code, name, where, reason, says):
    told = explain(tmp_path / f"{where}levqor.db", failed(code, name))
    assert (told.reason, says in told.message) == (f"ledger_{reason}", True), told.message
    assert (told.retry_after is not None) is (reason == "locked")


def test_half_a_backup_is_taken_away_again_whatever_ended_it(tmp_path):
    with pytest.raises(ZeroDivisionError), made(tmp_path / "copy.db"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def restored(tmp_path, name, spoil):
    """What is said where a backup of one run is spoilt while it is restored."""
    with Ledger.open(tmp_path / "from") as source:
        finish(source, "sent")
        source.backup(tmp_path / "copy.db")
    with (
        Ledger.open(tmp_path / name) as target,
        opened(tmp_path / "copy.db", None, new_key=True) as given,
    ):
        spoil(given)
        with pytest.raises(LedgerError) as told:
            given.restore(target)
        assert target.runs() == []
    return told.value


def test_a_restore_that_is_given_up_changes_nothing(tmp_path):
    told = restored(tmp_path, "a", lambda given: given._given_up.set())
    assert told.message == "The restore was interrupted; nothing was changed."


def test_a_backup_that_cannot_be_read_to_its_end_changes_nothing(tmp_path):
    told = restored(tmp_path, "b", lambda given: given._db.set_authorizer(denied))
    assert told.reason == "backup_damaged"


def denied(action, table, *_):
    return sqlite3.SQLITE_DENY if (action, table) == (sqlite3.SQLITE_READ, "runs") else 0


def test_work_that_the_database_refuses_is_told_in_words_and_ends_alone(home):
    with Ledger.open(home) as ledger:
        with pytest.raises(LedgerError, match="SQLITE_ERROR"):
            ledger.store.write(lambda db: db.execute("SELECT 1 FROM nowhere"))
        ledger.store._writer._connection.execute("BEGIN")
        with pytest.raises(LedgerError, match="cannot be used"):
            ledger.store.write(lambda db: db.execute("SELECT 1"))
        assert ledger.store.write(lambda db: db.execute("SELECT 1").fetchone()) == (1,)


def test_the_accounts_of_a_connector_are_those_that_ran(ledger):
    assert accept(ledger)[1]
    finish(ledger, "sent", caller="cli:bob")
    for only, found in ("sample", [("sample", "")]), ("a", []), ("z", []):
        assert ledger.store.read(lambda db, only=only: counted_runs.accounts(db, only)) == found


def test_a_home_that_has_lost_its_key_says_nothing_of_the_first_one(home):
    with Ledger.open(home) as ledger:
        for check_ in ("a", None, "b", "b"):
            ledger.check_key(check_)
        assert ledger._key_check() == "b"


@pytest.mark.parametrize(
    ("error", "reason", "says"),
    [
        (psycopg.errors.SyntaxError("x"), "ledger_unusable", "cannot be used (SQLSTATE 42601)"),
        (psycopg.DataError("x"), "ledger_unusable", "cannot be used"),
        (psycopg.OperationalError("x"), "ledger_unreachable", "cannot be reached"),
    ],
)
def test_what_postgresql_says_is_told_in_words(error, reason, says):
    told = explain_postgres("The database", error)
    assert (told.reason, says in told.message) == (reason, True), told.message


def test_a_server_older_than_those_that_were_tried_is_a_risk():
    def of(version):
        row = ("on", "on", "on", 0, "", str(version))
        return risks(SimpleNamespace(execute=lambda _: SimpleNamespace(fetchone=lambda: row)))

    assert of(OLDEST_SERVER * 10_000) == []
    ((what, fix),) = of(OLDEST_SERVER * 10_000 - 1)
    assert f"version {OLDEST_SERVER - 1}" in what
    assert str(OLDEST_SERVER) in fix


def unmoved(source, target):
    with pytest.raises(LevqorError) as told:
        move(source, target)
    return told.value


def test_a_home_that_cannot_be_moved_stays_and_says_why(home, tmp_path):
    Ledger.open(home).close()
    (tmp_path / "file").write_text("")
    told = unmoved(home, tmp_path / "file" / "new")
    assert (told.reason, "nothing is lost" in told.message) == ("home_unmovable", True)
    elsewhere = tmp_path / "third"
    for folder, way in (home, "to"), (tmp_path / "new", "from"):
        folder.mkdir(exist_ok=True, mode=0o700)
        (folder / MOVING).write_text(f"{way} {elsewhere}\n")
        assert str(elsewhere) in unmoved(home, tmp_path / "new").message
        (folder / MOVING).unlink()
    content = (home / "levqor.db").read_bytes()
    (home / "levqor.db").write_bytes(b"no database at all" * 300)
    assert unmoved(home, tmp_path / "new").reason.startswith("ledger_")
    (home / "levqor.db").write_bytes(content)
    (home / "levqor.db-wal").mkdir()
    assert unmoved(home, tmp_path / "new").reason.startswith("ledger_")


def test_a_move_whose_old_folder_is_gone_is_finished(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    new.mkdir(mode=0o700)
    (new / MOVING).write_text(f"from {old}\n")
    assert move(old, new) == []


def test_a_lost_commit_does_not_use_a_link_up_twice(home):
    class Twice:
        """A store whose first answer is always lost."""

        def write(self, work, **how):
            real.write(work, **how)
            return real.write(work, **how)

        def __getattr__(self, name):
            return getattr(real, name)

    with Ledger.open(home) as ledger:
        real = ledger.store
        code, _ = ledger.sign_in_code("cli:ann")
        ledger.store = Twice()
        try:
            signed = ledger.sign_in(code, 60)
        finally:
            ledger.store = real
        assert signed[0] == "cli:ann"
        assert ledger.sign_in(code, 60) is None
        with pytest.raises(NotFound, match="ended already"):
            ledger.session_of("nosuch")


def test_only_what_was_counted_of_a_connector_is_told_of_it(ledger):
    finish(ledger, "sent", caller="cli:bob")
    now = ledger.now()
    ledger.roll_up()
    for name, sent in ("sample", 1), ("other", 0):
        steps = ledger.history(name, now - 3600, now + 3600, 3600).steps
        assert sum(step.sent for step in steps) == sent
