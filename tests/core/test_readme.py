import re
import shlex
import subprocess
import sys

import pytest

from core.cli.app import app
from core.errors import LevqorError
from tests.support.cli import ROOT, levqor

README = (ROOT / "README.md").read_text("utf-8")
SHELL = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]


def test_the_generated_pages_are_up_to_date():
    ran = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        check=False, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert ran.stdout == ""
    assert ran.returncode == 0


def test_the_readme_is_short_enough_to_be_read():
    assert README.count("\n") <= 120


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("levqor ")])
def test_every_command_of_the_readme_runs_as_it_stands(tmp_path, line):
    _, *args = shlex.split(line)
    ran = levqor("--sandbox", "--home", tmp_path, *args)
    assert ran.status == 0, ran.err


def test_make_targets_of_the_readme_exist():
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?\bmake ([a-z-]+)`", README)) <= made


def test_every_command_of_the_readme_s_table_exists():
    names = {one.name or one.callback.__name__ for one in app.registered_commands}
    names |= {one.name for one in app.registered_groups}
    assert set(re.findall(r"`levqor ([a-z]+)", README)) == names


def test_every_page_the_readme_links_to_exists():
    missing = [page for page in re.findall(r"\]\(([^)]+)\)", README) if not (ROOT / page).exists()]
    assert missing == []


def test_the_exit_statuses_of_the_readme_are_all_there_are():
    def leaves(kind):
        return [kind, *(leaf for each in kind.__subclasses__() for leaf in leaves(each))]

    told = {int(status) for status in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert told == {0, *(kind.exit for kind in leaves(LevqorError))}
