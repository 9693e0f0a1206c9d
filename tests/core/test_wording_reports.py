"""Health and usage in plain words, the same on every surface."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from core.cli.output import Output
from core.cli.reports import draw
from core.reports import (
    ConnectorHealth,
    Health,
    LastFailure,
    LastRun,
    Quota,
    Usage,
    UsageDay,
    Verdict,
    moment,
)
from core.wording import health_lines, summary, usage_lines

NOW = dt.datetime(2026, 11, 22, 15, 0, tzinfo=dt.UTC).timestamp()


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
