"""The ledger's file: private, whole, or named with what to do."""

import contextlib
import errno
import os
import shutil
import sqlite3
import stat
import subprocess
import sys

import pytest

from core.errors import LedgerError
from core.ledger import Ledger
from core.ledger.file import SCHEMA
from core.migrations import MIGRATIONS
from tests.support.cli import levqor
from tests.support.engines import both, shared
from tests.support.journal import accept, order


def accept_many(ledger):
    for n in range(50):
        accept(ledger, caller=f"cli:{n}")


def fill(file):
    with file.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"x" * 4096)


def test_the_schema_number_counts_the_migrations():
    assert len(MIGRATIONS._migrations) == SCHEMA


def test_a_new_ledger_is_readable_by_its_owner_only(ledger, home):
    accept(ledger)
    made = {p.name: stat.S_IMODE(p.stat().st_mode) for p in home.iterdir()}
    assert {"levqor.db", "levqor.db-wal", "levqor.db-shm"} <= set(made)
    assert set(made.values()) == {0o600}


def test_a_damaged_ledger_is_named_and_left_alone(home):
    file = home / "levqor.db"
    file.write_bytes(b"this is no database " * 100)
    with pytest.raises(LedgerError) as caught:
        Ledger.open(home)
    assert str(file) in caught.value.message
    assert "restore" in caught.value.fix
    assert file.read_bytes() == b"this is no database " * 100


def test_a_newer_ledger_is_named_and_left_alone(home):
    Ledger.open(home).close()
    with contextlib.closing(sqlite3.connect(home / "levqor.db")) as db, db:
        db.execute(f"PRAGMA user_version={SCHEMA + 1}")
    with pytest.raises(LedgerError, match="newer Levqor"):
        Ledger.open(home)


def test_a_sqlite_that_is_too_old_is_refused_with_the_one_it_needs(home, tmp_path):
    # Between this Python and its SQLite, where that is a library of the system.
    shim = tmp_path / "old.so"
    (tmp_path / "old.c").write_text('const char *sqlite3_libversion(void) { return "3.34.1"; }')
    if sys.platform != "linux" or not shutil.which("cc"):
        pytest.skip("needs a C compiler and Linux's loader")
    subprocess.run(["cc", "-shared", "-o", shim, tmp_path / "old.c"], check=True)
    env = {"LD_PRELOAD": str(shim)}
    asked = [sys.executable, "-c", "import sqlite3; print(sqlite3.sqlite_version)"]
    version = subprocess.run(asked, capture_output=True, text=True, check=True, env=env).stdout
    if version != "3.34.1\n":
        pytest.skip("this Python has a SQLite of its own")
    ran = levqor("--home", home, "plan", "set", "cli:ann", "pro", env=env)
    assert ran.status == 7
    assert "Levqor needs SQLite 3.39 or later; this Python has 3.34.1." in ran.err
    assert "Install Levqor with a newer Python" in ran.err
    assert not (home / "levqor.db").exists()


@shared
@pytest.mark.parametrize(("oldest", "opens"), [(SCHEMA + 1, False), (SCHEMA, True)])
def test_a_newer_database_is_used_where_it_says_that_this_levqor_may(
    open_ledger, database, oldest, opens
):
    with open_ledger() as ledger:
        for name, value in (("schema", SCHEMA + 1), ("oldest_reader", oldest)):
            row = {"name": name, "value": str(value)}
            sql = "UPDATE meta SET value = :value WHERE name = :name"
            ledger.store.write(lambda db, row=row, sql=sql: db.execute(sql, row))
    if opens:
        with open_ledger() as ledger:
            accept(ledger)
    else:
        with pytest.raises(LedgerError, match="newer Levqor"):
            open_ledger()


@both
def test_a_home_that_cannot_be_made_is_named(tmp_path, database):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be written"):
        Ledger.open(tmp_path / "file" / "home", database)


@shared
def test_a_home_beside_a_shared_database_is_readable_by_its_owner_only(ledger, home):
    accept(ledger)
    made = {p.name: stat.S_IMODE(p.stat().st_mode) for p in home.iterdir()}
    assert len(made) == 1
    assert set(made.values()) == {0o600}
    ledger.close()
    assert list(home.iterdir()) == []


def test_a_full_disk_is_said_and_nothing_is_accepted(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o mode=700,size=800k x {disk} 2>/dev/null"):
        pytest.skip("mounting a small disk needs to be root")
    try:
        ledger = Ledger.open(disk)
        fill(disk / "filler")
        with pytest.raises(LedgerError) as caught:
            accept_many(ledger)
        assert caught.value.reason == "ledger_full"
        (disk / "filler").unlink()
        accept(ledger, caller="cli:later")
        ledger.close()
    finally:
        os.system(f"umount -l {disk}")


def test_a_closed_ledger_leaves_one_file_and_no_log(home):
    with Ledger.open(home) as ledger:
        accept(ledger)
    assert sorted(p.name for p in home.iterdir()) == ["levqor.db", "levqor.db-lock"]


@both
def test_a_closed_ledger_says_so(open_ledger):
    ledger = open_ledger()
    accept(ledger)
    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        accept(ledger)
    ledger.close()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_ledger_that_was_deleted_while_in_use_is_said_and_nothing_is_lost(home, replaced):
    with Ledger.open(home) as ledger:
        ledger.accept(order(test=True))
        for file in home.glob("levqor.db*"):
            file.unlink()
        if replaced:
            Ledger.open(home).close()
        for ask in (lambda: ledger.accept(order(test=True)), ledger.runs):
            with pytest.raises(LedgerError, match="moved, deleted or replaced") as caught:
                ask()
            assert caught.value.reason == "ledger_replaced"


def test_each_who_waits_gets_an_error_of_his_own(home):
    with Ledger.open(home) as ledger:
        ledger.accept(order(test=True))
        ledger.store.files.rename(home / "away.db")
        errors = []
        for _ in range(2):
            with pytest.raises(LedgerError) as caught:
                ledger.accept(order(test=True))
            errors.append(caught.value)
        assert errors[0] is not errors[1]


def test_a_backup_that_was_copied_back_is_made_private(home):
    Ledger.open(home).close()
    (home / "levqor.db").chmod(0o644)
    with Ledger.open(home) as ledger:
        ledger.accept(order(test=True))
        modes = {p.name: p.stat().st_mode & 0o777 for p in home.glob("levqor.db*")}
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.parametrize("wrong", ["folder", "pipe"])
def test_what_is_no_file_is_not_taken_for_a_ledger(home, wrong):
    file = home / "levqor.db"
    os.mkfifo(file) if wrong == "pipe" else file.mkdir()
    mode = file.stat().st_mode
    with pytest.raises(LedgerError, match="cannot be written"):
        Ledger.open(home)
    assert file.stat().st_mode == mode


@pytest.mark.skipif(not shutil.which("cc"), reason="a disk without locks is made by a compiler")
@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_disk_that_cannot_lock_files_is_named_and_nothing_is_made_there(home, tmp_path, code):
    source, shim = tmp_path / "flock.c", tmp_path / "flock.so"
    source.write_text(
        f"#include <errno.h>\nint flock(int fd, int how) {{ errno = {code}; return -1; }}\n"
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source], check=True, timeout=60)
    opened = "import sys, pathlib; from core.ledger import Ledger; "
    opened += "Ledger.open(pathlib.Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", opened, home], check=False, timeout=60, capture_output=True,
        text=True, env={**os.environ, "LD_PRELOAD": str(shim)},
    )  # fmt: skip
    assert "cannot lock files" in done.stderr
    assert not (home / "levqor.db").exists()
