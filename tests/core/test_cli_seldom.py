"""What comes up seldom at a terminal: each a command in this process, and what it says."""

import contextlib
import io
import socket
import sqlite3
from dataclasses import replace

import pytest

from core.cli import main, options
from core.cli.output import Output
from core.cli.questions import Questions
from core.cli.runs import RunWatcher
from core.cli.session import Session
from core.engine.results import Settled
from core.errors import Refused
from core.ledger import Ledger
from core.run_filter import RunFilter
from core.settings import Settings
from tests.support.cli import Ran
from tests.support.journal import accept, finish
from tests.support.sandbox import Answer

KEY, WEBHOOK, TOKEN = "NOTION_API_KEY", "SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN"


@pytest.fixture
def secrets(sandbox):
    return sandbox.settings()


@pytest.fixture
def init(home, sandbox, tmp_path, monkeypatch, capsys):
    """Run `levqor init` with a file of answers, on a home where nothing is set."""
    values = sandbox.settings()
    for name in values:
        if name.endswith("_API_URL"):
            monkeypatch.setenv(name, values[name])

    def run(*flags, **answers):
        file = tmp_path / "answers"
        file.write_text("".join(f"{name}={value}\n" for name, value in answers.items()))
        status = main(["--home", str(home), "init", "--answers", str(file), *flags])
        printed = capsys.readouterr()
        return Ran(status, " ".join(printed.out.split()), " ".join(printed.err.split()))

    return run


def test_what_init_offers_and_what_is_refused_are_both_said(init, secrets):
    answers = {WEBHOOK: secrets[WEBHOOK], TOKEN: secrets[TOKEN]}
    first = init("--tray-token", "--team", **answers)
    assert (first.status, "not shown again" in first.err) == (0, True)
    again = init("--tray-token", **answers)
    assert again.status == 0
    assert "tray" in again.err
    assert "not shown again" not in again.err


def test_who_says_that_it_is_for_no_team_takes_that_back(init, home, secrets):
    for flag, told in (("--team", True), ("--no-team", False)):
        assert init(flag, **{WEBHOOK: secrets[WEBHOOK]}).status == 0
        assert ("LEVQOR_DEFAULT_PLAN=pro" in (home / ".env").read_text()) is told


def test_settings_that_cannot_be_written_are_said_with_how_to_fix_it(init, home, secrets):
    (home / ".env").write_bytes(b"A=\xff\n")
    (home / ".env").chmod(0o600)
    done = init(**{WEBHOOK: secrets[WEBHOOK]})
    assert done.status == 3
    assert "run levqor init again" in done.err


def test_the_doctor_says_how_the_interfaces_are_doing(cli, home):
    with Ledger.open(home) as ledger:
        ledger.inbound("telegram", ok=False, verdict="another poller", fix="Stop the other.")
        ledger.inbound("slack", ok=True, verdict="listening.")
        told = cli("doctor", "--output", "json").json["findings"]
    said = {each["what"]: each.get("fix") for each in told if "Interface" in each["what"]}
    assert said == {
        "Interface Slack: listening.": None,
        "Interface Telegram: another poller.": "Stop the other.",
    }


def test_a_port_that_is_taken_is_said(cli):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = cli("sandbox", "--port", port)
    assert refused.status == 2
    assert f"{port} cannot be used: Address already in use" in refused.err


def test_a_restored_backup_says_what_had_not_ended(cli, home, tmp_path):
    with Ledger.open(home) as ledger:
        ledger.set_plan("cli:ada", "pro")
        for _ in range(2):
            accept(ledger)
        ledger.backup(tmp_path / "copy.db")
    for file in home.glob("levqor.db*"):
        file.unlink()
    done = cli("restore", tmp_path / "copy.db", "--new-key")
    assert done.status == 0, done.err
    assert "2 runs had not ended when the backup was made and were marked unknown" in done.out


def test_targets_that_nobody_looked_at_have_no_health(cli):
    cli("target", "add", "ops", "slack.send", "channel=#ops")
    assert "HEALTH" not in cli("target", "list").out
    assert "HEALTH" in cli("target", "list", "--live").out


def test_a_rotated_token_is_shown_with_how_long_the_old_one_works(cli, home):
    cli("token", "new", "ci", "--expires", "1h")
    rotated = cli("token", "rotate", "ci")
    assert len(rotated.out.split()) == 1
    assert "The old one works until" in rotated.err
    with sqlite3.connect(home / "levqor.db") as db:
        db.execute("UPDATE tokens SET expires_at = 1")
    late = cli("token", "rotate", "ci", "--overlap", "0")
    assert "The old one does not work any more." in late.err
    assert "It has expired. To make it valid: levqor token set ci --expires 90d" in late.err


def test_a_link_to_the_console_is_shown_with_whose_it_is(cli, home):
    assert "No bot shows the web console now." in cli("open").err
    with Ledger.open(home) as ledger:
        ledger.inbound("http", ok=True, verdict="listening on http://127.0.0.1:8787")
        made = cli("open", "/runs")
    assert made.out.startswith("Open this link in a browser: http://127.0.0.1:8787/")
    assert "It signs in cli:" in made.out


def test_a_person_without_a_caller_is_removed_too(cli, home):
    cli("people", "add", "ann", "slack:T1:U1")
    cli("people", "unlink", "slack:T1:U1")
    assert cli("people", "remove", "ann").out.strip() == "ann is removed."


def test_a_file_for_traces_that_cannot_be_made_is_said(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "missing" / "keys.log"))
    assert "SSLKEYLOGFILE names a file that cannot be written" in cli("health").err


def test_a_test_that_the_database_does_not_take_is_no_skipped_one(cli, home):
    Ledger.open(home).close()
    with sqlite3.connect(home / "levqor.db") as db:
        db.execute("CREATE TRIGGER no BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'no'); END")
    done = cli("smoke")
    assert (done.status, "refuses new runs; nothing was sent" in done.err) == (7, True)
    assert "Skipped" not in done.out


def test_a_check_s_failure_is_said_also_where_no_fix_is_known(home, environ, capsys):
    def probe(config, http):
        raise Refused("odd", "Slack is odd.")

    with Session(Output(as_json=False)) as session:
        session.home_given = home
        (slack,) = options.connectors("slack")
        ask = Questions(session, environ, asks=False, account=None)
        assert ask._check(replace(slack, probe=probe), dict(environ)) is None
    assert capsys.readouterr().out == "✗ Slack: Slack is odd.\n"


def test_a_watch_shows_more_runs_than_are_read_at_once(home):
    with Ledger.open(home) as ledger:
        ledger.set_plan("cli:ada", "pro")
        watcher = RunWatcher(ledger, RunFilter())
        watcher.begin(1)
        runs = [accept(ledger)[0].run for _ in range(501)]
        assert {entry.run for entry in watcher.look()} == set(runs)


def test_a_fault_of_ours_is_told_as_one_without_what_was_at_hand(cli, home):
    with Ledger.open(home) as ledger:
        accept(ledger)
    with sqlite3.connect(home / "levqor.db") as db:
        db.execute("UPDATE runs SET at = 'secret'")
    done = cli("runs")
    assert done.status == 7
    assert "This is a fault in Levqor: " in done.err
    assert "secret" not in done.err


def test_a_run_of_which_no_reason_is_known_is_told_without_one(cli, home):
    with Ledger.open(home) as ledger:
        run = finish(ledger, "unknown").run
    told = cli("why", run)
    assert told.status == 0
    assert "Reason kept" not in told.out


def test_a_refusal_whose_json_cannot_be_printed_is_told_in_words(home, capsys):
    ended = Settled("run", "a.b", "refused", error=Refused("odd", "It is odd."))
    with (
        contextlib.suppress(OSError),
        io.TextIOWrapper(io.FileIO("/dev/full", "w"), write_through=True) as full,
        contextlib.redirect_stdout(full),
    ):
        Output(as_json=True).settled(ended, Settings(home, environ={}))
    assert "It is odd." in capsys.readouterr().err


def test_what_a_service_does_not_list_gets_no_target(init, sandbox, secrets):
    lost = Answer(200, json={"ok": False, "error": "fatal_error"})
    sandbox.slack.always(lost, on="users.conversations")
    done = init("--targets", **{WEBHOOK: secrets[WEBHOOK], TOKEN: secrets[TOKEN]})
    assert (done.status, "target=" in done.out) == (0, False)
