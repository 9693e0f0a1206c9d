"""What `why` says of a run, the same on every surface."""

from __future__ import annotations

import datetime as dt

import pytest

from core.connectors import CONNECTORS
from core.ledger import RunRecord
from core.wording import why

NOW = dt.datetime(2026, 11, 22, 15, 0, tzinfo=dt.UTC).timestamp()


def entry(**changed) -> RunRecord:
    known = {
        "run": "7f3ac2kq9x",
        "at": NOW - 180,
        "action": "slack.send",
        "connector": "slack",
        "caller": "slack:T1:U1",
        "surface": "slack",
        "test": False,
        "state": "sent",
        "attempts": 1,
        "ms": 234.4,
        "code": None,
        "reason": None,
        "receipt": {"status": "sent"},
        "settled_at": NOW - 179,
    }
    return RunRecord(**{**known, **changed})


def test_why_tells_a_sent_run():
    assert why(entry(receipt={"status": "created", "id": "a1b2****p6"}), CONNECTORS, now=NOW) == (
        "Run 7f3ac2kq9x: Send a Slack message (slack.send)\n"
        "Asked by slack:T1:U1 at 2026-11-22 14:57:00 UTC, 3 minutes ago\n"
        "1 attempt, 234 ms\n"
        "Created.\n"
        "Its id there: a1b2****p6"
    )


def test_why_finds_a_connectors_words_again_by_the_reason():
    connector = next(c for c in CONNECTORS if c.name == "slack")
    row = next(r for r in connector.answers.rows if r.outcome == "refused")
    told = why(
        entry(state="refused", reason=row.reason, code="upstream_error", attempts=2, ms=None),
        CONNECTORS,
        now=NOW,
    ).split("\n")
    assert told[2:] == [
        "2 attempts",
        f"Refused. {row.message}",
        f"What to do: {row.fix}",
        f"Reason kept: {row.reason}",
    ]


@pytest.mark.parametrize(
    ("changed", "last"),
    [
        ({"state": "accepted"}, "Waiting to be sent."),
        ({"state": "sending"}, "Being sent now."),
        (
            {"state": "not_sent", "reason": "interrupted_before"},
            "Reason kept: interrupted_before",
        ),
        ({"state": "not_sent", "code": "busy"}, "Reason kept: busy"),
        ({"state": "unknown", "reason": "timed_out"}, "Reason kept: timed_out"),
        ({"state": "refused", "reason": "of_an_older_version"}, "Reason kept: of_an_older_version"),
    ],
)
def test_why_has_words_for_every_state(changed, last):
    assert why(entry(**changed), CONNECTORS, now=NOW).split("\n")[-1] == last


def test_why_says_of_an_interrupted_run_that_it_may_have_arrived():
    told = why(entry(state="unknown", reason="interrupted"), CONNECTORS, now=NOW)
    assert "Levqor stopped while it was being sent; it may or may not have been sent." in told
    assert "What to do: Look before you send it again." in told
