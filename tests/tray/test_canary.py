"""Nothing private is shown: not in tooltips, rows, messages, the page or on the clipboard."""

from __future__ import annotations

import pytest

from tests.support.canary import CANARIES, assert_clean, secrets
from tests.support.desktop import missing, until
from tests.support.sandbox import Answer
from tests.support.tray_program import Tray, desktop
from tray.summary import IconState

pytestmark = [
    pytest.mark.xdist_group("desktop-1"),
    pytest.mark.skipif(bool(missing()), reason=f"make system brings {', '.join(missing())}"),
]


def test_no_secret_and_no_payload_is_shown_or_kept(tmp_path, home, sandbox):
    settings = sandbox.settings()
    canaries = [*CANARIES.values(), *secrets(settings)]
    # Upstreams that repeat everything they were sent, and more.
    echo = Answer(400, body=" ".join(canaries))
    with desktop(tmp_path / "desk", "xfce4-panel", "appindicator") as desk:
        desk.env |= settings
        desk.env["BROWSER"] = "true"
        tray = Tray(desk, "--home", str(home))
        tray.shows(IconState.OK)
        for service in (sandbox.slack, sandbox.notion, sandbox.telegram, sandbox.resend):
            service.always(echo)
        tray.shows(IconState.BROKEN)
        tray.open_menu(IconState.BROKEN)
        desk.click("✗ Slack", "Send test…")
        until("the answer is told", lambda: any("test" in m["summary"] for m in desk.messages()))
        tray.open_menu(IconState.BROKEN)
        desk.click("✗ Notion", "How to fix")
        pages = tmp_path / "desk" / "user" / ".local" / "state" / "levqor"
        page = until("the page is written", lambda: next(pages.glob("*.html"), None))
        tray.open_menu(IconState.BROKEN)
        desk.click("Pair a phone")
        copied = until("the code is on the clipboard", lambda: desk.eyes("clipboard"))
        told = desk.eyes("told")
        messages = desk.messages()
        assert tray.stop() == 0

    assert "Levqor: " in told[1]
    # A panel shows it below the title, where it would tell of the state before.
    assert told[3] == ""
    assert any("Last test, " in words for words in told)
    assert any("/start " in m["body"] or "t.me" in m["body"] for m in messages)
    assert "Duck" not in copied
    assert page.stat().st_size > 500
    private = [tmp_path / "desk" / "user", home, tmp_path / "desk" / "tray.log"]
    assert_clean(copied, repr(told), repr(messages), *private, canaries=canaries)
