"""The same plain words on every surface."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import get_args

import pytest

from core.cli.output import Output
from core.cli.reports import draw
from core.connectors import CONNECTORS
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
from core.ledger import RunRecord
from core.reports import (
    ConnectorHealth,
    Health,
    LastFailure,
    LastRun,
    Quota,
    State,
    Usage,
    UsageDay,
    Verdict,
    moment,
)
from core.wording import (
    STATES,
    VERDICTS,
    ago,
    health_lines,
    refusal,
    settled,
    summary,
    titled,
    usage_lines,
    wait,
    why,
)

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


def service(title, verdict, **more):
    unknown = dict.fromkeys(
        ("latency_ms", "since", "checked_at", "last_success", "last_failure", "fix")
    )
    return ConnectorHealth(
        title=title,
        verdict=verdict,
        **{**unknown, "words": "working", "actions": (), "notes": (), **more},
    )


def report(**parts):
    empty = {"detail": {}, "inbound": {}, "inbound_detail": {}, "problems": ()}
    return Health(status="ok", connectors={}, **{**empty, "configured": 1, "total": 2, **parts})


def test_health_is_told_in_lines_with_what_to_do():
    last = {"run": "r1", "action": "slack.send", "ms": 1.0, "test": False}
    slack = service(
        "Slack",
        Verdict.FAILING,
        words="The webhook is gone.",
        latency_ms=81.6,
        since=moment(NOW - 3600),
        last_success=LastRun(at=moment(NOW - 7200), outcome="sent", **last),
        last_failure=LastFailure(
            at=moment(NOW - 1800),
            outcome="refused",
            reason="webhook_gone",
            message="The webhook is gone.",
            fix="Make a new one.",
            **last,
        ),
        fix="Make a new one.",
        notes=("No bot token.",),
    )
    email = service("email", Verdict.NOT_CONFIGURED, words="not set up")
    health = report(
        detail={"slack": slack, "email": email}, inbound={"telegram": "polling", "http": "x"}
    )
    assert health_lines(health, now=NOW) == [
        "0 of 2 services work; Slack does not work; email is not set up.",
        "Slack: The webhook is gone. (82 ms, for 1 hour)",
        "  What to do: Make a new one.",
        "  Note: No bot token.",
        "  Last success: 2 hours ago",
        "  Last failure: 30 minutes ago: The webhook is gone.",
        "email: not set up",
        "Interface Telegram: polling",
        "Interface HTTP: x",
    ]


def test_where_all_is_well_a_terminal_has_nothing_under_its_table(capsys):
    draw(Output(), report(detail={"slack": service("Slack", Verdict.OK)}))
    *_, head, last = capsys.readouterr().out.splitlines()
    assert (head.split()[0], last.split()[0]) == ("SERVICE", "Slack")


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        ("ok ok ok", "All 3 services work."),
        ("ok attention ok", "All 3 services work; B needs attention."),
        ("ok not_configured ok", "2 of 3 services work; B is not set up."),
        ("ok not_configured not_configured", "1 of 3 services works; B and C are not set up."),
        ("failing unreachable ok", "1 of 3 services works; A does not work; B cannot be reached."),
        ("failing failing failing", "0 of 3 services work; A, B and C do not work."),
        ("unchecked ok ok", "2 of 3 services work; A is not checked yet."),
        ("unchecked unchecked unchecked", "3 of 3 services are set up; none is checked yet."),
        (
            "unchecked not_configured not_configured",
            "1 of 3 services is set up; none is checked yet; B and C are not set up.",
        ),
        ("not_configured not_configured not_configured", "None of the 3 services is set up."),
        ("ok", "A works."),
        ("attention", "A needs attention."),
        ("failing", "A does not work."),
        ("not_configured", "A is not set up."),
        ("unchecked", "A is not checked yet."),
    ],
)
def test_a_summary_says_which_services_work_and_which_do_not(verdicts, told):
    detail = {t: service(t, Verdict(v)) for t, v in zip("ABC", verdicts.split(), strict=False)}
    some = sum(each.verdict != Verdict.NOT_CONFIGURED for each in detail.values())
    assert summary(report(detail=detail, configured=some, total=len(detail))) == told


def test_a_summary_counts_services_and_then_says_how_further_accounts_are():
    verdicts = {"A": "ok", "A/x": "ok", "A/y": "failing", "B": "not_configured"}
    detail = {name: service(name, Verdict(verdict)) for name, verdict in verdicts.items()}
    told = "1 of 2 services works; B is not set up. A/x works; A/y does not work."
    assert summary(report(detail=detail, configured=1, total=2)) == told
    only = {name: each for name, each in detail.items() if name in ("A/x", "B")}
    told = "None of the 2 services is set up. A/x works."
    assert summary(report(detail=only, configured=0, total=2)) == told


def test_a_log_that_cannot_be_written_is_said_under_health():
    assert health_lines(report(problems=("The log is full.",)), now=NOW)[1:] == [
        "The log is full. Runs go on without it.",
        "  What to do: ask whoever runs Levqor to look with levqor doctor.",
    ]


def test_a_title_is_not_said_twice():
    assert titled("Slack", "Slack is not set up.") == "Slack is not set up."
    assert titled("Slack", "The webhook is gone.") == "Slack: The webhook is gone."


def test_every_verdict_has_its_words():
    assert set(VERDICTS) == set(Verdict)
    assert set(STATES) == set(get_args(State))


def test_usage_is_told_in_lines_with_what_is_left():
    resets_at = moment(NOW + 9 * 3600)
    usage = Usage(
        days=7,
        caller="telegram:42",
        plan="free",
        quota=(
            Quota(action="slack.send", used=1, limit=1, resets_at=resets_at),
            Quota(action="email.send", used=0, limit=1, resets_at=resets_at),
            Quota(action="notion.create", used=3, resets_at=resets_at),
        ),
        usage=(UsageDay("slack", "2026-11-22", 3, 0, 2, 0),),
    )
    assert usage_lines(usage, now=NOW) == [
        "You are telegram:42, on the free plan. Today:",
        "slack.send: 1 of 1 used, free again in 9 hours",
        "email.send: 0 of 1 used",
        "notion.create: 3 used, no limit",
        "Everybody, last 7 days:",
        "2026-11-22 slack: 3 sent, 2 not sent",
    ]
    assert usage_lines(replace(usage, usage=()), now=NOW)[-1] == "No runs in 7 days."
