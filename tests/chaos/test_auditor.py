"""The auditor of the chaos program, on histories made up for it."""

from collections import Counter

import pytest

from tests.chaos.askers import of_json, understood
from tests.chaos.auditor import Arrival, Asked, History, Row, TestSend, Told, audit
from tests.chaos.midnight import day_used_up


def asked(*told, mark="m", surface="slack", person="ann", at=100.0, day=None, **more):
    said = [Told(at + 1 + n, what, "some words", day) for n, what in enumerate(told)]
    return Asked(mark, surface, person, "slack.send", at, told=said, **more)


def row(state, *, mark="m", charged=None, free=False, day="2026-11-27", owed=False):
    counts = state not in ("refused", "not_sent") if charged is None else charged
    return Row(f"run-{mark}", mark, state, counts, free, "ann", "slack.send", day, owed)


def history(who, rows, arrivals):
    came = [Arrival(mark, 101.0, "webhook") for mark in arrivals]
    return History({each.mark: each for each in who}, rows, came)


TWO_FREE = [row("sent", mark="m", free=True), row("sent", mark="n", free=True)]
TWO_TOLD = [asked("sent"), asked("sent", mark="n")]
QUOTA = asked("quota", mark="n", at=200.0)
TODAY = asked("quota", mark="n", at=200.0, day="2026-11-27")
TOMORROW = asked("quota", mark="n", at=200.0, day="2026-11-28")

# What happened: who was told what, the runs in the database, what arrived; what is found.
TABLE = {
    "sent once": ([asked("pending", "sent")], [row("sent")], ["m"], []),
    "sent twice": ([asked("sent")], [row("sent")], ["m", "m"], ["double"]),
    "sent by two runs": ([asked("sent")], [row("sent"), row("sent")], ["m"], ["loss"]),
    "refused, and it arrived": ([asked("refused")], [row("refused")], ["m"], ["wrong", "wrong"]),
    "not sent, and it arrived": ([asked("not_sent")], [row("not_sent")], ["m"], ["wrong", "wrong"]),
    "refused without a run, and it arrived": ([asked("not_sent")], [], ["m"], ["loss", "wrong"]),
    "told sent, and it never arrived": ([asked("sent")], [row("sent")], [], ["loss", "loss"]),
    "told sent, unknown in the database": ([asked("sent")], [row("unknown")], ["m"], ["wrong"]),
    "told sent, and no run": ([asked("sent")], [], ["m"], ["loss", "loss"]),
    "unknown, and it arrived": ([asked("unknown")], [row("unknown")], ["m"], []),
    "unknown, and it did not": ([asked("unknown")], [row("unknown")], [], []),
    "told unknown, known better since": ([asked("unknown")], [row("sent")], ["m"], []),
    "unknown, and nobody was told": ([asked("pending")], [row("unknown")], [], ["untold"]),
    "unknown, and still owed": ([asked("pending")], [row("unknown", owed=True)], [], []),
    "sent, and nobody was told": ([asked()], [row("sent")], ["m"], ["untold"]),
    "taken, and never answered": ([asked()], [], [], ["untold"]),
    "never taken by the bot": ([asked(heard=False)], [], [], []),
    "a line that broke": ([asked(surface="http", cut=True)], [row("sent")], ["m"], []),
    "a line that did not": ([asked(surface="http")], [row("sent")], ["m"], ["untold"]),
    "not sent, then sent": ([asked("not_sent", "sent")], [row("sent")], ["m"], []),
    "not sent, then again": (
        [asked("not_sent", "sent")], [row("not_sent"), row("sent")], ["m"], [],
    ),
    "never ended": ([asked("unknown")], [row("sending")], [], ["unsettled"]),
    "waits for ever": ([asked("unknown")], [row("accepted")], [], ["unsettled"]),
    "the database was away": ([asked("trouble")], [], [], []),
    "away, and yet taken": ([asked("trouble")], [row("sent")], ["m"], ["wrong"]),
    "away, and ended as not sent": ([asked("trouble")], [row("not_sent")], [], []),
    "away for a redelivery alone": ([asked("sent", "trouble")], [row("sent")], ["m"], []),
    "words that say nothing": ([asked("hm")], [], [], ["untold"]),
    "asked by nobody": ([], [row("sent")], ["m"], ["count"]),
    "sent, and not counted": ([asked("sent")], [row("sent", charged=False)], ["m"], ["count"]),
    "unknown, and given back": (
        [asked("unknown")], [row("unknown", charged=False)], [], ["count"],
    ),
    "refused, and not given back": (
        [asked("refused")], [row("refused", charged=True)], [], ["count"],
    ),
    "two free ones in a day": (TWO_TOLD, TWO_FREE, ["m", "n"], ["count"]),
    "two free ones on two days": (
        TWO_TOLD, [TWO_FREE[0], row("sent", mark="n", free=True, day="2026-11-28")], ["m", "n"], [],
    ),
    "one free one, after one that was given back": (
        [asked("not_sent", "sent")],
        [row("not_sent", free=True), row("sent", free=True)],
        ["m"],
        [],
    ),
    "used up by another": ([asked("sent"), QUOTA], [row("sent", free=True)], ["m"], []),
    "used up on its day": ([asked("sent"), TODAY], [row("sent", free=True)], ["m"], []),
    "used up on another day": (
        [asked("sent"), TOMORROW], [row("sent", free=True)], ["m"], ["count"],
    ),
    "used up by nobody": ([QUOTA], [], [], ["count"]),
    "used up by one that was given back before": (
        [asked("refused"), QUOTA], [row("refused", free=True)], [], ["count"],
    ),
    "used up by one that was given back meanwhile": (
        [asked("refused", at=199.5), QUOTA], [row("refused", free=True)], [], [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_the_auditor_finds_what_is_wrong_and_nothing_else(case):
    who, rows, arrivals, found = TABLE[case]
    assert [each.kind for each in audit(history(who, rows, arrivals))] == found


@pytest.mark.parametrize(("sent", "found"), [(1, []), (0, ["count"]), (2, ["count"])])
def test_what_usage_counts_is_what_the_runs_are(sent, found):
    done = History(states=Counter(sent=1), usage=Counter(sent=sent))
    assert [each.kind for each in audit(done)] == found


@pytest.mark.parametrize(
    ("state", "told", "arrivals", "found"),
    [
        ("sent", "sent", 1, []),
        ("sent", "sent", 0, ["loss"]),
        ("sent", None, 2, ["double"]),
        ("unknown", "unknown", 1, []),
        ("unknown", "unknown", 0, []),
        ("unknown", "sent", 1, ["wrong"]),
        ("sent", "not_sent", 1, ["wrong"]),
        ("not_sent", "not_sent", 1, ["double"]),
        ("sending", None, 0, ["unsettled"]),
    ],
)
def test_test_sends_are_counted(state, told, arrivals, found):
    tests = [TestSend("k3v", "slack", state, told)]
    done = History(tests=tests, test_arrivals=Counter(slack=arrivals))
    assert [each.kind for each in audit(done)] == found


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("Slack: sending, run k3v", "pending"),
        ("Slack: sent · run k3v", "sent"),
        ("Google Sheets: appended 1 row · run k3v", "sent"),
        ("Unknown: it may or may not have been sent. Look.\nRun k3v", "unknown"),
        ("Not sent. Slack is busy.\nRun k3v", "not_sent"),
        ("Refused. Slack said no.\nRun k3v", "refused"),
        ("Free plan: 1 slack call/day. Upgrade for unlimited.", "quota"),
        ("The database /x is held by another program.", "trouble"),
        ("Good morning.", "Good morning."),
    ],
)
def test_words_are_understood_and_what_is_none_of_them_is_kept(words, what):
    assert understood(words) == what


def test_the_day_whose_quota_is_used_up_is_read_where_a_program_is_told():
    words = '{"error": "rate_limited", "resets_at": "2026-11-28T00:00:00Z"}'
    assert day_used_up(words) == "2026-11-27"
    assert day_used_up("Free plan: 1 slack call/day.") is None


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"status": "appended", "updated": 1}, "sent"),
        ({"error": "upstream_error", "outcome": "unknown"}, "unknown"),
        ({"error": "busy", "outcome": "not_sent"}, "not_sent"),
        ({"error": "in_progress", "run": "k3v"}, "pending"),
        ({"error": "rate_limited"}, "quota"),
        ({"error": "ledger_error"}, "trouble"),
        ({"error": "ledger_error", "outcome": "not_sent"}, "not_sent"),
        ({"error": "internal_error"}, "internal_error"),
    ],
)
def test_an_answer_of_json_is_understood(body, what):
    assert of_json(body) == what
