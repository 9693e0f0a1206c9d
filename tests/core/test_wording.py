"""The same plain words on every surface."""

from __future__ import annotations

import datetime as dt
from typing import get_args

import pytest

from core.contract import Receipt
from core.engine import Settled
from core.errors import (
    Busy,
    Fault,
    InvalidInput,
    NotConfigured,
    NotSent,
    QuotaSpent,
    Refused,
    Unknown,
)
from core.reports import State, Verdict
from core.wording import STATES, VERDICTS, ago, refusal, settled, titled, wait


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-86400, "in the future"),
        (-3, "just now"),
        (4.9, "just now"),
        (5, "5 seconds ago"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (7200, "2 hours ago"),
        (86400 * 3 + 5, "3 days ago"),
    ],
)
def test_ago_speaks_in_the_largest_whole_unit(seconds, words):
    assert ago(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 second"),
        (11.2, "12 seconds"),
        (100, "100 seconds"),
        (121, "3 minutes"),
        (7201, "3 hours"),
    ],
)
def test_whoever_waits_as_long_as_told_is_not_early(seconds, words):
    assert wait(seconds) == words


def test_a_receipt_names_the_service_the_run_the_link_and_the_note():
    page = Receipt("created", id="a1b2c3", link="https://notion.test/p", note="In the Log tab.")
    assert settled(Settled("r1", "notion.create", "sent", page)) == (
        "Notion: created · run r1\nhttps://notion.test/p\nIn the Log tab."
    )
    two = Settled("r2", "sheets.append", "sent", Receipt("appended", updated=2), test=True)
    assert settled(two) == "Google Sheets: appended 2 rows (test send) · run r2"
    one = Settled("r3", "sheets.append", "sent", Receipt("appended", updated=1))
    assert settled(one) == "Google Sheets: appended 1 row · run r3"


def test_a_receipt_of_a_connector_nobody_lists_still_names_its_action():
    assert settled(Settled("r1", "fax.send", "sent", Receipt("sent"))) == "fax.send: sent · run r1"


def test_a_refusal_says_what_to_do():
    error = Refused("channel_not_found", "There is no such channel.", fix="Check its name.")
    ending = Settled("r1", "slack.send", "refused", error=error)
    assert settled(ending) == (
        "Refused. There is no such channel.\nWhat to do: Check its name.\nRun r1"
    )


def test_a_question_stands_for_itself():
    error = InvalidInput(message="There is no such word.", fix="Did you mean this one?")
    assert refusal(error) == "There is no such word.\nDid you mean this one?"


def test_what_may_have_arrived_is_said_and_not_offered_again():
    error = Unknown("timed_out", "The service did not answer in time.", retry_after=5, run="r1")
    assert refusal(error) == (
        "Unknown: it may or may not have been sent. The service did not answer in time.\nRun r1"
    )
    assert refusal(Unknown("x")) == "It may or may not have been sent; look before you send again."


def test_what_was_not_sent_says_when_to_try_again():
    error = NotSent("rate_limited", "The service is busy.", retry_after=11.2)
    assert refusal(error) == "Not sent. The service is busy.\nTry again in 12 seconds."
    assert refusal(Busy(retry_after=2)) == (
        "Too much is waiting for this service; it was not sent.\nTry again in 2 seconds."
    )
    # Once, and not with a second number beside it.
    assert refusal(Busy("Wait.", fix="Try again in 3 seconds.", retry_after=2.6)) == (
        "Not sent. Wait.\nTry again in 3 seconds."
    )


def test_every_fault_of_an_input_has_its_line():
    error = InvalidInput([Fault("to", "is required"), Fault("subject", "must be on one line")])
    assert refusal(error) == (
        "Something in the input is not right; nothing was sent.\n"
        "to: is required\nsubject: must be on one line"
    )


def test_a_used_up_plan_says_when_and_how_it_goes_on():
    error = QuotaSpent(
        upgrade="/pricing", resets_at=dt.datetime(2026, 11, 23, tzinfo=dt.UTC), fix="Ask Ann."
    )
    assert refusal(error) == (
        "Free plan: today's call is used. Upgrade for unlimited.\nWhat to do: Ask Ann.\n"
        "Free again at 2026-11-23 00:00 UTC."
    )
    assert refusal(QuotaSpent(upgrade="https://levqor.test/plans")).endswith(
        "\nPlans: https://levqor.test/plans"
    )


def test_what_is_not_set_up_says_where_to_get_it():
    error = NotConfigured("Slack is not set up.", fix="Set X: from there.")
    assert refusal(error) == "Slack is not set up.\nWhat to do: Set X: from there."


def test_a_title_is_not_said_twice():
    assert titled("Slack", "Slack is not set up.") == "Slack is not set up."
    assert titled("Slack", "The webhook is gone.") == "Slack: The webhook is gone."


def test_every_verdict_has_its_words():
    assert set(VERDICTS) == set(Verdict)
    assert set(STATES) == set(get_args(State))
