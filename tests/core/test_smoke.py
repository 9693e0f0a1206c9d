import json
import re
import signal
import subprocess
import time
import urllib.request

import pytest

from core.connectors import CONNECTORS
from tests.support.cli import ROOT, command, environment, levqor
from tests.support.sandbox import Answer, Delay, DropAfter

ACTIONS = [connector.action_id(action) for connector in CONNECTORS for action in connector.actions]


def test_every_sample_is_fired_at_the_stand_ins_and_shown():
    ran = levqor("--sandbox", "smoke")
    assert ran.status == 0
    for action in ACTIONS:
        assert re.search(rf"^✓ {re.escape(action)} .* run \w{{10}}$", ran.out, re.MULTILINE)
    assert "Hello from Levqor → delivered@resend.dev" in ran.out
    assert f"{len(ACTIONS)} sent, 0 failed, 0 skipped." in ran.out


def test_the_sandbox_ignores_real_credentials(home):
    (home / ".env").write_text("SLACK_WEBHOOK_URL=https://hooks.slack.com/services/T1/B1/real\n")
    (home / ".env").chmod(0o600)
    ran = levqor("--sandbox", "--home", home, "smoke", env={"RESEND_API_KEY": "re_real_and_mine"})
    assert ran.status == 0


def test_the_runs_are_test_sends_that_use_no_quota(cli):
    cli("smoke")
    usage = cli("usage", "--output", "json").json
    assert [quota["used"] for quota in usage["quota"]] == [0] * len(ACTIONS)
    assert all(run["test"] for run in cli("runs", "--output", "json").json["runs"])


def test_one_failure_fails_the_run_and_shows_the_fix(cli, sandbox):
    sandbox.slack.next(Answer(404, "no_service"))
    printed = cli("smoke")
    assert printed.status == 1
    assert "✗ slack.send" in printed.out
    assert "What to do: " in printed.out
    assert f"{len(ACTIONS) - 1} sent, 1 failed, 0 skipped." in printed.out


def test_a_connector_that_is_not_set_up_is_skipped_and_says_why(cli, monkeypatch):
    monkeypatch.delenv("NOTION_API_KEY")
    printed = cli("smoke", "--output", "json")
    assert printed.status == 0
    skipped = [one for one in printed.json["results"] if one["outcome"] == "skipped"]
    assert [one["action"] for one in skipped] == ["notion.create"]
    assert "NOTION_API_KEY is missing" in skipped[0]["message"]
    counts = (printed.json["sent"], printed.json["failed"], printed.json["skipped"])
    assert counts == (len(ACTIONS) - 1, 0, 1)


def test_with_nothing_set_up_nothing_is_claimed(home):
    ran = levqor("--home", home, "smoke", "--output", "json")
    assert ran.status == 3
    assert ran.json["skipped"] == len(ACTIONS)


def test_with_nothing_set_up_each_absent_setting_is_told_once_and_what_comes_next(home):
    ran = levqor("--home", home, "smoke")
    assert ran.out.count("SLACK_WEBHOOK_URL is missing") == 1
    assert "· slack.send      Skipped. Not set up.\n" in ran.out
    assert ran.out.endswith(
        "Next: see how to set one up: levqor doctor. Try all: levqor --sandbox smoke\n"
    )


def test_a_second_smoke_within_a_minute_is_skipped(cli):
    assert cli("smoke").status == 0
    printed = cli("smoke", "--output", "json")
    assert printed.status == 6
    assert {one["error"] for one in printed.json["results"]} == {"busy"}


def test_samples_are_fired_side_by_side(cli, sandbox):
    for service in (sandbox.slack, sandbox.telegram, sandbox.resend):
        service.next(Delay(4.0))
    began = time.monotonic()
    assert cli("smoke").status == 0
    # One after another would be twelve.
    assert time.monotonic() - began < 10


def test_evidence_holds_run_ids_and_outcomes_and_neither_secret_nor_payload(cli, sandbox, tmp_path):
    sandbox.telegram.next(DropAfter())
    printed = cli("smoke", "--evidence", tmp_path / "proof", "--output", "json")
    assert printed.status == 1
    (file,) = (tmp_path / "proof").iterdir()
    assert file.name == time.strftime("connectors_smoke_%Y%m%d.json", time.gmtime())
    text = file.read_text()
    kept = {one["action"]: one for one in json.loads(text)["results"]}
    assert set(kept) == set(ACTIONS)
    assert kept["slack.send"]["outcome"] == "sent"
    assert len(kept["slack.send"]["run"]) == 10
    assert re.fullmatch(r".{4}\*{4}.{2}", kept["notion.create"]["id"])
    assert kept["telegram.send"]["outcome"] == "unknown"
    assert f"evidence: {file}\n" in printed.err
    for secret in [*sandbox.settings().values(), "Hello from Levqor", "delivered@resend.dev"]:
        assert secret not in text


def test_evidence_of_the_same_day_is_written_anew(cli, tmp_path):
    cli("smoke", "--evidence", tmp_path)
    cli("smoke", "--evidence", tmp_path)
    (file,) = tmp_path.glob("*.json*")
    assert {one["outcome"] for one in json.loads(file.read_text())["results"]} == {"skipped"}


@pytest.mark.parametrize("place", ["/proc/levqor", "/dev/null/levqor"])
def test_evidence_that_cannot_be_written_is_said(cli, place):
    printed = cli("smoke", "--evidence", place)
    assert printed.status == 2
    assert "cannot be written" in printed.err


def test_health_after_a_smoke_run_shows_the_last_success(cli):
    cli("smoke")
    told = cli("health", "--output", "json").json
    assert {detail["verdict"] for detail in told["detail"].values()} <= {"ok", "attention"}
    assert all(detail["last_success"]["test"] for detail in told["detail"].values())


def test_health_live_exits_1_when_a_configured_connector_fails(cli, sandbox):
    sandbox.telegram.always(Answer(401, json={"ok": False, "error_code": 401, "description": "x"}))
    assert cli("plan", "set", "cli:ann", "pro").status == 0  # makes the database
    assert cli("health").status == 0
    printed = cli("health", "--live", "--output", "json")
    assert printed.status == 1
    assert printed.json["detail"]["telegram"]["verdict"] == "failing"
    assert printed.json["detail"]["telegram"]["fix"]
    assert printed.json["configured"] == len(CONNECTORS)
    assert "What to do: " in cli("health").out


def test_the_sandbox_command_serves_until_it_is_stopped(home):
    child = subprocess.Popen(
        command("sandbox", "--output", "json"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), cwd=ROOT,
    )  # fmt: skip
    said = json.loads(child.stdout.readline())
    with urllib.request.urlopen(said["url"], timeout=5) as page:
        assert "<title>" in page.read().decode()
    assert levqor("--home", home, "smoke", env=said["settings"]).status == 0
    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=10) == ("", "")
    assert child.returncode == 0
