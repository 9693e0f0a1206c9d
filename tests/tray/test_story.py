"""The real program under a real tray host, told by real clicks, from well to broken to well."""

from __future__ import annotations

import pytest

from tests.support.desktop import missing, until
from tests.support.tray_program import REVOKED, Tray, desktop
from tray.summary import IconState

pytestmark = [
    pytest.mark.xdist_group("desktop-1"),
    pytest.mark.skipif(bool(missing()), reason=f"make system brings {', '.join(missing())}"),
]

PAIRS = [
    ("appindicator", "trayer"),
    ("gtk", "trayer"),
    ("appindicator", "xfce4-panel"),
    ("gtk", "xfce4-panel"),
]


@pytest.mark.parametrize(("backend", "host"), PAIRS)
def test_a_person_sees_trouble_reads_why_and_proves_the_fix(backend, host, tmp_path, home, sandbox):
    with desktop(tmp_path / "desk", host, backend) as desk:
        desk.env |= {**sandbox.settings(), "BROWSER": "true"}
        tray = Tray(desk, "--home", str(home))
        tray.shows(IconState.OK)

        tray.open_menu(IconState.OK)
        desk.click("✓ Slack — working", "Send test…")
        until("Slack got the test", lambda: sandbox.slack.writes)
        told = until("the answer is told", desk.messages)
        assert [(one["summary"], one["appname"]) for one in told] == [
            ("Slack: test sent", "Levqor")
        ]
        assert told[0]["body"].startswith("Run ")
        assert len(sandbox.slack.writes) == 1

        tray.open_menu(IconState.OK)
        until("the row tells of it", lambda: desk.row("✓ Slack — sent just now"))
        sandbox.notion.always(REVOKED)
        # In place: the menu that was open all the while tells it.
        until("the open menu tells it", lambda: desk.row("✗ Notion"))
        assert desk.row("Quit") is not None
        desk.hover("✗ Notion")
        assert until("the way out is offered", lambda: desk.row("How to fix"))["enabled"]
        desk.close_menu()
        tray.shows(IconState.BROKEN)
        if (backend, host) == PAIRS[0]:
            _is_notified_of_trouble_and_recovery(desk, tray, sandbox)

        tray.open_menu(IconState.OK if (backend, host) == PAIRS[0] else IconState.BROKEN)
        desk.click("Quit")
        assert tray.child.wait(5) == 0
        until(
            "the icon is gone",
            lambda: not tray.sees(IconState.OK) and not tray.sees(IconState.BROKEN),
        )
        assert "Traceback" not in tray.said()


def _is_notified_of_trouble_and_recovery(desk, tray, sandbox):
    until("it is told", desk.shown)
    # The button on the message, as the daemon presses it.
    desk.out("dunstctl", "action", "0")
    pages = desk.folder / "user" / ".local" / "state" / "levqor"
    page = until("the page is opened", lambda: next(pages.glob("*.html"), None))
    assert "<h2><span class=mark>✗</span> Notion</h2>" in page.read_text()
    until("it is told once", lambda: len(desk.messages()) == 2)
    news = desk.messages()[0]
    assert news["summary"] == "Notion is failing"
    assert "→ " in news["body"]

    sandbox.notion.clear()
    tray.shows(IconState.OK)
    until("the recovery is shown", lambda: len(desk.messages()) == 3)
    assert desk.messages()[0]["summary"] == "Notion works again"
