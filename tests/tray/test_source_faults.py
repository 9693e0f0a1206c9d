"""The source itself in trouble: each trouble has its own words, and ends without a restart."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import pytest

from core.cli.init import TRAY_SCOPE
from core.connectors import CONNECTORS
from core.engine import Engine
from core.ledger import Ledger
from core.scopes import Scope
from core.settings import Settings
from tests.support.desktop import missing, until
from tests.support.sandbox import Sandbox
from tests.support.tray_program import ALL_WELL, Tray, desktop
from tray.summary import IconState

pytestmark = [
    pytest.mark.xdist_group("desktop-2"),
    pytest.mark.skipif(bool(missing()), reason=f"make system brings {', '.join(missing())}"),
]


@contextmanager
def small_disk(folder):
    """A disk of its own at a folder, which can be filled and made read-only."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "mode=700,size=4m", "levqor-test", str(folder)], check=False
    )
    if done.returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def remount(folder, mode):
    subprocess.run(["mount", "-o", f"remount,{mode}", str(folder)], check=True)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def test_a_home_that_goes_away_is_said_and_found_again(tmp_path, home, sandbox):
    with desktop(tmp_path / "desk", "trayer", "gtk") as desk:
        desk.env |= sandbox.settings()
        tray = Tray(desk, "--home", str(home))
        tray.open_menu(IconState.OK)
        home.rename(tmp_path / "elsewhere")
        until("its loss is said", lambda: desk.row("The home folder is gone"))
        assert desk.row("? Slack — working")["text"].endswith("(last known)")
        desk.close_menu()
        tray.shows(IconState.OFFLINE)
        assert not home.exists()

        (tmp_path / "elsewhere").rename(home)
        tray.shows(IconState.OK)
        assert tray.stop() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_and_a_read_only_disk_are_told_apart(tmp_path, sandbox):
    disk = tmp_path / "disk"
    with small_disk(disk), desktop(tmp_path / "desk", "trayer", "appindicator") as desk:
        desk.env |= sandbox.settings()
        Ledger.open(disk / "home").close()
        tray = Tray(desk, "--home", str(disk / "home"))
        tray.open_menu(IconState.OK)

        remount(disk, "ro")
        until("read-only is said", lambda: desk.row("The database's folder is read-only"))
        remount(disk, "rw")
        until("it is over", lambda: desk.row(ALL_WELL))

        ballast = f"of={disk / 'ballast'}"
        full = subprocess.run(
            ["dd", "if=/dev/zero", ballast, "bs=4k"], capture_output=True, check=False
        )
        assert b"No space left" in full.stderr
        until("full is said", lambda: desk.row("The disk with the database is full"))
        (disk / "ballast").unlink()
        until("it is over", lambda: desk.row(ALL_WELL))
        assert tray.stop() == 0


def test_no_network_is_one_trouble_and_not_one_for_each(tmp_path, home):
    port = free_port()
    with ExitStack() as up, desktop(tmp_path / "desk", "trayer", "appindicator") as desk:
        desk.env |= up.enter_context(Sandbox(port)).settings()
        tray = Tray(desk, "--home", str(home))
        tray.open_menu(IconState.OK)
        up.close()
        until("it is said once", lambda: desk.row("This computer is offline"))
        rows = desk.rows()
        assert not [row for row in rows if row.startswith("✗")]
        assert len([row for row in rows if row.endswith("unknown while offline")]) == len(
            CONNECTORS
        )
        until("it is told once", lambda: len(desk.messages()) == 1)
        assert desk.messages()[0]["summary"] == "This computer is offline"

        with Sandbox(port):
            until("it is over", lambda: desk.row(ALL_WELL))
        assert tray.stop() == 0


def test_a_remote_levqor_is_watched_tested_lost_and_found(tmp_path, home, sandbox):
    port = free_port()
    with Engine.open(Settings(home, sandbox_urls=sandbox.settings())) as engine:
        token = engine.ledger.token_new("desk", plan="pro", scope=Scope.of(TRAY_SCOPE))
    with desktop(tmp_path / "desk", "trayer", "appindicator") as desk:
        desk.env["LEVQOR_REMOTE_TOKEN"] = token

        def bot():
            start = "import sys; from bot.app import main; sys.exit(main())"
            options = ("--home", str(home), "--http", f"127.0.0.1:{port}")
            keys = {**desk.env, **sandbox.settings(), "LEVQOR_TELEGRAM": "off"}
            return desk.start(sys.executable, "-c", start, *options, log="bot", env=keys)

        running = bot()
        tray = Tray(desk, "--remote", f"http://127.0.0.1:{port}")
        tray.open_menu(IconState.OK)
        desk.click("✓ Slack", "Send test…")
        until("Slack got the test", lambda: sandbox.slack.writes)
        desk.end(running)
        tray.open_menu(IconState.OFFLINE)
        until("its loss is said", lambda: desk.row(f"127.0.0.1:{port} cannot be reached"))
        # Its rows grew wider while the menu was closed.
        until("all of it is on the screen", lambda: not desk.cut_off(), seconds=5)
        assert desk.row("Open log folder")["enabled"] is False
        desk.close_menu()

        running = bot()
        tray.shows(IconState.OK)
        assert tray.stop() == 0
        assert token not in tray.said()
