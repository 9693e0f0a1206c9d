"""Core knows the interfaces by what the installation declares."""

import subprocess
import sys

import pytest

from bot.surfaces import SURFACES
from core.errors import NotConfigured
from core.interfaces import declared

ASK = "from core.interfaces import declared; print(*(one.name for one in declared()))"
OLDER = "[console_scripts]\nlevqor = core.cli:main\n"


def test_they_are_those_of_the_bot():
    assert declared() == tuple(SURFACES)


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


def test_an_installation_without_its_description_is_said_to_be_none(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(NotConfigured, match="does not say which interfaces it has"):
        declared.__wrapped__()
