"""How each account of a service is doing: in reports, in words, in the doctor, in the database."""

from __future__ import annotations

import pytest

from core.connectors import CONNECTORS
from core.engine import Engine
from core.health import HealthChecker
from core.settings import Settings
from core.wording import health_lines
from tests.support.accounts import SLACK, of_acme
from tests.support.engines import both
from tests.support.sandbox import Answer

NAMES = [connector.name for connector in CONNECTORS]


@pytest.fixture
def health(two):
    return HealthChecker(two)


@both
def test_an_account_has_an_entry_of_its_own_and_the_five_services_stay_five(health, acme):
    acme.slack.always(Answer(404, body="no_service"))
    report = health.report(live=True)
    body = report.body()
    assert body["connectors"] == dict.fromkeys(NAMES, True)
    assert (body["configured"], body["total"]) == (5, 5)
    assert list(body["detail"]) == [
        "slack", "slack/acme", "notion", "notion/acme", "sheets", "telegram", "email",
    ]  # fmt: skip
    assert set(body["detail"]["slack/acme"]) == set(body["detail"]["slack"])
    assert body["detail"]["slack/acme"]["title"] == "Slack (acme)"
    assert body["detail"]["slack/acme"]["actions"] == []
    verdicts = {name: each.verdict for name, each in report.detail.items()}
    assert verdicts["slack/acme"] == "failing"
    assert {verdicts[name] for name in verdicts if name != "slack/acme"} <= {"ok", "attention"}
    # What was found is kept of each by itself.
    later = health.report()
    assert {name: each.verdict for name, each in later.detail.items()} == verdicts
    assert later.detail["slack/acme"].since == report.detail["slack/acme"].since
    acme.slack.clear()
    well = health.report(live=True).detail
    assert well["slack/acme"].verdict in ("ok", "attention")
    assert well["slack/acme"].since > report.detail["slack/acme"].since
    assert well["slack"].since == report.detail["slack"].since


def test_a_broken_first_account_leaves_the_further_one_as_it_is(health, sandbox, acme):
    sandbox.slack.always(Answer(404, body="no_service"))
    report = health.report(live=True)
    assert report.detail["slack"].verdict == "failing"
    assert report.detail["slack/acme"].verdict in ("ok", "attention")
    assert [acme.slack.writes, acme.notion.writes] == [[], []]


@both
def test_what_an_account_needs_is_said_with_the_names_of_its_own_settings(health, acme):
    acme.slack.always(Answer(404, body="no_service"))
    acme.notion.always(Answer(401))
    for report in (health.report(live=True), health.report()):
        hook, key = report.detail["slack/acme"], report.detail["notion/acme"]
        assert "SLACK_WEBHOOK_URL__ACME" in hook.fix
        assert "NOTION_API_KEY__ACME" in key.fix
        lines = "\n".join(health_lines(report))
        assert f"  What to do: {hook.fix}" in lines
        assert "Slack (acme) and Notion (acme) do not work." in lines.splitlines()[0]


def test_an_account_set_up_by_half_is_told_with_what_is_missing(home, environ):
    values = {**environ, "SLACK_BOT_TOKEN__ACME": "xoxb-acme-0123456789"}
    with Engine.open(Settings(home, environ=values)) as engine:
        report = HealthChecker(engine).report(live=True)
    detail = report.detail["slack/acme"]
    assert detail.verdict == "not_configured"
    assert detail.settings == ("SLACK_WEBHOOK_URL__ACME",)
    assert detail.words.startswith("Slack (acme) is not set up. SLACK_WEBHOOK_URL__ACME is missing")
    assert report.detail["slack"].verdict in ("ok", "attention")


def test_notes_of_an_account_name_its_own_settings(home, environ, acme):
    values = {**environ, **of_acme(acme, "SLACK_WEBHOOK_URL", "SLACK_API_URL")}
    with Engine.open(Settings(home, environ=values)) as engine:
        report = HealthChecker(engine).report(live=True)
    (note,) = report.detail["slack/acme"].notes
    assert note.startswith("SLACK_BOT_TOKEN__ACME is not set")


def test_levqor_health_lists_accounts_and_fails_for_one_that_is_broken(cli, monkeypatch, acme):
    for name, value in of_acme(acme, *SLACK).items():
        monkeypatch.setenv(name, value)
    assert cli("health", "--live").status == 0
    acme.slack.always(Answer(404, body="no_service"))
    ran = cli("health", "slack", "--live")
    assert ran.status == 1
    assert "Slack (acme) does not work." in ran.out
    assert "SLACK_WEBHOOK_URL__ACME" in ran.out
    assert cli("health", "notion", "--live").status == 0


@pytest.mark.parametrize("service", [(), ("slack",)])
def test_the_doctor_says_of_an_account_which_line_is_missing_and_where(
    cli, monkeypatch, home, service
):
    home.chmod(0o700)
    monkeypatch.setenv("SLACK_BOT_TOKEN__ACME", "xoxb-acme-0123456789")
    monkeypatch.setenv("SLACK_WEBHOOK_URL_NORTH", "https://hooks.slack.com/services/T1/B1/hush")
    ran = cli("doctor", *service, "--output", "json")
    assert ran.status == 1
    (wrong,) = [each for each in ran.json["findings"] if each.get("good") is False]
    assert wrong["setting"] == "SLACK_WEBHOOK_URL__ACME"
    assert wrong["line"].startswith("SLACK_WEBHOOK_URL__ACME=")
    assert wrong["place"] == str(home / ".env")
    told = [each for each in ran.json["findings"] if each.get("fix", "").startswith("Did you")]
    assert [each["fix"] for each in told] == ["Did you mean SLACK_WEBHOOK_URL__NORTH?"]
    assert "line" not in told[0]
    assert "hush" not in ran.out


def test_the_doctor_checks_each_account(cli, monkeypatch, home, acme):
    home.chmod(0o700)
    for name, value in of_acme(acme, *SLACK).items():
        monkeypatch.setenv(name, value)
    for name in NAMES:
        for each in next(c for c in CONNECTORS if c.name == name).config.settings():
            monkeypatch.delenv(each.name, raising=False)
    ran = cli("doctor")
    assert ran.status == 0
    assert "None of the 5 services is set up. Slack (acme) works. Nothing is wrong." in ran.out
    assert "Slack (acme): working" in ran.out
    acme.slack.always(Answer(404, body="no_service"))
    ran = cli("doctor")
    assert ran.status == 1
    assert "SLACK_WEBHOOK_URL__ACME" in ran.out
