import stat
import time

from core.cli.output import aligned, wrapped
from core.ledger import Ledger, RunRequest
from tests.support.sandbox import Answer


def test_runs_are_listed_latest_first_with_what_became_of_them(cli, sandbox):
    sandbox.slack.next(Answer(404, "no_service"))
    cli("run", "slack.send", "one")
    cli("run", "telegram.send", "--test")
    listed = cli("runs", "--output", "json").json["runs"]
    assert [(r["action"], r["state"], r["test"]) for r in listed] == [
        ("telegram.send", "sent", True),
        ("slack.send", "refused", False),
    ]
    assert listed[1]["error"] == "upstream_error"
    assert listed[1]["reason"]


def test_as_many_runs_are_listed_as_were_asked_for(cli):
    cli("smoke")
    assert len(cli("runs", "--last", "4", "--output", "json").json["runs"]) == 4


def test_without_runs_the_list_says_what_to_try(cli):
    assert cli("runs").out == "No runs yet. Try: levqor run slack.send --test\n"
    watched = cli("runs", "--watch")
    assert watched.err.endswith("or try: levqor run slack.send --test\n")


def test_without_runs_the_list_suggests_a_service_that_is_set_up(cli, monkeypatch):
    monkeypatch.delenv("SLACK_WEBHOOK_URL")
    assert cli("runs").out == "No runs yet. Try: levqor run notion.create --test\n"


def test_health_that_nobody_has_checked_says_how_to(cli):
    how = "\nTo check now: levqor health --live\n"
    assert cli("health").out.endswith(how)
    assert how not in cli("health", "--live").out


def test_why_tells_a_run_s_story_with_the_fix_by_the_beginning_of_its_id(cli, sandbox):
    sandbox.slack.next(Answer(404, "no_service"))
    run = cli("run", "slack.send", "one", "--output", "json").json["run"]
    told = cli("why", run[:6])
    assert told.status == 0
    assert f"Run {run}: " in told.out
    assert "(slack.send)" in told.out
    assert "What to do: " in told.out
    assert cli("why", run, "--output", "json").json["state"] == "refused"


def test_a_run_that_is_not_there_exits_2(cli):
    printed = cli("why", "zzzz", "--output", "json")
    assert printed.status == 2
    assert printed.json["error"] == "not_found"


def test_usage_counts_outcomes_by_day_and_says_what_is_left(cli, sandbox):
    sandbox.slack.next(Answer(404, "no_service"))
    cli("run", "slack.send", "one")
    cli("run", "slack.send", "two")
    cli("run", "slack.send", "three")
    told = cli("usage", "--output", "json").json
    today = time.strftime("%Y-%m-%d", time.gmtime())
    row = told["usage"][0]
    assert (row["day"], row["connector"], row["sent"], row["refused"]) == (today, "slack", 1, 1)
    assert told["days"] == 7
    assert told["plan"] == "free"
    assert told["quota"][0]["action"] == "slack.send"
    assert (told["quota"][0]["used"], told["quota"][0]["limit"]) == (1, 1)
    assert told["quota"][1]["used"] == 0


def test_usage_in_text_is_a_table_and_today_s_quota(cli):
    cli("run", "slack.send", "one")
    told = cli("usage").out
    assert "UNKNOWN  MEDIAN MS  P95 MS\n" in told
    assert "on the free plan" in told
    assert "slack.send" in told


def test_a_backup_is_a_whole_ledger_of_its_owner_alone(cli, home, tmp_path):
    cli("run", "slack.send", "one")
    copy = tmp_path / "elsewhere" / "levqor.db"
    copy.parent.mkdir()
    printed = cli("backup", copy, "--output", "json")
    key = str(home / "levqor.key")
    assert printed.json == {"file": str(copy), "bytes": copy.stat().st_size, "key": key}
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with Ledger.open(copy.parent) as ledger:
        assert [entry.action for entry in ledger.runs()] == ["slack.send"]


def test_a_backup_never_writes_over_a_file(cli, tmp_path):
    (tmp_path / "thesis").write_text("precious")
    printed = cli("backup", tmp_path / "thesis", "--output", "json")
    assert printed.status == 7
    assert (tmp_path / "thesis").read_text() == "precious"


def test_a_backup_is_restored_into_an_empty_home_with_its_key(cli, home, tmp_path):
    cli("run", "slack.send", "one")
    backed_up = cli("backup", tmp_path / "copy.db")
    assert f"Keep a copy of {home / 'levqor.key'} too" in backed_up.out
    (home / "levqor.db").unlink()
    printed = cli("restore", tmp_path / "copy.db")
    assert (
        printed.out
        == f"The backup {tmp_path / 'copy.db'} is restored: 1 run, 1 caller, 0 tokens.\n"
    )
    assert printed.err == f"home: {home}\n"
    assert cli("run", "slack.send", "two").status == 4
    again = cli("restore", tmp_path / "copy.db", "--output", "json")
    assert (again.status, again.json["reason"]) == (7, "ledger_not_empty")


def test_a_restore_under_a_new_key_says_what_is_gone(cli, home, tmp_path):
    cli("run", "slack.send", "one")
    cli("backup", tmp_path / "copy.db")
    for name in ("levqor.db", "levqor.key"):
        (home / name).unlink()
    refused = cli("restore", tmp_path / "copy.db")
    assert refused.status == 7
    assert "--new-key" in refused.err
    assert not (home / "levqor.key").exists()
    printed = cli("restore", tmp_path / "copy.db", "--new-key")
    assert "The fingerprints of the old key are gone." in printed.out
    (run,) = cli("runs", "--output", "json").json["runs"]
    assert cli("why", run["run"]).status == 0
    assert (home / "levqor.key").exists()


def test_restoring_what_is_not_there_is_a_wrong_command(cli, home, tmp_path):
    assert cli("restore", tmp_path / "none.db").status == 2
    assert not (home / "levqor.db").exists()


def test_prune_forgets_what_is_older_than_the_setting_says(cli, home, monkeypatch):
    monkeypatch.setenv("LEVQOR_KEEP_DAYS", "2")
    for days in (1, 3, 4):
        _run_of(home, days)
    assert cli("prune", "--output", "json").json == {"pruned": 2, "keep_days": 2}
    assert len(cli("runs", "--output", "json").json["runs"]) == 1


def _run_of(home, days):
    at = time.time() - days * 86400
    order = RunRequest(
        run=f"made{days:06}", at=at, action="slack.send", connector="slack",
        caller="cli:ann", surface="cli", fingerprint=b"made",
    )  # fmt: skip
    with Ledger.open(home) as ledger:
        ledger.accept(order)
        ledger.settle(order.run, "sent")


def test_columns_are_two_spaces_apart_and_rows_one_line_each():
    assert list(aligned([["A", "BB"], ["one\ntwo", "x"]])) == ["A        BB", "one two  x"]


def test_a_cell_cannot_move_the_cursor():
    assert list(aligned([["a\x1b[2Jb"]])) == ["a [2Jb"]


def test_long_lines_break_between_words_under_their_indent():
    assert wrapped("  one two three\nfour", 9) == "  one two\n  three\nfour"


def test_what_follows_a_mark_hangs_under_the_words():
    assert wrapped("✗ one two three", 9) == "✗ one two\n  three"
    assert wrapped("ok one two", 6) == "ok one\n   two"


def test_an_address_too_long_for_the_line_keeps_its_indent():
    assert wrapped("    https://example.com/page", 12) == "    https://example.com/page"


def test_what_a_person_may_copy_is_never_broken():
    assert wrapped("see https://example.com/a-long-page", 10) == (
        "see\nhttps://example.com/a-long-page"
    )


def test_a_quoted_name_a_run_id_and_a_command_are_never_broken():
    assert wrapped('name=value "two words"="a value"', 24) == 'name=value\n"two words"="a value"'
    assert wrapped("Slack: sent · run abcdefghij", 20) == "Slack: sent ·\nrun abcdefghij"
    assert wrapped("To make it, run: mkdir -p /a/b", 20) == "To make it, run:\nmkdir -p /a/b"
