import time

import pytest

from core.connectors import CONNECTORS
from core.ledger import Ledger, RunRequest
from tests.support.cli import levqor
from tests.support.sandbox import Answer


def findings(printed, group=None):
    return [one for one in printed.json["findings"] if group in (None, one["group"])]


def wrong(printed):
    return [one for one in printed.json["findings"] if one.get("good") is False]


def test_where_all_is_well_the_doctor_exits_0(cli, home):
    home.chmod(0o700)
    printed = cli("doctor", "--output", "json")
    assert printed.status == 0
    assert wrong(printed) == []
    assert printed.json["ok"] is True
    assert [one["good"] for one in findings(printed, "services")].count(True) >= 3


def test_a_fresh_home_is_told_what_to_set_where_and_where_to_get_it(home):
    ran = levqor("--home", home, "doctor", "--output", "json")
    assert ran.status == 1
    told = {one["setting"]: one for one in ran.json["findings"] if "setting" in one}
    required = [one for c in CONNECTORS for one in c.config.settings() if one.required]
    assert set(told) == {one.name for one in required}
    for one in required:
        assert one.title[1:] in told[one.name]["what"]
        assert one.where in told[one.name]["fix"]
        assert told[one.name]["line"].startswith(f"{one.name}=")
        assert told[one.name]["place"] == str(home / ".env")
    assert [one["what"] for one in wrong(ran)] == ["No service is set up."]


def test_one_broken_value_is_one_thing_to_mend(home):
    (home / ".env").write_text("TELEGRAM_BOT_TOKEN=AAbbcc\n")
    ran = levqor("--home", home, "doctor", "--output", "json")
    assert [one["setting"] for one in wrong(ran)] == ["TELEGRAM_BOT_TOKEN"]


def test_settings_that_cannot_be_read_are_one_thing_to_mend(home):
    (home / ".env").write_bytes(b"\xff\xfeR\0E\0")
    ran = levqor("--home", home, "doctor", "--output", "json")
    assert [one["fix"] for one in wrong(ran)] == ["Save it as UTF-8."]


def test_a_folder_where_a_file_belongs_is_told_as_one(home):
    (home / "levqor.key").mkdir()
    ran = levqor("--home", home, "doctor", "--output", "json")
    assert (f"{home / 'levqor.key'} is not a file.", "Move it away; Levqor makes a new one.") in [
        (one["what"], one.get("fix")) for one in wrong(ran)
    ]


def test_a_connector_nobody_began_to_set_up_is_told_and_not_wrong(cli, monkeypatch):
    monkeypatch.delenv("NOTION_API_KEY")
    printed = cli("doctor", "--output", "json")
    assert printed.status == 0
    (told,) = [one for one in findings(printed) if one.get("setting") == "NOTION_API_KEY"]
    assert "is missing" in told["what"]
    assert "good" not in told


def test_a_connector_set_up_by_half_is_wrong(cli, monkeypatch):
    monkeypatch.delenv("GOOGLE_SHEETS_SPREADSHEET_ID")
    printed = cli("doctor", "--output", "json")
    assert printed.status == 1
    assert [one["setting"] for one in wrong(printed)] == ["GOOGLE_SHEETS_SPREADSHEET_ID"]


def test_a_malformed_value_is_named_and_never_shown(cli, monkeypatch):
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_JSON", "secret-nonsense-4711")
    printed = cli("doctor", "--output", "json")
    assert printed.status == 1
    assert wrong(printed)[0]["setting"] == "GOOGLE_SERVICE_ACCOUNT_JSON"
    assert "4711" not in printed.out + printed.err


def test_a_broken_setting_of_levqor_itself_does_not_stop_the_doctor(cli, monkeypatch):
    monkeypatch.setenv("LEVQOR_KEEP_DAYS", "soon")
    assert cli("health").status == 3
    printed = cli("doctor", "--output", "json")
    assert printed.status == 1
    assert [one["setting"] for one in wrong(printed)] == ["LEVQOR_KEEP_DAYS"]


def test_what_a_service_says_of_a_credential_is_told_with_the_fix(cli, sandbox):
    sandbox.telegram.always(
        Answer(401, json={"ok": False, "error_code": 401, "description": "Unauthorized"})
    )
    printed = cli("doctor", "--output", "json")
    assert printed.status == 1
    (told,) = wrong(printed)
    assert told["group"] == "services"
    assert told["what"].startswith("Telegram does not accept ")
    assert told["fix"]


def test_a_clock_that_differs_from_the_services_is_told(cli, sandbox):
    ahead = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 1800))
    for service in sandbox.services:
        service.always(Answer(503, "later", headers={"Date": ahead}))
    printed = cli("doctor", "--output", "json")
    assert printed.status == 1
    (told,) = [one for one in wrong(printed) if one["group"] == "machine"]
    assert told["what"] == "The clock is 30 minutes behind the clocks of the services."


def test_a_clock_that_was_set_back_shows_in_the_ledger(cli, home):
    with Ledger.open(home) as ledger:
        ledger.accept(
            RunRequest(
                run="tomorrow01", at=time.time() + 86400, action="slack.send",
                connector="slack", caller="cli:ann", surface="cli", fingerprint=b"x",
            )
        )  # fmt: skip
        ledger.settle("tomorrow01", "sent")
    printed = cli("doctor", "--output", "json")
    assert [one["what"] for one in wrong(printed)] == [
        "The latest run in the database is later than this computer's clock."
    ]


def test_a_ledger_that_cannot_be_used_is_told_with_its_fix(cli, home):
    (home / "levqor.db").write_bytes(b"not a database at all" * 200)
    (home / "levqor.db").chmod(0o600)
    printed = cli("doctor", "--output", "json")
    assert printed.status == 1
    (told,) = wrong(printed)
    assert str(home / "levqor.db") in told["what"]
    assert "levqor restore" in told["fix"]


def test_files_that_others_may_read_are_told_with_the_command(cli, home):
    cli("smoke")
    (home / "levqor.db").chmod(0o644)
    (home / ".env").write_text("")
    (home / ".env").chmod(0o644)
    printed = cli("doctor", "--output", "json")
    fixes = [one.get("fix") for one in findings(printed)]
    assert f"Run: chmod 600 {home / 'levqor.db'}" in fixes
    assert f"Run: chmod 600 {home / '.env'}" in fixes
    assert printed.status == 1


def test_a_home_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    ran = levqor("--home", tmp_path / "file" / "home", "doctor", "--output", "json")
    assert ran.status == 1
    what = (
        f"The home folder {tmp_path}/file/home cannot be made: {tmp_path}/file cannot be written."
    )
    assert what in [one["what"] for one in wrong(ran)]


def test_in_text_the_line_to_write_and_its_file_are_shown(home):
    ran = levqor("--home", home, "doctor")
    assert ran.status == 1
    assert f"    Write it like this in {home / '.env'}:\n    NOTION_API_KEY=ntn_…\n" in ran.out
    assert ran.out.endswith("1 problem to fix.\n")


def test_the_first_line_says_how_the_services_are(cli, monkeypatch):
    monkeypatch.delenv("NOTION_API_KEY")
    for command in ("doctor", "health --live"):
        first = cli(*command.split()).out.splitlines()[0]
        works = f"{len(CONNECTORS) - 1} of {len(CONNECTORS)} services work"
        assert first.startswith(f"{works}; Notion is not set up."), command
    monkeypatch.setenv("RESEND_API_KEY", "nonsense")
    assert cli("doctor").out.splitlines()[0].endswith("1 problem to fix.")


@pytest.mark.parametrize("name", ["slack", "Slack", "SLACK.SEND"])
def test_the_doctor_looks_at_one_service_alone(cli, sandbox, monkeypatch, name):
    monkeypatch.delenv("NOTION_API_KEY")
    printed = cli("doctor", name, "--output", "json")
    assert printed.status == 0
    assert set(printed.json) == set(cli("doctor", "--output", "json").json)
    assert [one["what"].partition(":")[0] for one in findings(printed)] == ["Slack"]
    assert cli("doctor", name).out.startswith("Slack works. Nothing is wrong.\n")


def test_of_one_service_the_doctor_says_what_is_missing(cli, monkeypatch):
    monkeypatch.delenv("NOTION_API_KEY")
    monkeypatch.delenv("GOOGLE_SHEETS_SPREADSHEET_ID")
    printed = cli("doctor", "notion", "--output", "json")
    assert printed.status == 0
    assert [one["setting"] for one in findings(printed)] == ["NOTION_API_KEY"]
    assert cli("doctor", "sheets").status == 1


def test_what_is_wrong_with_the_computer_is_told_of_one_service_too(cli, home):
    (home / "levqor.db").write_bytes(b"not a database at all" * 200)
    printed = cli("doctor", "slack", "--output", "json")
    assert printed.status == 1
    assert str(home / "levqor.db") in wrong(printed)[0]["what"]


def test_health_of_one_service_has_the_same_shape(cli, home, sandbox):
    with Ledger.open(home) as ledger:
        ledger.inbound("telegram", ok=True, verdict="polling")
        ledger.inbound("slack", ok=True, verdict="listening")
        whole = cli("health", "--output", "json").json
        one = cli("health", "slack", "--live", "--output", "json").json
    assert set(whole["inbound"]) == {"slack", "telegram"}
    assert set(one) == set(whole)
    assert one["connectors"] == {"slack": True}
    assert (one["configured"], one["total"]) == (1, 1)
    assert set(one["detail"]) == set(one["inbound"]) == set(one["inbound_detail"]) == {"slack"}
    assert set(one["detail"]["slack"]) == set(whole["detail"]["slack"])
    assert [each for each in sandbox.services if each.received] == [sandbox.slack]


@pytest.mark.parametrize("command", ["doctor", "health"])
@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("notoin", "Did you mean notion?"),
        ("xyzzy", f"Choose from: {', '.join(one.name for one in CONNECTORS)}"),
    ],
)
def test_a_service_nobody_knows_is_answered_with_the_nearest(cli, command, name, fix):
    printed = cli(command, name, "--output", "json")
    assert printed.status == 2
    assert (printed.json["error"], printed.json["fix"]) == ("not_found", fix)


def test_an_alert_that_could_reach_nobody_is_told_with_its_fix(cli, home, monkeypatch):
    with Ledger.open(home) as ledger:
        for name, action, account, field in (
            ("ops", "slack.send", None, "channel"), ("mail", "email.send", None, "to"),
            ("acme", "slack.send", "acme", "channel"),
        ):  # fmt: skip
            ledger.target_add(name, action, account, {field: "x"}, by="cli:root")
    monkeypatch.setenv("LEVQOR_ALERTS", "ops, nobody, mail, acme")
    monkeypatch.delenv("RESEND_API_KEY")
    printed = cli("doctor", "--output", "json")
    told = [each for each in wrong(printed) if "LEVQOR_ALERTS" in each["what"]]
    assert printed.status == 1
    assert [each["what"].partition(",")[0] for each in told] == [
        f"LEVQOR_ALERTS names {name}" for name in ("nobody", "mail", "acme")
    ]
    assert told[0]["fix"].startswith("Add it: levqor target add nobody ")
    assert [each["fix"] for each in told[1:]] == [
        "Set it up: levqor init email", "Set it up: levqor init slack --account acme",
    ]  # fmt: skip
    alone = cli("doctor", "slack", "--output", "json")
    assert not [each for each in findings(alone) if "LEVQOR_ALERTS" in each["what"]]
