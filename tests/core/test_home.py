"""The home: which folder it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.home import default, find
from core.home_key import home_key
from core.ledger import Ledger
from tests.support.cli import levqor
from tests.support.starting import start
from tests.support.users import ANN, AS_ROOT, as_user, refusal


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


WORDS = {
    "levqor": [
        ["health"], ["doctor"], ["callers"], ["token", "new", "ci"], ["run", "slack.send", "hi"],
        ["smoke"], ["prune"],
    ],
    "levqor-bot": [[], ["check"], ["slack-manifest"]],
    "levqor-tray": [[]],
}  # fmt: skip


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


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("levqor", ["--home", "", "token", "new", "ci"]),
        ("levqor", ["--home=", "runs"]),
        ("levqor", ["--home", " ", "runs"]),
        ("levqor-bot", ["--home", ""]),
        ("levqor-tray", ["--home="]),
    ],
)
def test_a_home_without_a_name_is_not_the_current_folder(tmp_path, program, words):
    ran = start(program, *words, cwd=tmp_path)
    assert ran.returncode == 2
    assert "names no folder" in ran.stderr
    assert list(tmp_path.iterdir()) == []


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
    assert (ran.status, ran.out) == (0, "No runs yet. Try: levqor init\n")


def test_nothing_of_a_strange_folder_counts(tmp_path):
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / ".env").write_text("LEVQOR_ALLOW=x\nLEVQOR_KEEP_DAYS=never\n")
    home_key(strange)
    ran = levqor("health", cwd=strange, env={"XDG_DATA_HOME": str(tmp_path / "data")})
    assert ran.status == 0, ran.err
