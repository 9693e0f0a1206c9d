"""What a source's answers mean: reports, receipts, what is strange in them."""

from __future__ import annotations

import pytest

from core.reports import Verdict
from core.wording import VERDICTS
from tests.support.tray_states import REPORT
from tray.source import reading


def test_a_report_is_read_in_the_lists_order():
    found = reading.health(REPORT, 5.0)

    assert [(c.name, c.title, c.verdict) for c in found.connectors] == [
        ("chalk", "Chalk", Verdict.OK),
        ("duck", "Duck post", Verdict.UNREACHABLE),
    ]
    assert [(i.surface, i.ok, i.words, i.fix) for i in found.inbound] == [
        ("pigeon", False, "token revoked", "Get another.")
    ]


def test_further_accounts_follow_their_service_and_others_are_left_out():
    accounts = {"duck/acme": {"verdict": "ok"}, "chalk/b": {}, "chalk/a": {}, "goose/acme": {}}
    found = reading.health({**REPORT, "detail": accounts | REPORT["detail"]}, 5.0)
    names = ["chalk", "chalk/b", "chalk/a", "duck", "duck/acme"]
    assert [c.name for c in found.connectors] == names
    assert [c.further for c in found.connectors] == [False, True, True, False, True]


@pytest.mark.parametrize("verdict", Verdict)
def test_what_came_without_words_gets_the_verdict_s(verdict):
    report = {"connectors": {"x": True}, "detail": {"x": {"verdict": verdict.value}}}
    (connector,) = reading.health(report, 5.0).connectors

    assert connector.words == VERDICTS[verdict].sentence


def test_a_remote_s_words_are_shown_plainly():
    odd = "x\x1b[2J\u202e\ny"
    body = {"connectors": {"fax": True}, "detail": {"fax": {"verdict": "ok", "title": odd}}}
    body["detail"]["fax"] |= {"words": odd, "fix": odd, "notes": [odd], "settings": [odd]}
    body["inbound_detail"] = {odd: {"verdict": odd, "fix": odd}}

    found = reading.health(body, 5.0)

    [fax], [way] = found.connectors, found.inbound
    shown = [fax.title, fax.words, fax.fix, *fax.notes, *fax.settings]
    shown += [way.surface, way.words, way.fix]
    assert shown == ["x [2J  y"] * 8


@pytest.mark.parametrize(
    ("link", "kept"),
    [("https://t.me/c/1/2", True), ("http://t.me/c/1/2", False), ("file:///etc/passwd", False)],
)
def test_only_an_https_link_can_be_opened(link, kept):
    told = reading.test_result({"run": "r", "status": "sent", "link": link}, 0.0, 0.0)

    assert told.link == (link if kept else None)


@pytest.mark.parametrize("body", [{}, {"status": "ok"}, {"connectors": [], "detail": {}}])
def test_what_is_no_report_is_refused(body):
    with pytest.raises(ValueError, match="no health report"):
        reading.health(body, 0.0)


@pytest.mark.parametrize(
    "strange", [None, 7, "x", [], {"last_success": 3, "since": [], "notes": "x", "actions": None}]
)
def test_a_strange_detail_is_left_out_and_not_guessed(strange):
    (one,) = reading.health({"connectors": {"x": 1}, "detail": {"x": strange}}, 0.0).connectors

    assert (one.title, one.verdict, one.since, one.notes) == ("X", Verdict.UNCHECKED, None, ())


@pytest.mark.parametrize("body", [{}, {"status": "ok"}, {"run": "r1"}, {"status": 7, "run": []}])
def test_what_is_no_receipt_never_counts_as_sent(body):
    with pytest.raises(ValueError, match="no receipt"):
        reading.test_result(body, 5.0, 60.0)


def test_strange_parts_of_an_answer_are_left_out():
    body = {"error": "busy", "message": 3, "retry_after": "soon", "fix": [], "run": {}}
    told = reading.test_result(body, 5.0, 60.0)

    assert (told.words, told.wait, told.fix, told.run) == ("It was not sent.", None, None, None)


@pytest.mark.parametrize(
    ("body", "outcome", "wait"),
    [
        ({"status": "sent", "run": "r1"}, "sent", 60.0),
        ({"error": "upstream_error", "outcome": "refused", "message": "No."}, "refused", 60.0),
        ({"error": "upstream_error", "outcome": "unknown", "message": "No word."}, "unknown", 60.0),
        ({"error": "busy", "message": "One a minute.", "retry_after": 41}, None, 41),
        ({"error": "not_configured", "message": "Not set up."}, None, None),
    ],
)
def test_what_came_of_a_test_is_read_from_its_body(body, outcome, wait):
    told = reading.test_result(body, 5.0, 60.0)

    assert (told.outcome, told.wait) == (outcome, wait)
    assert ("may or may not" in told.words) is (outcome == "unknown")
