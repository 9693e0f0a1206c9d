"""The tray beside a bot that shows the web console: what a click opens, and who it signs in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.callers import os_user
from tests.bot.web.pages.conftest import Visitor
from tests.support.bot import Program
from tests.support.desktop import missing, until
from tests.support.tray_program import REVOKED, Tray, desktop
from tests.support.web import served
from tray import desktop as own_desktop
from tray.source import SourceError
from tray.source.local import Local
from tray.summary import IconState

# A browser that writes down what it was started with.
BROWSER = """#!/bin/sh
printf '%s\\n' "$*" >> "{opened}"
"""


@pytest.fixture
def source(home, sandbox):
    source = Local(home, environment=lambda: own_desktop.environment(sandbox.settings()))
    yield source
    source.close()


def test_a_link_signs_this_user_in_once_and_leads_to_the_page(source, engine):
    with pytest.raises(SourceError, match="No bot shows the web console now"):
        source.console_link("/")
    with served(engine) as web:
        assert source.health().console == web.url
        told = source.test("slack.send")
        assert [run.run for run in source.own_runs()] == [told.run]
        link = source.console_link(f"/runs/{told.run}")
        assert link.startswith(f"{web.url}/sign-in/")
        where = link.removeprefix(web.url)
        visitor = Visitor(web)
        assert f"Sign in as tray:{os_user()}?" in visitor.get(where).body.decode()
        assert visitor.post(where).headers["location"] == f"/runs/{told.run}"
        assert told.run in visitor.read(f"/runs/{told.run}")
        # Signed in, one goes straight on, and nobody else gets in by this link.
        assert visitor.get(where).headers["location"] == f"/runs/{told.run}"
        assert Visitor(web).post(where).status == 404


def opened(log: Path, number: int) -> str:
    """The address that the browser's file of that number led to."""
    lines = until(f"page {number} is opened", lambda: _lines(log, number))
    (file,) = re.findall(r"file://(\S+)", lines[number - 1])
    text = Path(file).read_text()
    (link,) = re.findall(r"url=([^']+)'", text)
    # Whoever lists this computer's programs learns no code.
    assert "sign-in" not in lines[number - 1]
    return link


def _lines(log: Path, number: int) -> list[str] | None:
    lines = log.read_text().splitlines() if log.exists() else []
    return lines if len(lines) >= number else None


@pytest.mark.xdist_group("desktop-2")
@pytest.mark.skipif(bool(missing()), reason=f"make system brings {', '.join(missing())}")
def test_a_person_opens_forms_runs_and_fixes_from_the_menu(tmp_path, home, sandbox, source):
    log, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(BROWSER.format(opened=log))
    browser.chmod(0o700)
    run = source.test("slack.send").run
    sandbox.notion.always(REVOKED)
    settings = {**sandbox.settings(), "LEVQOR_TELEGRAM": "off"}
    with desktop(tmp_path / "desk", "xfce4-panel", "appindicator") as desk:
        desk.env |= {**settings, "BROWSER": str(browser)}
        tray = Tray(desk, "--home", str(home))
        tray.open_menu(IconState.BROKEN)
        alone = desk.rows()
        # Its settings name no address: the links lead to where it listens.
        with Program(home, settings, "--http", "127.0.0.1:0") as bot:
            url = re.escape(f"http://{bot.address}/sign-in/")
            until("the open menu has the console", lambda: desk.row("Recent runs"))
            desk.close_menu()
            tray.open_menu(IconState.BROKEN)
            is_in_its_place(alone, desk.rows())
            desk.click("✓ Slack", "Send…")
            assert re.fullmatch(url + r"[\w-]+\?to=/send/slack\.send", opened(log, 1))
            tray.open_menu(IconState.BROKEN)
            desk.click("Recent runs", "✓ slack.send (test) — sent")
            assert re.fullmatch(url + rf"[\w-]+\?to=/runs/{run}", opened(log, 2))
            tray.open_menu(IconState.BROKEN)
            desk.click("✗ Notion", "How to fix")
            assert re.fullmatch(url + r"[\w-]+\?to=/services/notion", opened(log, 3))
        assert tray.stop() == 0
        assert "Traceback" not in tray.said()


def is_in_its_place(alone: list[str], rows: list[str]) -> None:
    """What came with the bot is above the rows that were there, and those in their order."""
    first = rows.index("Check now")
    assert rows[first - 3].startswith("✓ HTTP interface — listening on ")
    assert rows[first - 2 : first] == ["Recent runs", "Open the web console"]
    assert rows[first:] == alone[alone.index("Check now") :]
