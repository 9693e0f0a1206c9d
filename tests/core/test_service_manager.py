"""What the terminal asks of a service manager, and what it says where one does not do it."""

import os
import plistlib
import threading
import time
from dataclasses import replace

import pytest

from core.cli.output import Output
from core.cli.service import _wait
from core.cli.service_manager import Manager, launchd
from core.cli.session import Session
from core.errors import NotConfigured
from core.health import inbounds
from core.ledger import Ledger


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


def test_an_installed_service_that_runs_is_waited_for_until_an_interface_is_up(tmp_path, home):
    asked, told = tmp_path / "asked", []
    os.mkfifo(asked)
    began = time.time()

    def start(bot):
        # Opened once somebody asks for the state: the first look has found no interface.
        with asked.open("w") as answer:
            told.extend(inbounds(bot))
            bot.inbound("http", ok=True, verdict="listening on http://127.0.0.1:8787")
            answer.write("runs")

    manager = Manager(
        tmp_path / "bot.service", "", "true", (), (), f"cat {asked}", "runs", "tail log"
    )
    with Ledger.open(home) as bot, Session(Output(as_json=False)) as session:
        session.home_given = home
        starting = threading.Thread(target=start, args=(bot,), daemon=True)
        starting.start()
        _wait(session, manager, began)
        starting.join()
        assert (told, [*inbounds(session.ledger)]) == ([], ["http"])


def test_an_installed_service_that_has_stopped_is_waited_for_no_longer(tmp_path, home):
    manager = Manager(tmp_path / "bot.service", "", "true", (), (), "true", "runs", "tail log")
    with Session(Output(as_json=False)) as session:
        session.home_given = home
        with pytest.raises(NotConfigured) as told:
            _wait(session, manager, time.time())
    assert told.value.fix.startswith("See why: tail log.")
