"""Core knows the interfaces by what the installation declares."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from bot.surfaces import SURFACES
from core.interfaces import called, declared
from tests.support.cli import ROOT, environment

ASK = "from core.interfaces import declared; print(*(one.name for one in declared()))"
OLDER = "[console_scripts]\nlevqor = core.cli:main\n"


def test_they_are_those_of_the_bot():
    assert declared() == tuple(SURFACES)


def test_each_has_a_name_that_people_read():
    known = ("cli", "tray", "web", *(spec.name for spec in SURFACES), "fax")
    assert [*map(called, known)] == [
        "Terminal", "Tray", "Web console", *(spec.title for spec in SURFACES), "fax",
    ]  # fmt: skip


def test_an_older_description_in_the_folder_is_passed_over(tmp_path):
    """What an editable installation leaves in a checkout stays there when the next one comes."""
    old = tmp_path / "levqor.egg-info"
    old.mkdir()
    (old / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: levqor\nVersion: 0.1.0\n")
    (old / "entry_points.txt").write_text(OLDER)
    asked = subprocess.run(
        [sys.executable, "-c", ASK], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert asked.stdout.split() == [one.name for one in SURFACES]


def test_an_installation_without_its_description_is_said_to_be_none(tmp_path, home):
    venv.create(tmp_path / "venv", symlinks=True)
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if not each.name.startswith(("levqor", "__editable__.levqor", "_levqor")):
            (packages / each.name).symlink_to(each)
    ran = subprocess.run(
        [tmp_path / "venv/bin/python", "-m", "core.cli", "--home", str(home), "health"],
        cwd=ROOT, env=environment(), check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 3
    assert "does not say which interfaces it has" in ran.stderr
    assert "pip install -e ." in ran.stderr
