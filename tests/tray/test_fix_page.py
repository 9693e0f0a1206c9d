"""The page behind How to fix: what it says, who may read it, where it leads."""

import stat
from dataclasses import replace

import pytest

from core.home import write_private
from core.reports import Verdict
from tests.support.tray_states import BAD, CHALK, HINT, NOW, OFF, REMOTE, fault, state
from tray import fix_page
from tray.state import Inbound, Run


def test_the_page_says_what_is_wrong_what_to_do_and_where():
    way = Inbound("pigeon", ok=False, words="token revoked", fix="Get <another>.")
    text = fix_page.html(state(CHALK, BAD, OFF, inbound=(way,)), "duck")

    assert text.index("Duck post") < text.index("Works: Chalk.")
    for said in (
        "Not shared with the integration. <span class=small>For&nbsp;5&nbsp;minutes.</span>",
        "Open the pond, and share it.",
        "<code>DUCK_KEY</code>",
        "Pigeon interface",
        "Get &lt;another&gt;.",
        "<code>/srv/levqor/.env</code>",
    ):
        assert said in text


def test_the_page_has_the_worst_first_interfaces_included():
    way = Inbound("pigeon", ok=False, words="token revoked")
    text = fix_page.html(state(CHALK, OFF, BAD, inbound=(way,)))
    marks = [line.split("</span> ")[1] for line in text.splitlines() if "<h2>" in line]

    assert marks == ["Duck post</h2>", "Pigeon interface</h2>", "Duck post</h2>"]
    assert "<p>Token revoked.</p>" in text
    asked = fix_page.html(state(CHALK, BAD, inbound=(way,)), "pigeon")
    assert asked.index("Pigeon interface</h2>") < asked.index("Duck post</h2>")


@pytest.mark.parametrize(
    ("run", "line"),
    [
        (
            Run("r4", NOW - 120, "refused", words="it is full.", fix="Wipe it."),
            "It is full. Wipe it.",
        ),
        (Run("r4", NOW - 120, "refused", words="it is full.", fix=BAD.fix), "It is full."),
        (Run("r4", NOW - 120, "not_sent"), "Not sent."),
    ],
)
def test_the_page_tells_of_the_last_failed_run_and_repeats_no_fix(run, line):
    text = fix_page.html(state(CHALK, replace(BAD, last_failure=run)), "duck")

    assert f"<p class=small>Last failed run, 2 minutes ago: {line} Run r4.</p>" in text


def test_the_page_of_a_silent_source_says_why():
    text = fix_page.html(state(fault=fault()))

    assert "desk cannot be reached" in text
    assert "See that it runs." in text


def test_the_page_of_another_computer_says_where_its_settings_are():
    text = fix_page.html(state(BAD, source=REMOTE))

    assert "The settings are on the other computer: Levqor at levqor.example.com." in text
    assert "Works:" not in text


def test_the_page_is_for_its_owners_eyes_only(tmp_path):
    write_private(tmp_path / "page.html", fix_page.html(state(CHALK)).encode())

    assert stat.S_IMODE((tmp_path / "page.html").stat().st_mode) == 0o600


GONE = Inbound("http", ok=False, words="the port is taken")


@pytest.mark.parametrize(("seen", "name", "page"), [
    (state(CHALK, BAD), "", "/services/duck"),  # one alone is broken
    (state(CHALK, HINT), "", "/services/duck"),
    (state(replace(CHALK, verdict=Verdict.FAILING), BAD), "", "/"),
    (state(CHALK, BAD, inbound=(GONE,)), "", "/"),
    (state(CHALK, inbound=(GONE,)), "", "/"),
    (state(CHALK, inbound=(GONE,)), "http", "/"),
    (state(CHALK, OFF), "duck", "/services/duck"),  # one was asked for
    (state(replace(BAD, name="duck/acme")), "duck/acme", "/services/duck/acme"),
    (state(CHALK, BAD, source=REMOTE), "duck", "/"),
    (state(), "", "/"),
])  # fmt: skip
def test_how_to_fix_leads_to_the_page_of_the_one_service_that_is_broken(seen, name, page):
    assert fix_page.console_page(seen, name) == page
