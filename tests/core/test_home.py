"""The home: which folder it is, and that nobody else's folder or file is taken for one of ours."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from core.callers import Caller
from core.cli import main
from core.cli.doctor import _private
from core.connectors import CONNECTORS
from core.errors import LevqorError
from core.home import check, default, find
from core.home_key import home_key
from core.ledger import Ledger
from core.logs import RunLog
from core.settings import Settings
from tests.support.cli import ROOT, Ran, environment, levqor

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to another user")
# Users and groups that no system gives to anybody.
ANN, BOB, TEAM = 54321, 54322, 54330


def as_user(uid, do, *, group=None, extra_groups=()):
    """Do something as another user, who has no name; what it raised, or None.

    In a child that was root until then: another user may not be able to read this Python.
    """
    out, theirs = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgroups(extra_groups)
            os.setgid(uid if group is None else group)
            os.setuid(uid)
            do()
        except LevqorError as error:
            os.write(theirs, f"{error.message}\n{error.fix}".encode())
        except BaseException as error:  # noqa: BLE001 - the child must not go on as a test
            os.write(theirs, f"{error!r}\n".encode())
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(out) as told:
        said = told.read()
    os.waitpid(child, 0)
    return tuple(said.split("\n", 1)) if said else None


@pytest.fixture
def public():
    """A folder that every user can look into: pytest's own are for its user alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def refusal(do):
    with pytest.raises(LevqorError) as refused:
        do()
    return refused.value


# -- which folder ----------------------------------------------------------------------------


def test_the_home_is_the_one_named_else_the_variable_else_the_users_data_folder(home, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/data")
    assert find(home, {"LEVQOR_HOME": "/elsewhere"}) == home
    assert find(None, {"LEVQOR_HOME": f" {home} "}) == home
    assert find(None, {"LEVQOR_HOME": "~"}) == Path.home()
    assert find(None, {"LEVQOR_HOME": " "}) == find(None, {}) == Path("/srv/data/levqor")


@pytest.mark.parametrize("data", ["", "relative", "./x", "."])
def test_the_users_data_folder_is_never_the_current_one(tmp_path, monkeypatch, data):
    monkeypatch.setenv("XDG_DATA_HOME", data)
    monkeypatch.setenv("HOME", "/srv/ann")
    assert default() == Path("/srv/ann/.local/share/levqor")


@AS_ROOT
def test_a_user_without_a_name_and_a_folder_is_asked_for_a_home(monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("XDG_DATA_HOME")
    what, fix = as_user(ANN, default)
    assert what == "The system names no data folder for this user."
    assert fix == "Name a home folder by its whole path, in LEVQOR_HOME or after --home."


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("~nobody-of-that-name", "begins with the name of a user whom this machine lacks."),
        ("/srv/a\nExec=evil", "holds a line break or another control character."),
        ("/srv/a\x1b[2J", "holds a line break or another control character."),
        ("/srv/a\u2028b", "holds a line break or another control character."),
        ("/srv/a\0b", "holds a line break or another control character."),
    ],
)
def test_a_home_that_cannot_be_is_refused(named, message):
    error = refusal(lambda: find(None, {"LEVQOR_HOME": named}))
    assert error.message.endswith(message)
    assert error.fix


def test_a_home_may_have_any_other_name(tmp_path):
    folder = tmp_path / 'Ann\'s \u3000 50% $HOME `x` "q" \\d é'
    assert find(folder, {}) == folder


def test_links_to_a_home_are_followed_once(tmp_path, home):
    (tmp_path / "link").symlink_to(home)
    assert find(tmp_path / "link", {}) == find(home / ".." / "home", {}) == home
    (tmp_path / "loop").symlink_to("loop")
    assert "cannot be found" in refusal(lambda: find(tmp_path / "loop", {})).message


PROGRAMS = {
    "levqor": ["core.cli"],
    "levqor-bot": ["bot.app"],
    "levqor-tray": ["tray.app", "--wait", "0"],
}
WORDS = {
    "levqor": [
        ["health"], ["doctor"], ["callers"], ["token", "new", "ci"], ["run", "slack.send", "hi"],
        ["smoke"], ["prune"],
    ],
    "levqor-bot": [[], ["check"], ["slack-manifest"]],
    "levqor-tray": [[]],
}  # fmt: skip


def start(program, *words, cwd, **env):
    return subprocess.run(
        [sys.executable, "-m", *PROGRAMS[program], *words],
        cwd=cwd, env=environment(**env), capture_output=True, text=True, check=False, timeout=60,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("program", "words"),
    [(program, words) for program, table in WORDS.items() for words in table],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_database_in_the_current_folder_stops_every_command(tmp_path, program, words):
    Ledger.open(tmp_path).close()
    (tmp_path / ".env").write_text("LEVQOR_HTTP=0.0.0.0:1\n")
    before = sorted(file.name for file in tmp_path.iterdir())
    ran = start(program, *words, cwd=tmp_path, XDG_DATA_HOME=str(tmp_path / "data"))
    assert ran.returncode == 3
    told = " ".join(ran.stderr.split())
    assert f"This folder ({tmp_path}) holds a levqor.db, and no home folder is named." in told
    assert "--home ." in told
    assert "levqor home move" in told
    assert sorted(file.name for file in tmp_path.iterdir()) == before


def test_a_home_that_is_named_is_used_wherever_one_stands(tmp_path, home):
    Ledger.open(tmp_path).close()
    for ran in (
        levqor("--home", home, "runs", cwd=tmp_path),
        levqor("--home", ".", "runs", cwd=tmp_path),
        levqor("runs", cwd=tmp_path, env={"LEVQOR_HOME": str(home)}),
        levqor("--sandbox", "runs", cwd=tmp_path),
        levqor("--help", cwd=tmp_path),
    ):
        assert ran.status == 0, ran.err


def test_whoever_stands_in_the_usual_home_is_at_home(tmp_path):
    usual = tmp_path / "levqor"
    Ledger.open(usual).close()
    ran = levqor("runs", cwd=usual, env={"XDG_DATA_HOME": str(tmp_path)})
    assert (ran.status, ran.out) == (0, "No runs yet. Try: levqor run ACTION --test\n")


def test_nothing_of_a_strange_folder_counts(tmp_path):
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / ".env").write_text("LEVQOR_ALLOW=x\nLEVQOR_KEEP_DAYS=never\n")
    home_key(strange)
    ran = levqor("health", cwd=strange, env={"XDG_DATA_HOME": str(tmp_path / "data")})
    assert ran.status == 0, ran.err


# -- who only looks makes nothing ------------------------------------------------------------

NONE = f"None of the {len(CONNECTORS)} services is set up."
LOOKS = [
    (["health"], 0, NONE),
    (["health", "--live"], 0, NONE),
    (["usage"], 0, "No runs in the last 7 days."),
    (["runs"], 0, "No runs yet."),
    (["why", "abcdefghij"], 2, "There is no run with that ID in this home."),
    (["doctor"], 1, "does not exist yet; it is made when it is needed."),
    (["callers"], 0, "Nobody has asked for anything yet."),
    (["token", "list"], 0, "There are no tokens."),
    (["--help"], 0, "Usage"),
    (["run", "--help"], 0, "Usage"),
]


@pytest.fixture
def inside(capsys):
    """Run `levqor` in this process: starting it anew each time is no part of these facts."""

    def run(*args):
        status = main([*map(str, args)])
        printed = capsys.readouterr()
        return Ran(status, printed.out, printed.err)

    return run


@pytest.mark.parametrize(("words", "status", "said"), LOOKS, ids=str)
def test_a_command_that_only_looks_makes_nothing(
    inside, tmp_path, monkeypatch, words, status, said
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ran = inside("--home", tmp_path / "a" / "home", *words)
    assert (ran.status, said in ran.out + ran.err) == (status, True), ran.out + ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("words", "status", "said"), LOOKS, ids=str)
def test_a_command_that_only_looks_makes_nothing_in_a_home_that_is_there(
    inside, home, words, status, said
):
    assert inside("--home", home, *words).status == status
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("words", [["slack-manifest"], ["check"], ["--help"]], ids=" ".join)
def test_a_look_of_the_bots_makes_nothing(tmp_path, sandbox, words):
    env = sandbox.settings() if words == ["check"] else {}
    home = tmp_path / "a" / "home"
    ran = start("levqor-bot", "--home", str(home), *words, cwd=ROOT, **env)
    assert ran.returncode in (0, 1), ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_completion_makes_nothing(tmp_path):
    env = {"_LEVQOR_COMPLETE": "complete_bash", "COMP_WORDS": "levqor run sl", "COMP_CWORD": "2"}
    ran = levqor(env={**env, "XDG_DATA_HOME": str(tmp_path)}, cwd=tmp_path)
    assert "slack.send" in ran.out
    assert list(tmp_path.iterdir()) == []


def test_a_home_with_a_database_alone_gets_no_key_from_a_look(inside, home):
    inside("--home", home, "plan", "set", "cli:a", "pro")
    for words in (["health"], ["usage"], ["runs"], ["callers"], ["doctor"]):
        inside("--home", home, *words)
    assert sorted(file.name for file in home.iterdir()) == ["levqor.db", "levqor.db-lock"]


def test_what_a_look_finds_is_what_is_there(inside, home):
    assert inside("--home", home, "plan", "set", "cli:a", "pro").status == 0
    found = inside("--home", home, "callers", "--output", "json").json["callers"]
    assert [(one["caller"], one["plan"]) for one in found] == [("cli:a", "pro")]


# -- whose folder, and who may write to it ---------------------------------------------------


def test_a_home_is_made_for_its_user_alone(tmp_path):
    before = os.umask(0)
    try:
        Ledger.open(tmp_path / "one").close()
        home_key(tmp_path / "two")
    finally:
        os.umask(before)
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("one", "two")}
    assert modes == {"one": 0o700, "two": 0o700}


@pytest.mark.parametrize(
    ("mode", "what", "fix"),
    [
        (0o707, "Everybody on this machine can write to the home folder {}.", "chmod go-w '{}'"),
        (0o777, "Everybody on this machine can write to the home folder {}.", "chmod go-w '{}'"),
        (0o1777, "Everybody on this machine can write to the home folder {}.", "'{}'/levqor"),
    ],
)
def test_a_home_that_everybody_can_write_to_is_refused(tmp_path, mode, what, fix):
    home = tmp_path / "my home"
    home.mkdir()
    (home / ".env").write_text("LEVQOR_HTTP=0.0.0.0:1\n")
    home.chmod(mode)
    for do in (lambda: Settings(home, environ={}), lambda: Ledger.open(home)):
        error = refusal(do)
        assert error.message == what.format(home)
        assert error.fix.endswith(fix.format(home))
    assert [file.name for file in home.iterdir()] == [".env"]


@AS_ROOT
@pytest.mark.parametrize(
    ("uid", "gid", "mode", "who", "ok"),
    [
        pytest.param(ANN, ANN, 0o700, {}, True, id="one's own"),
        pytest.param(ANN, ANN, 0o755, {}, True, id="one's own that others read"),
        pytest.param(ANN, ANN, 0o775, {}, True, id="umask 002, number alone"),
        pytest.param(0, 0, 0o755, {}, True, id="root's"),
        pytest.param(0, TEAM, 0o2775, {"extra_groups": [TEAM]}, True, id="fsGroup"),
        pytest.param(0, ANN, 0o2770, {}, True, id="root's with one's own group"),
        pytest.param(0, 0, 0o2775, {"group": 0}, True, id="OpenShift"),
        pytest.param(0, TEAM, 0o2775, {}, False, id="a group one is not in"),
        pytest.param(ANN, TEAM, 0o770, {}, False, id="one's own, another group"),
        pytest.param(BOB, BOB, 0o700, {}, False, id="somebody else's"),
        pytest.param(BOB, ANN, 0o777, {}, False, id="somebody else's for everybody"),
        pytest.param(0, 0, 0o1777, {}, False, id="like /tmp"),
        pytest.param(ANN, 100, 0o770, {"extra_groups": [100]}, False, id="a named group"),
    ],
)
def test_whose_a_home_may_be(public, uid, gid, mode, who, ok):
    home = public / "my home"
    home.mkdir()
    given(home, uid, gid, mode)
    told = as_user(ANN, lambda: check(home), **who)
    assert (told is None) == ok, told
    if told:
        assert str(home) in told[0]
        assert str(home) in told[1]


def given(path, uid, gid, mode):
    os.chown(path, uid, gid)
    path.chmod(mode)


# -- what is in it -----------------------------------------------------------------------------

USES = {
    "levqor.db": (Ledger.open, "The database file"),
    "levqor.db-wal": (Ledger.open, "The database file"),
    "levqor.key": (home_key, "The key"),
}


@pytest.mark.parametrize("name", USES)
def test_a_link_in_the_home_is_followed_by_nothing(home, tmp_path, name):
    use, what = USES[name]
    (tmp_path / "victim").write_bytes(bytes(32))
    (home / name).symlink_to(tmp_path / "victim")
    error = refusal(lambda: use(home))
    assert error.message == f"{what} {home / name} is a link, and in its home Levqor follows none."
    assert str(home / name) in error.fix
    assert error.code == "ledger_error"
    assert (tmp_path / "victim").read_bytes() == bytes(32)


@AS_ROOT
@pytest.mark.parametrize("name", USES)
def test_a_file_of_another_user_in_the_home_is_not_used(home, name):
    use, what = USES[name]
    (home / name).write_bytes(bytes(32))
    given(home / name, ANN, ANN, 0o600)
    error = refusal(lambda: use(home))
    assert error.message == f"{what} {home / name} belongs to another user ({ANN})."
    assert error.fix.endswith(f"sudo chown -R $(id -un) {home / name}")


def test_a_key_that_everybody_can_write_is_not_used(home):
    home_key(home)
    (home / "levqor.key").chmod(0o602)
    assert (
        "Everybody on this machine can write to the key" in refusal(lambda: home_key(home)).message
    )


@pytest.mark.parametrize("name", ["logs", "logs/connectors.log", "logs/.connectors.lock"])
def test_the_log_is_written_through_no_link(home, tmp_path, capsys, name):
    victim = tmp_path / "victim"
    if name == "logs":
        victim.mkdir()
    else:
        (home / "logs").mkdir(mode=0o700)
        victim.write_text("")
    (home / name).symlink_to(victim)
    log = RunLog(home)
    log.write(
        run="r", caller=Caller("cli", "ann"), connector="-", action="-", status="sent", ms=1,
        attempts=1,
    )  # fmt: skip
    assert "is a link, and in its home Levqor follows none." in log.problem
    assert "Runs go on without it." in capsys.readouterr().err
    assert victim.is_dir() or victim.read_text() == ""
    assert not victim.is_dir() or list(victim.iterdir()) == []


def test_a_home_that_was_opened_up_since_is_not_used(home):
    settings = Settings(home, environ={})
    home.chmod(0o777)
    assert "Everybody" in refusal(lambda: Ledger.open(settings.home)).message
    assert "Everybody" in refusal(settings.again).message
    assert not (home / "levqor.db").exists()


@AS_ROOT
def test_the_doctor_says_which_file_is_another_user_s(public):
    file = public / "levqor.db"
    file.write_text("")
    file.chmod(0o600)

    def looked():
        (finding,) = _private(file)
        assert (finding.good, finding.what, finding.fix) == (
            False, f"{file} cannot be written.", f"Make it yours: sudo chown $(id -un) '{file}'",
        )  # fmt: skip

    assert as_user(ANN, looked) is None


@AS_ROOT
def test_a_log_of_another_user_is_left_alone(home):
    log = RunLog(home)
    log.file.parent.mkdir()
    log.file.touch(mode=0o600)
    os.chown(log.file, ANN, ANN)
    log.write(
        connector="slack", action="slack.send", status="sent", run="abc", caller=Caller("cli", "a"),
        ms=1.0, attempts=1,
    )  # fmt: skip
    assert "belongs to" in log.problem
    assert log.file.read_bytes() == b""
