import re
import shlex
import subprocess
import sys

import pytest
from typer.main import get_command

from core.cli.app import app
from core.errors import LevqorError
from tests.support.cli import ROOT, levqor

README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = (ROOT / "docs/reference/commands.md").read_text("utf-8")
TERMINAL = (ROOT / "docs/guides/terminal.md").read_text("utf-8")


def shell(text):
    """The lines of a text's shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_the_generated_pages_are_up_to_date():
    ran = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        check=False, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert ran.stdout == ""
    assert ran.returncode == 0


def test_the_readme_is_short_enough_to_be_read():
    assert README.count("\n") <= 120


def test_the_readme_is_one_sentence_two_pictures_and_two_commands():
    (sentence,) = re.findall(r"\A# Levqor\n\n(.+)\n\n!", README)
    assert sentence.count(". ") == 0
    assert README.count("![") == 2
    assert len(shell(README)) == 2


@pytest.mark.parametrize("line", [line for line in shell(TERMINAL) if line.startswith("levqor ")])
def test_every_command_of_the_terminal_s_page_runs_as_it_stands(tmp_path, line):
    # Where its output goes is the shell's, and what watches goes on until Ctrl-C.
    _, *args = shlex.split(line.partition(" > ")[0])
    ran = levqor("--sandbox", "--home", tmp_path, *(arg for arg in args if arg != "--watch"))
    assert ran.status == 0, ran.err


def test_every_command_is_on_its_page():
    names = set(get_command(app).list_commands(None))
    assert set(re.findall(r"## `levqor ([a-z]+)", COMMANDS)) == names


def test_the_exit_statuses_on_the_page_are_all_there_are():
    def leaves(kind):
        return [kind, *(leaf for each in kind.__subclasses__() for leaf in leaves(each))]

    told = {int(status) for status in re.findall(r"^\| (\d+) \|", COMMANDS, re.MULTILINE)}
    assert told == {0, *(kind.exit for kind in leaves(LevqorError))}
