"""The menu as a value: states here, the rows they give in menu_rows.txt, written out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.tray_states import (
    AWAY,
    BAD,
    HINT,
    HOUR,
    MINUTE,
    NOW,
    OFF,
    REMOTE,
    SENT,
    UNSEEN,
    fault,
    muted,
    part,
    results,
    state,
)
from tests.support.tray_states import CHALK as C
from tests.support.tray_states import DUCK as D
from tray.menu import TOOLTIP, menu
from tray.rows import Command
from tray.state import Inbound, Notify, Preferences, Run

if TYPE_CHECKING:
    from tray.rows import Row

SLACKY = Inbound("slacky", ok=True, words="connected, last word 3 s ago")
POLL = Inbound(
    "pigeon",
    ok=False,
    words="another program polls with this token.",
    fix="Stop the other one.",
    since=NOW - 20 * MINUTE,
)
REFUSED = Run(
    "r0", NOW - HOUR, "refused", "chalk.write", words="the board is full.", fix="Wipe it."
)
DOUBT = Run("r5", NOW - HOUR, "unknown", "chalk.write", test=True)
MAYBE = "It may or may not have been sent."
AWAY_TOO = replace(AWAY, name="chalk", title="Chalk")
HINT_TOO = replace(HINT, name="chalk", title="Chalk")
HERE = "http://127.0.0.1:8787"
OWN = (
    Run("r9", NOW - 2, None, "chalk.write"),
    replace(SENT, run="r8"),
    replace(SENT, run="r7", at=NOW - 40 * MINUTE, test=True),
    replace(DOUBT, run="r6", test=False),
    Run("r4", NOW - 26 * HOUR, "refused", "chalk.wipe_the_whole_board_and_all_that_is_on_it"),
    Run("r3", NOW - 50 * HOUR, "not_sent", "chalk.write"),
)
ACME = replace(C, name="chalk/acme", title="Chalk (acme)", actions=())
BAD_TOO = replace(BAD, name="chalk", title="Chalk")
LONG_FIX = (
    "Open the pond in a browser, choose Share, then People, then add the integration by its "
    "name, and press Save; come back when the ripples are gone."
)
LONG_WORDS = (
    "the pond is shared with seven other integrations and none of them is this one, which is a pity"
)

STATES = {
    "nothing is known before the first check": state(),
    "the first check is out": state(checking=True),
    "one connector works": state(C),
    "the newest run stands in the row": state(replace(C, last_success=SENT)),
    "a run of this minute": state(replace(C, last_success=replace(SENT, at=NOW - 5, ms=None))),
    "a run of yesterday": state(replace(C, last_success=replace(SENT, at=NOW - 30 * HOUR))),
    "a run of last week": state(replace(C, last_success=replace(SENT, at=NOW - 170 * HOUR))),
    "a slow run is said in seconds": state(replace(C, last_success=replace(SENT, ms=12_345.0))),
    "two connectors work": state(C, D),
    "a further account works": state(C, ACME, OFF),
    "a further account alone is set up": state(replace(OFF, name="chalk", title="Chalk"), ACME),
    "a further account is broken": state(C, replace(BAD, name="chalk/acme", title="Chalk (acme)")),
    "no account of one service can be reached": state(
        AWAY_TOO, replace(AWAY, name="chalk/acme", title="Chalk (acme)"), OFF
    ),
    "below a further account": state(C, ACME),
    "one is not set up": state(C, OFF),
    "nothing is set up": state(OFF),
    "one is broken": state(C, BAD),
    "two are broken": state(BAD_TOO, BAD),
    "broken wins over attention": state(HINT_TOO, BAD),
    "one needs attention": state(C, HINT),
    "two need attention": state(HINT_TOO, HINT),
    "broken without a fix": state(C, replace(BAD, words="not working", fix=None, since=None)),
    "attention without a fix": state(
        C, replace(HINT, words="working, but look at this", fix=None, since=None)
    ),
    "broken for a day": state(C, replace(BAD, since=NOW - 26 * HOUR)),
    "one is set up and not checked yet": state(C, UNSEEN),
    "a broken one that is muted does not count": state(C, BAD, preferences=muted("duck", 3 * HOUR)),
    "a mute that has ended counts for nothing": state(C, BAD, preferences=muted("duck", -1)),
    "a well one that is muted": state(C, D, preferences=muted("duck", 45 * MINUTE)),
    "one of two reached: that one is broken": state(C, AWAY),
    "none reached: this computer is offline": state(AWAY_TOO, AWAY),
    "offline says nothing of what is not set up": state(
        AWAY_TOO, AWAY, replace(OFF, name="x", title="X")
    ),
    "a single connector out of reach may be its own fault": state(AWAY),
    "the remote is gone and nothing was known": state(source=REMOTE, fault=fault()),
    "the remote is gone: what was known stays": state(C, D, source=REMOTE, fault=fault()),
    "the remote is gone while something is broken": state(C, BAD, source=REMOTE, fault=fault()),
    "the certificate is bad": state(
        source=REMOTE, fault=fault("The certificate of desk is not valid")
    ),
    "the token is refused": state(source=REMOTE, fault=fault("desk refuses the token")),
    "the home is gone": state(C, fault=fault("The home folder is gone")),
    "the home is read-only": state(C, fault=fault("The database's folder is read-only")),
    "the disk is full": state(C, fault=fault("The disk with the database is full")),
    "a scheduled check does not touch the headline": state(C, BAD, checking=True),
    "a check somebody asked for does": state(C, BAD, checking=True, check_requested=True),
    "a check somebody asked for while the source is silent": state(
        fault=fault(), checking=True, check_requested=True
    ),
    "paused for an hour": state(C, BAD, preferences=Preferences(paused_until=NOW + HOUR)),
    "paused until tomorrow": state(C, preferences=Preferences(paused_until=NOW + 15 * HOUR)),
    "a pause that has ended": state(C, preferences=Preferences(paused_until=NOW - 1)),
    "the last answer is too old": replace(state(C), now=NOW + 40 * MINUTE),
    "old because of a pause is not stale": replace(
        state(C, preferences=Preferences(paused_until=NOW + HOUR)), now=NOW + 40 * MINUTE
    ),
    "a long fix is broken into rows": state(replace(BAD, fix=LONG_FIX)),
    "words that are too long are cut in the row": state(C, replace(BAD, words=LONG_WORDS)),
    "words on several lines stand in one row": state(C, replace(BAD, words="not\nshared")),
    "below a connector that works": state(C),
    "below one that sent": state(replace(C, last_success=SENT)),
    "below one that sent and failed": state(replace(C, last_success=SENT, last_failure=REFUSED)),
    "below one that failed without words": state(
        replace(C, last_failure=Run("r0", NOW - HOUR, "not_sent", "chalk.write"))
    ),
    "below one with notes": state(replace(C, notes=("Reaches only its owner.",))),
    "below one that is broken": state(C, BAD),
    "below one that is not set up": state(C, OFF),
    "below one that is muted": state(C, BAD, preferences=muted("duck", HOUR)),
    "below one with two actions": state(replace(C, actions=("chalk.write", "chalk.wipe"))),
    "a test is out": state(C, sending=frozenset({"chalk.write"})),
    "a test was sent and rests a minute": state(
        C, test_results=results("sent", "sent", run="r7", wait=60.0)
    ),
    "a test was sent against the sandbox": state(C, test_results=results("sent", "sent", run="r7")),
    "a test was refused": state(
        C, test_results=results("refused", "The board is full.", fix="Wipe it.", run="r7")
    ),
    "a test may have arrived": state(C, test_results=results("unknown", MAYBE, run="r7")),
    "a test may have arrived, and somebody looked": state(
        C,
        test_results=results("unknown", MAYBE, run="r7"),
        preferences=Preferences(acknowledged_runs=("r7",)),
    ),
    "a test whose answer never came": state(C, test_results=results("unknown", MAYBE)),
    "a test of an earlier start may have arrived": state(replace(C, last_failure=DOUBT)),
    "a later success clears the doubt": state(replace(C, last_failure=DOUBT, last_success=SENT)),
    "a doubt about somebody's own run holds back no test": state(
        replace(C, last_failure=Run("r5", NOW - HOUR, "unknown", "chalk.write"))
    ),
    "no test while the source is silent": state(C, fault=fault()),
    "below a connector of a remote": state(C, source=REMOTE),
    "a bot serves one interface": state(C, inbound=(SLACKY,)),
    "an interface is broken": state(C, inbound=(SLACKY, POLL)),
    "an interface is broken without a fix": state(
        C, inbound=(replace(POLL, fix=None, since=None),)
    ),
    "a broken interface is the headline": state(C, inbound=(POLL,)),
    "no bot runs here": state(C),
    "no bot shows the console": state(C, inbound=(SLACKY,), own_runs=OWN),
    "a bot shows the console": state(C, inbound=(SLACKY,), console=HERE, own_runs=OWN),
    "a bot shows the console and nothing was sent yet": state(C, console=HERE),
    "the console stays in the menu while the source is silent": state(
        C, console=HERE, own_runs=OWN[:1], fault=fault()
    ),
    "below a connector where a bot shows the console": state(C, console=HERE),
    "below one with two actions where a bot shows the console": state(
        replace(C, actions=("chalk.write", "chalk.wipe")), console=HERE
    ),
    "below one that is not set up where a bot shows the console": state(OFF, console=HERE),
    "the lower rows of this home": state(C, autostart=True),
    "the lower rows of a remote": state(C, source=REMOTE),
    "the lower rows while paused": state(C, preferences=Preferences(paused_until=NOW + HOUR)),
    "the lower rows while checking, messages off and lost": state(
        C,
        checking=True,
        preferences=Preferences(notify=Notify.OFF),
        notification_error="this desktop has no notification service",
    ),
}


def table() -> dict[str, tuple[str, str, str]]:
    """The written table: a state's name, then its icon, part and rows."""
    text = Path(__file__).with_name("menu_rows.txt").read_text("utf-8")
    found = {}
    for entry in text.split("\n## ")[1:]:
        head, rows = entry.split("\n", 1)
        name, icon, which = head.split(" | ")
        found[name] = (icon, which, rows.strip("\n"))
    return found


@pytest.mark.parametrize("name", STATES)
def test_a_state_gives_these_rows(name):
    icon, which, rows = table()[name]
    shown = menu(STATES[name])

    assert part(shown.rows, which) == rows
    assert shown.icon == icon


def test_the_table_has_at_least_sixty_states_and_every_face():
    assert set(table()) == set(STATES)
    assert len({repr(one) for one in STATES.values()}) >= 60
    assert {icon for icon, _, _ in table().values()} == {
        "ok",
        "attention",
        "broken",
        "empty",
        "checking",
        "paused",
        "offline",
    }


@pytest.mark.parametrize("name", STATES)
def test_every_tooltip_fits_every_platform(name):
    shown = menu(STATES[name])

    assert shown.tooltip.startswith("Levqor: ")
    assert len(shown.tooltip) <= TOOLTIP == 127
    assert "\n" not in shown.tooltip


@pytest.mark.parametrize("name", STATES)
def test_keys_are_unique_among_siblings(name):
    def check(rows: tuple[Row, ...]) -> None:
        keys = [row.key for row in rows if not row.separator]
        assert len(keys) == len(set(keys))
        for row in rows:
            check(row.rows)

    check(menu(STATES[name]).rows)


def test_a_row_keeps_its_key_while_its_words_change():
    """What an open menu needs, to be edited in place."""
    well, broken = menu(state(C, D)), menu(state(C, BAD))

    assert [row.key for row in well.rows] == [row.key for row in broken.rows]


def test_rows_follow_the_order_of_the_list():
    names = ["zebra", "apple", "mango"]
    rows = menu(state(*[replace(C, name=n, title=n) for n in names])).rows

    assert [row.key for row in rows if row.key in names] == names


def test_what_a_bot_shows_is_opened_by_its_address():
    rows = {row.key: row for row in menu(state(C, console=HERE, own_runs=OWN)).rows}

    assert rows["console"].command == Command("open_page", "/")
    assert [row.command.arg for row in rows["runs"].rows] == [f"/runs/{run.run}" for run in OWN]
    sends = {row.key: row.command for row in rows["chalk"].rows}
    assert sends["send:chalk.write"] == Command("open_page", "/send/chalk.write")


def test_a_click_asks_for_what_its_row_says():
    below = next(row for row in menu(state(C)).rows if row.key == "chalk").rows
    chalk = {row.key: row.command for row in below}
    mutes = next(row for row in below if row.key == "mute").rows

    assert chalk["test:chalk.write"] == Command("test", "chalk.write")
    assert chalk["fix"] == Command("how_to_fix", "chalk")
    assert [row.command for row in mutes] == [
        Command("mute", "chalk", 3600),
        Command("mute", "chalk", 4 * 3600),
        Command("mute", "chalk", 8 * 3600),
        Command("unmute", "chalk"),
    ]
