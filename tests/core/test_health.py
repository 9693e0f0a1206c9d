import time

import pytest

from core.callers import Caller
from core.connectors import CONNECTORS
from core.engine import Engine
from core.health import HealthChecker
from core.settings import Settings
from tests.support.sandbox import Answer, Hang

ADA = Caller("cli", "ada")
NAMES = [connector.name for connector in CONNECTORS]


@pytest.fixture
def health(engine):
    return HealthChecker(engine)


def test_the_summary_has_the_old_services_shape(health):
    assert health.summary().body() == {
        "status": "ok",
        "connectors": dict.fromkeys(NAMES, True),
        "configured": len(NAMES),
        "total": len(NAMES),
    }


def test_an_empty_home_reports_nothing_configured_and_where_to_begin(home):
    with Engine.open(Settings(home, environ={})) as engine:
        report = HealthChecker(engine).report(live=True)
    assert report.configured == 0
    for name in NAMES:
        detail = report.detail[name]
        assert detail.verdict == "not_configured"
        assert detail.settings
        assert detail.fix


def test_before_the_first_probe_a_connector_is_unchecked(health):
    detail = health.report().detail
    assert {one.verdict for one in detail.values()} == {"unchecked"}
    assert list(detail) == NAMES
    assert detail["slack"].actions == ("slack.send",)


def test_live_probes_find_all_well_and_write_nothing(health, sandbox):
    detail = health.report(live=True).detail
    assert {one.verdict for one in detail.values()} <= {"ok", "attention"}
    assert all(one.latency_ms > 0 and one.since for one in detail.values())
    for service in sandbox.services:
        assert service.writes == []


def test_a_probe_tells_what_is_wrong_and_the_ledger_remembers(health, sandbox):
    sandbox.slack.always(Answer(404, body="no_service"))
    live = health.report(live=True).detail["slack"]
    assert live.verdict == "failing"
    assert "webhook" in live.fix.lower()
    later = health.report().detail["slack"]
    assert (later.verdict, later.fix) == ("failing", live.fix)
    assert later.since == live.since


def test_since_stays_while_the_trouble_is_the_same_and_moves_when_it_ends(health, sandbox):
    sandbox.slack.always(Answer(404, body="no_service"))
    first = health.report(live=True).detail["slack"]
    again = health.report(live=True).detail["slack"]
    assert again.since == first.since
    assert again.checked_at > first.checked_at
    sandbox.slack.clear()
    well = health.report(live=True).detail["slack"]
    assert well.verdict in ("ok", "attention")
    assert well.since > first.since


def test_probes_run_side_by_side_and_a_hanging_one_ends_in_ten_seconds(health, sandbox):
    for service in (sandbox.notion, sandbox.telegram, sandbox.resend):
        service.always(Hang())
    began = time.monotonic()
    detail = health.report(live=True).detail
    # One after another would be thirty.
    assert time.monotonic() - began < 20
    assert {detail[n].verdict for n in ("notion", "telegram", "email")} == {"unreachable"}
    assert detail["slack"].verdict in ("ok", "attention")


def test_an_upstream_that_cannot_be_reached_is_not_called_broken(home, sandbox):
    values = {**sandbox.settings(), "RESEND_API_URL": "http://127.0.0.1:9"}
    with Engine.open(Settings(home, sandbox_urls=values)) as engine:
        detail = HealthChecker(engine).report(live=True).detail
    assert detail["email"].verdict == "unreachable"


def test_the_last_success_and_the_last_failure_are_kept_apart(engine, sandbox):
    engine.ledger.set_plan(str(ADA), "pro")
    good = engine.run("slack.send", {"text": "a"}, ADA)
    sandbox.slack.next(Answer(404, body="no_service"))
    bad = engine.run("slack.send", {"text": "b"}, ADA)
    detail = HealthChecker(engine).report().detail["slack"]
    assert detail.last_success.run == good.run
    assert detail.last_failure.run == bad.run
    assert detail.last_failure.outcome == "refused"
    assert detail.last_failure.fix


def test_a_persons_own_wrong_column_is_not_the_services_last_failure(engine, sandbox):
    engine.ledger.set_plan(str(ADA), "pro")
    wrong = engine.run("notion.create", {"props": {"Name": "x", "No such column": "y"}}, ADA)
    assert (wrong.outcome, wrong.error.code) == ("refused", "validation_error")
    assert HealthChecker(engine).report().detail["notion"].last_failure is None
    sandbox.notion.next(Answer(401))
    bad = engine.run("notion.create", {"props": {"Name": "x"}}, ADA)
    assert HealthChecker(engine).report().detail["notion"].last_failure.run == bad.run


def test_the_ways_in_are_told_in_words(engine):
    engine.ledger.inbound("telegram", ok=False, verdict="another poller", fix="Stop the other.")
    report = HealthChecker(engine).report()
    assert report.inbound == {"telegram": "another poller. Stop the other."}
    assert report.inbound_detail["telegram"].ok is False


def test_a_shape_that_is_none_is_looked_for_nowhere():
    with pytest.raises(ImportError):
        from core.reports import ConnectorWealth  # noqa: F401
