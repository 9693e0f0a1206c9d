"""A command that only looks makes nothing in a home."""

from __future__ import annotations

import tempfile

import pytest

from core.cli import main
from core.connectors import CONNECTORS
from tests.support.cli import ROOT, Ran, levqor
from tests.support.starting import start

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
