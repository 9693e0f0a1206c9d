"""Whose a home is, and that nobody else's folder or file is taken for one of ours."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from core.callers import Caller
from core.cli.doctor import _private
from core.home import check
from core.home_key import home_key
from core.ledger import Ledger
from core.logs import RunLog
from core.settings import Settings, env_file
from tests.support.users import ANN, AS_ROOT, BOB, TEAM, as_user, given, refusal


@pytest.fixture
def public():
    """A folder that every user can look into: pytest's own are for its user alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


MADE = ("one", "two", "three")


def test_a_home_is_made_for_its_user_alone(tmp_path):
    before = os.umask(0)
    try:
        Ledger.open(tmp_path / "one").close()
        home_key(tmp_path / "two")
        env_file.write(tmp_path / "three" / ".env", {"SLACK_BOT_TOKEN": "xoxb-1"})
    finally:
        os.umask(before)
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in MADE}
    assert modes == dict.fromkeys(MADE, 0o700)


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
            False, f"{file} cannot be written.", f"Make it yours: sudo chown $(id -un) {file}",
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
