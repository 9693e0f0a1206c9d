"""What the terminal asks of a service manager, and what it says where one does not do it."""

import plistlib
from dataclasses import replace

import pytest

from core.cli.output import Output
from core.cli.service import _wait
from core.cli.service_manager import Manager, launchd
from core.cli.session import Session
from core.errors import NotConfigured


def test_a_launchd_agent_starts_the_same_command_and_again_after_a_failure(tmp_path):
    home = tmp_path / "a home"
    manager = launchd(["/opt/levqor-bot", "--home", str(home)], home)
    agent = plistlib.loads(manager.text.encode())
    assert agent["ProgramArguments"] == ["/opt/levqor-bot", "--home", str(home)]
    assert agent["RunAtLoad"] is True
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert manager.start[-1].endswith("Library/LaunchAgents/levqor-bot.plist")
    assert "state = running" in manager.running
    assert manager.begins == "when you log in"
    with pytest.raises(NotConfigured, match="it does not work"):
        _wait(Session(Output(as_json=False)), manager, 0.0)


def test_a_service_that_cannot_be_changed_stays_as_it_was(tmp_path):
    file = tmp_path / "bot.service"
    manager = Manager(file, "new", "true", ("false",), ("true",), "true", "runs", "tail log")
    file.write_text("old")
    with pytest.raises(NotConfigured) as told:
        manager.begin()
    assert (file.read_text(), told.value.fix) == ("old", "See why: tail log")
    with pytest.raises(NotConfigured, match="cannot be written: File exists"):
        replace(manager, file=file / "bot.service").begin()
