"""What is notified: changes that stay, once each, together when they come together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.tray_states import AWAY, BAD, HINT, NOW, SENT, fault, muted, state
from tests.support.tray_states import CHALK as C
from tests.support.tray_states import DUCK as D
from tray.menu import menu
from tray.notifications import Notification, Notifier, for_test
from tray.state import Inbound, Notify, Preferences, Run
from tray.state import TestResult as Result

BAD_TOO = replace(BAD, name="chalk", title="Chalk")
BROKEN = Notification(
    "Duck post is failing",
    "not shared with the integration.\n→ Open the pond, and share it.",
    "duck",
)
RECOVERED = Notification("Duck post works again", "Nothing to do.")
EVERYTHING = Preferences(notify=Notify.EVERYTHING)


def notify(*states):
    """What a person is notified of by a row of checks, check by check."""
    notifier = Notifier()
    return [notifier.checked(one) for one in states]


WELL, ILL = state(C, D), state(C, BAD)


def test_the_first_check_is_quiet_however_bad_it_is():
    assert notify(ILL, ILL, ILL) == [[], [], []]


def test_a_change_is_notified_when_two_checks_saw_it():
    assert notify(WELL, ILL, ILL) == [[], [], [BROKEN]]


def test_a_flap_shorter_than_two_checks_is_not_notified():
    assert notify(WELL, ILL, WELL, ILL, WELL, WELL) == [[]] * 6


def test_the_same_trouble_is_notified_once():
    assert notify(WELL, ILL, ILL, ILL, ILL, ILL) == [[], [], [BROKEN], [], [], []]


def test_a_recovery_is_notified_once():
    assert notify(WELL, ILL, ILL, WELL, WELL, WELL) == [[], [], [BROKEN], [], [RECOVERED], []]


def test_another_trouble_of_the_same_connector_is_notified():
    other = state(C, replace(BAD, words="the token ended", fix=None))
    notified = notify(WELL, ILL, ILL, other, other)

    assert notified == [
        [],
        [],
        [BROKEN],
        [],
        [Notification("Duck post is failing", "the token ended")],
    ]


def test_what_changes_together_is_one_message():
    both = state(BAD_TOO, BAD)
    (message,) = notify(WELL, both, both)[2]

    assert message == Notification(
        "2 changes",
        "✗ Chalk — not shared with the integration\n✗ Duck post — not shared with the integration",
        "chalk",
    )


def test_what_recovers_beside_what_breaks_is_told_with_it():
    (message,) = notify(state(BAD_TOO, D), state(C, BAD), state(C, BAD))[2]

    assert message.body == "✓ Chalk — works again\n✗ Duck post — not shared with the integration"


def test_a_message_about_several_names_each_once():
    long = "Duck post has not verified the domain of the sender's address for this very key."
    both = state(BAD_TOO, replace(BAD, words=long))
    (message,) = notify(WELL, both, both)[2]

    assert message.body.splitlines()[1] == (
        "✗ Duck post — has not verified the domain of the sender's address for this very key"
    )


def test_attention_is_notified_as_such():
    notified = notify(WELL, state(C, HINT), state(C, HINT))[2]

    assert notified == [
        Notification("Duck post needs attention", "the token ends tomorrow\n→ Renew it.", "duck")
    ]


def test_a_muted_connector_is_not_notified_until_the_mute_ends():
    quiet = state(C, BAD, preferences=muted("duck", 3600))

    assert notify(WELL, quiet, quiet, quiet, ILL, ILL)[1:] == [[], [], [], [], [BROKEN]]


def test_no_network_is_one_message_and_coming_back_another():
    away = state(replace(AWAY, name="chalk"), AWAY)
    notified = notify(WELL, away, away, away, WELL, WELL)

    assert notified == [
        [],
        [],
        [
            Notification(
                "This computer is offline",
                "Check the network connection. Levqor tries again by itself.",
                "",
            )
        ],
        [],
        [],
        [Notification("Levqor answers again", "Checks continue.")],
    ]


def test_a_source_that_goes_away_is_notified_by_its_own_words():
    gone = state(C, D, fault=fault())

    assert notify(WELL, gone, gone)[2] == [
        Notification("desk cannot be reached", "See that it runs.", "")
    ]


def test_a_trouble_that_is_a_sentence_is_notified_without_its_full_stop():
    gone = state(C, D, fault=fault(words="The file is not text."))

    assert notify(WELL, gone, gone)[2][0].title == "The file is not text"
    assert menu(gone).rows[0].text == "The file is not text"


def test_an_interface_that_breaks_and_recovers_is_notified():
    def bot(*, ok):
        way = Inbound("pigeon", ok, "polling" if ok else "the token was revoked", "Get another.")
        return state(C, inbound=(way,))

    notified = notify(bot(ok=True), bot(ok=False), bot(ok=False), bot(ok=True), bot(ok=True))

    assert notified[2] == [
        Notification(
            "Pigeon interface is failing", "the token was revoked\n→ Get another.", "pigeon"
        )
    ]
    assert notified[4] == [Notification("Pigeon interface works again", "polling")]


def test_nothing_is_notified_to_who_wants_nothing():
    off = Preferences(notify=Notify.OFF)

    assert notify(WELL, *[replace(ILL, preferences=off)] * 3) == [[]] * 4


def test_everything_notifies_each_finished_run_but_the_trays_own_tests():
    mine = Run("r8", NOW, "sent", "duck.post", test=True, surface="tray")
    out = Run("r9", NOW, None, "duck.post")
    failed = Run("r7", NOW, "refused", "duck.post", words="The pond is shut.")
    first = state(C, D, preferences=EVERYTHING, runs=(SENT,))
    then = replace(first, runs=(failed, mine, out, SENT))

    assert notify(first, then, then) == [
        [],
        [Notification("duck.post: The pond is shut.", "Run r7")],
        [],
    ]


def test_a_few_runs_are_one_message_that_names_each():
    first = state(C, D, preferences=EVERYTHING)
    runs = (Run("r2", NOW, "sent", "duck.post"), Run("r3", NOW, "refused", "chalk.write"))
    (message,) = notify(first, replace(first, runs=runs))[1]

    assert message == Notification("2 runs", "duck.post: sent\nchalk.write: refused")


def test_many_runs_are_one_message():
    first = state(C, D, preferences=EVERYTHING)
    runs = tuple(Run(f"r{n}", NOW, "sent", "duck.post") for n in range(7))
    notified = notify(first, replace(first, runs=runs))[1]

    assert notified == [Notification("7 runs", "\n".join(["duck.post: sent"] * 5 + ["and 2 more"]))]


def test_a_change_asks_for_a_second_look_until_it_is_settled():
    notifier = Notifier()
    asked = []
    for one in (WELL, ILL, ILL, WELL, ILL):
        notifier.checked(one)
        asked.append(notifier.unsettled)

    assert asked == [False, True, False, True, False]


@pytest.mark.parametrize(
    ("result", "notification"),
    [
        (
            Result("sent", "sent", run="r7", link="https://duck.example/7"),
            Notification("Duck post: test sent", "https://duck.example/7\nRun r7"),
        ),
        (
            Result("refused", "The pond is shut.", fix="Open it.", run="r7"),
            Notification("Duck post: test not sent", "The pond is shut.\n→ Open it.\nRun r7"),
        ),
        (
            Result("unknown", "It may or may not have been sent.", run="r7"),
            Notification(
                "Duck post: test result unknown", "It may or may not have been sent.\nRun r7"
            ),
        ),
        (
            Result(None, "One test a minute.", wait=40),
            Notification("Duck post: test not sent", "One test a minute."),
        ),
    ],
)
def test_the_answer_to_a_test_says_what_came_of_it(result, notification):
    assert for_test(result, "Duck post") == notification
