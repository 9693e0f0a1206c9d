"""`levqor home move`: everything arrives, nothing is replaced, and a kill loses nothing."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from shlex import quote

import pytest

from core.errors import LevqorError
from core.home import MOVING
from core.home_key import home_key
from core.ledger import Ledger
from core.ledger.moving import move
from tests.support.bot import Program
from tests.support.cli import environment, levqor
from tests.support.engines import shared
from tests.support.journal import finish, order


@pytest.fixture
def old(tmp_path):
    """A home as one was: in the folder of a checkout, with other things in it."""
    folder = tmp_path / "the old one"
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    (folder / "logs").mkdir()
    (folder / "logs" / "other.log").write_text("mine")
    (folder / ".env").write_text("LEVQOR_KEEP_DAYS=17\n")
    home_key(folder)
    with Ledger.open(folder) as ledger:
        finish(ledger, "sent", caller="cli:ann")
        ledger.set_plan("telegram:42", "pro")
        ledger.token_new("ci")
    (folder / "logs" / "connectors.log").write_text("{}\n")
    (folder / "logs" / "connectors.log.1").write_text("{1}\n")
    return folder


@pytest.fixture
def new(tmp_path):
    return tmp_path / "data" / "levqor"


def seen(home):
    """What a home holds, as its users see it."""
    with Ledger.open(home) as ledger:
        people = {one.caller: one.plan for one in ledger.callers()}
        return (
            [one.caller for one in ledger.runs()], people, [one.label for one in ledger.tokens()],
            (home / ".env").read_text(), (home / "levqor.key").read_bytes(),
            (home / "logs" / "connectors.log").read_text(),
            (home / "logs" / "connectors.log.1").read_text(),
        )  # fmt: skip


def names(folder):
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def refusal(*args):
    with pytest.raises(LevqorError) as refused:
        move(*args)
    return refused.value


def test_all_of_a_home_moves_to_the_usual_folder_and_nothing_else(old, new):
    before = seen(old)
    ran = levqor("home", "move", cwd=old, env={"XDG_DATA_HOME": str(new.parent)})
    assert ran.status == 0, ran.err
    assert ran.out.splitlines() == [
        f"Moved from {old} to {new}:",
        "    .env", "    levqor.key", "    logs/connectors.log", "    logs/connectors.log.1",
        "    levqor.db",
    ]  # fmt: skip
    assert ran.err == f"home: {new}\n"
    assert seen(new) == before
    assert names(old) == {"README.md", "logs/other.log"}
    assert {file.stat().st_mode & 0o077 for file in [new, *new.rglob("*")]} == {0}
    runs = levqor("runs", cwd=old, env={"XDG_DATA_HOME": str(new.parent)})
    assert "cli:ann" in runs.out


def test_a_home_may_be_moved_from_and_to_any_folder(old, new):
    ran = levqor("--home", new, "home", "move", "--from", old, "--output", "json")
    assert ran.json["from"] == str(old)
    assert ran.json["to"] == str(new)
    assert "levqor.db" in ran.json["moved"]
    assert levqor("--home", new, "home", "move", "--from", old).status == 3


def test_an_ending_the_database_could_not_take_moves_too(old, new):
    with Ledger.open(old) as ledger:
        ledger.accept(order(run="aaaaaaaaaa", caller="cli:late"))
        ledger.sending("aaaaaaaaaa")
        ledger.keep("aaaaaaaaaa", state="refused", at=1.0, reason="x")
    move(old, new)
    assert list(old.glob("levqor.db*")) == []
    with Ledger.open(new) as ledger:
        ledger.recover()
        assert ledger.run("aaaaaaaaaa").state == "refused"


@pytest.mark.parametrize("name", ["levqor.db", ".env", "levqor.key", "logs/connectors.log"])
def test_nothing_of_the_target_is_replaced(old, new, name):
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    (new / name).parent.mkdir(parents=True)
    (new / name).write_text("other")
    error = refusal(old, new)
    assert error.message == f"{new / name} exists already, and a move replaces nothing."
    assert str(old / name) in error.fix
    assert {path: path.read_bytes() for path in old.rglob("*") if path.is_file()} == before
    assert (new / name).read_text() == "other"
    assert not (new / MOVING).exists()


def test_a_folder_without_a_database_is_no_home(tmp_path, new):
    (tmp_path / ".env").write_text("X=1\n")
    assert "there is nothing to move" in refusal(tmp_path, new).message
    assert "is the home already" in refusal(tmp_path, tmp_path).message
    assert not new.exists()


@pytest.mark.parametrize("name", [".env", "levqor.db", "levqor.key", "logs"])
def test_a_link_is_not_moved(old, new, tmp_path, name):
    (old / name).rename(tmp_path / "elsewhere")
    (old / name).symlink_to(tmp_path / "elsewhere")
    assert "is a link" in refusal(old, new).message
    assert not new.exists()


def test_a_folder_that_others_can_write_to_is_no_home_to_move(old, new):
    old.chmod(0o777)
    error = refusal(old, new)
    assert error.message == f"Everybody on this machine can write to the folder {old}."
    assert "chmod go-w" in error.fix


def test_a_home_in_use_is_not_moved(old, new, sandbox):
    home = str(old)
    with Program(old, sandbox.settings(), "--http", "127.0.0.1:0") as bot:
        bot.until("http:")
        assert refusal(old, new).message == f"The database in {home} is in use."
        bot.terminate()
    reader = sqlite3.connect(old / "levqor.db")
    reader.execute("SELECT count(*) FROM runs").fetchone()
    assert refusal(old, new).message == f"The database in {home} is in use."
    reader.close()
    before = seen(old)
    move(old, new)
    assert seen(new) == before


@shared
def test_a_home_whose_database_is_in_postgresql_moves_once_its_bot_has_ended(
    tmp_path, new, sandbox, database
):
    home = tmp_path / "old"
    home.mkdir(mode=0o700)
    (home / ".env").write_text("LEVQOR_KEEP_DAYS=17\n")
    (home / ".env").chmod(0o600)
    env = {**sandbox.settings(), "LEVQOR_DATABASE_URL": database}
    with Program(home, env, "--http", "127.0.0.1:0") as bot:
        bot.until("http:")
        assert refusal(home, new).message == f"The database in {home} is in use."
        bot.terminate()
    assert levqor("--home", home, "token", "new", "ci", env=env).status == 0
    key = (home / "levqor.key").read_bytes()
    (new / "levqor.postgresql").touch()
    assert "exists already" in refusal(home, new).message
    (new / "levqor.postgresql").unlink()

    ran = levqor("--home", new, "home", "move", "--from", home)
    assert ran.status == 0, ran.err
    assert (new / "levqor.key").read_bytes() == key
    assert names(home) == set()
    assert "ci" in levqor("--home", new, "token", "list", env=env).out
    # Its bot does not begin on a levqor.db there either.
    alone = levqor("--home", new, "token", "list", env=sandbox.settings())
    assert "keeps its database in PostgreSQL" in " ".join(alone.err.split())


def test_what_a_killed_process_left_in_the_write_ahead_log_moves_too(old, new):
    code = (
        "import os, pathlib, signal, sys\nfrom core.ledger import Ledger\n"
        "ledger = Ledger.open(pathlib.Path(sys.argv[1]))\n"
        "ledger.set_plan('cli:late', 'pro')\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, old], check=False, env=environment(), timeout=60)
    assert (old / "levqor.db-wal").stat().st_size > 0
    move(old, new)
    assert seen(new)[1]["cli:late"] == "pro"


# A process that kills itself at the n-th thing it does to the files of the two homes.
KILLED = """
import os, pathlib, signal, sys
from core.ledger.moving import move
source, target, left = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
def watch(event, args):
    global left
    writes = event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if writes or event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "sqlite3.connect"):
        if any(str(folder) in str(args) for folder in (source, target)):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
move(source, target)
"""


def test_a_move_that_is_killed_anywhere_is_finished_by_the_next(old, new, tmp_path):
    kept = tmp_path / "kept"
    before = seen(old)
    subprocess.run(["cp", "-a", old, kept], check=True)
    steps = 0
    while True:
        ran = subprocess.run(
            [sys.executable, "-c", KILLED, old, new, str(steps)], env=environment(), check=False,
            timeout=60,
        )  # fmt: skip
        if ran.returncode == 0:
            break
        assert ran.returncode == -signal.SIGKILL
        _assert_usable_or_said(old, new, before)
        if (old / "levqor.db").exists() or (old / MOVING).exists() or (new / MOVING).exists():
            move(old, new)
        assert seen(new) == before, steps
        assert names(old) <= {"README.md", "logs/other.log", "levqor.db-lock"}
        assert not any(name.endswith((".part", MOVING)) for name in names(new))
        subprocess.run(f"rm -rf '{old}' '{new}'; cp -a '{kept}' '{old}'", shell=True, check=True)
        steps += 1
    assert seen(new) == before
    assert steps > 20


def _assert_usable_or_said(old, new, before):
    """In the middle of a move a home has all it had, or says that it must be finished."""
    finishing = f"Finish it: levqor --home {quote(str(new))} home move --from {quote(str(old))}"
    for home in (old, new):
        if (home / MOVING).exists():
            with pytest.raises(LevqorError, match="was interrupted; nothing is lost") as refused:
                Ledger.open(home)
            assert refused.value.fix == finishing
        elif (home / "levqor.db").exists():
            assert seen(home) == before
