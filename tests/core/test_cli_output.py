import contextlib
import re
import subprocess
import sys

import pytest

from core.callers import os_user
from tests.support.cli import ROOT, Ran, command, environment, leaves, levqor, on_terminal
from tests.support.engines import both
from tests.support.sandbox import Delay

# Every command but `sandbox`, which stays, with the status it exits with on a fresh home.
COMMANDS = [
    (["run", "slack.send", "hello"], 0),
    (["health"], 0),
    (["health", "--live"], 0),
    (["usage", "--days", "3"], 0),
    (["runs", "--last", "2"], 0),
    (["why", "nothing"], 2),
    (["doctor"], 0),
    (["smoke"], 0),
    (["plan", "set", "telegram:42", "pro"], 0),
    (["callers"], 0),
    (["people", "list"], 0),
    (["people", "add", "ann"], 0),
    (["people", "set", "nobody"], 2),
    (["people", "link", "nobody", "telegram:42"], 2),
    (["people", "unlink", "telegram:42"], 2),
    (["people", "remove", "nobody"], 2),
    (["audit"], 0),
    (["link"], 0),
    (["open"], 3),  # no bot runs
    (["token", "new", "ann"], 0),
    (["token", "list"], 0),
    (["token", "set", "nobody"], 2),
    (["token", "rotate", "nobody"], 2),
    (["token", "revoke", "nobody"], 2),
    (["target", "add", "ops", "email.send", "to=ann@example.com"], 0),
    (["target", "list"], 0),
    (["target", "set", "ops", "to=bob@example.com"], 2),
    (["target", "test", "ops"], 2),
    (["target", "remove", "ops"], 2),
    (["pair", "telegram"], 0),
    (["unpair", "telegram:42"], 2),
    (["backup", "copy.db"], 0),
    (["restore", "copy.db"], 2),
    (["prune"], 0),
    (["bots"], 0),
    (["init"], 2),  # nobody is there to answer
    (["home", "move"], 3),
]
BROKEN = [
    ["nonsense"],
    ["runs", "--last", "none"],
    ["runs", "--last", "0"],
    ["runs", "--first", "1"],
    ["why"],
    ["plan", "set", "telegram:42", "gold"],
    ["plan", "set", "nobody", "pro"],
    ["token", "new", "Ann Smith"],
    ["token"],
    ["backup", "/"],
    ["sandbox", "--port", "99999"],
]
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LINES = "─│┌┐└┘├┤┬┴┼━┃╭╮╰╯"


def test_the_list_above_holds_every_command_there_is():
    tried = {
        tuple(args[: 2 if args[0] in ("plan", "token", "target", "pair", "home", "people") else 1])
        for args, _ in COMMANDS
    }
    # One runs until Ctrl-C, the others need a service manager: tests/test_service.py.
    elsewhere = {("sandbox",), *(("service", word) for word in ("install", "remove", "status"))}
    assert sorted(tried | elsewhere) == leaves()


@pytest.mark.parametrize(("args", "status"), COMMANDS, ids=str)
def test_with_output_json_every_command_prints_one_document(cli, tmp_path, args, status):
    with contextlib.chdir(tmp_path):
        printed = cli(*args, "--output", "json")
    assert printed.status == status
    assert printed.out.count("\n") == 1
    assert ("error" in printed.json) == (status != 0)


@pytest.mark.parametrize("args", BROKEN, ids=" ".join)
def test_a_command_line_that_makes_no_sense_is_one_document_too(cli, args):
    printed = cli(*args, "--output", "json")
    assert printed.status in (2, 7)
    assert printed.json["error"] in ("validation_error", "not_found", "ledger_error")
    assert "Traceback" not in printed.err


@pytest.mark.parametrize(("args", "status"), COMMANDS, ids=str)
def test_in_a_pipe_there_are_no_colours_and_no_boxes(cli, tmp_path, args, status):
    with contextlib.chdir(tmp_path):
        printed = cli(*args)
    told = printed.out + printed.err
    assert printed.status == status
    assert told
    assert not CONTROL.search(told)
    assert not set(LINES) & set(told)


def test_a_mistake_in_text_says_where_to_look(cli):
    assert cli("runs", "--zzz", "1") == Ran(
        2,
        "",
        "There is no option --zzz.\nWhat to do: See: levqor runs --help\n",
    )


def test_a_plan_nobody_has_is_refused_in_our_words(cli):
    assert cli("plan", "set", "telegram:42", "gold").err == (
        "PLAN must be free or pro.\nWhat to do: See: levqor plan set --help\n"
    )


def test_an_option_that_stands_too_late_is_told_its_place(cli):
    printed = cli("smoke", "--sandbox")
    assert printed.status == 2
    assert "--sandbox goes before the command" in printed.err


def test_commands_that_change_the_ledger_say_which_home_they_used(cli, home):
    for args in (
        ["run", "slack.send", "hello"],
        ["plan", "set", "telegram:42", "pro"],
        ["token", "new", "ann"],
        ["token", "revoke", "ann"],
        ["pair", "telegram"],
        ["prune"],
        ["smoke"],
    ):
        assert f"home: {home}\n" in cli(*args, "--output", "json").err, args


def test_a_temporary_home_is_said_to_be_one():
    ran = levqor("--sandbox", "token", "new", "ann")
    assert re.search(
        r"^home: .+levqor-.+ \(temporary: deleted when this command ends\)$", ran.err, re.MULTILINE
    )


def test_on_a_terminal_tables_have_lines_and_outcomes_have_colours(home):
    assert on_terminal("--sandbox", "--home", home, "smoke").status == 0
    shown = on_terminal("--home", home, "runs").out
    assert set(LINES) & set(shown)
    assert "\x1b[32m" in shown


def test_lines_to_paste_into_a_shell_are_never_broken(home):
    shown = on_terminal("--home", home, "sandbox", ends_after=b"RESEND_API_URL=")
    assert shown.status == 0
    lines = shown.out.replace("\r", "").splitlines()
    settings = [line for line in lines if not line.startswith(("#", "^C"))]
    assert max(map(len, settings)) > 1000
    assert {line.split(" ")[0] for line in settings if line} == {"export"}


def test_no_color_is_honoured(home):
    on_terminal("--sandbox", "--home", home, "smoke")
    shown = on_terminal("--home", home, "runs", env={"NO_COLOR": "1"}).out
    assert "slack.send" in shown
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", shown)


def test_what_takes_over_a_second_shows_a_progress_line_on_a_terminal(home, sandbox):
    sandbox.slack.next(Delay(1.8))
    shown = on_terminal("--home", home, "run", "slack.send", "hello", env=sandbox.settings())
    assert shown.status == 0
    assert "waiting for the answer" in shown.out


def test_what_is_quick_shows_no_progress_line(home, sandbox):
    shown = on_terminal("--home", home, "run", "slack.send", "hi", env=sandbox.settings())
    assert "waiting for the answer" not in shown.out


def test_in_a_pipe_there_is_no_progress_line(home, sandbox):
    sandbox.slack.next(Delay(1.4))
    ran = levqor("--home", home, "run", "slack.send", "hello", env=sandbox.settings())
    assert ran.status == 0
    assert "waiting" not in ran.out + ran.err


def test_a_reader_who_leaves_early_costs_no_traceback(home):
    levqor("--sandbox", "--home", home, "smoke")
    line = " ".join(command("--home", str(home), "runs", "--output", "json")) + " | true"
    ran = subprocess.run(
        line, shell=True, check=False, capture_output=True, text=True, env=environment(), cwd=ROOT
    )
    assert ran.stderr == ""


def test_a_terminal_that_knows_no_utf_8_still_gets_its_answer(home):
    ran = levqor("--sandbox", "--home", home, "smoke", env={"PYTHONIOENCODING": "ascii"})
    assert ran.status == 0
    assert ran.out.isascii()
    assert "ok slack.send" in ran.out


def test_help_needs_none_of_the_heavy_libraries():
    heavy = (
        "aiohttp google.auth pydantic pydantic_settings requests sqlite_utils fastapi starlette "
        "uvicorn slack_sdk telegram pystray rich core.connectors core.engine core.sandbox "
        "core.interfaces bot"
    )
    program = (
        "import sys; from core.cli import main; main(['--help'])\n"
        f"print(sorted(set({heavy.split()!r}) & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        check=True, capture_output=True, text=True, env=environment(), cwd=ROOT,
    )  # fmt: skip
    assert ran.stderr == "[]\n"
    assert "Usage: levqor" in ran.stdout


def test_the_version_is_printed():
    assert levqor("--version").out == "levqor 0.1.0\n"


def test_the_shell_completes_commands_actions_fields_and_names(cli, home, monkeypatch, tmp_path):
    cli("target", "add", "ops", "slack.send", "channel=ops")
    env_file = home / ".env"
    env_file.write_text("SLACK_WEBHOOK_URL__ACME=https://hooks.slack.com/services/T/B/x\n")
    env_file.chmod(0o600)
    broken = tmp_path / "broken"
    broken.mkdir(mode=0o700)
    for name in (".env", "levqor.db"):
        (broken / name).write_bytes(b"\xff no home\n" * 100)
        (broken / name).chmod(0o600)
    monkeypatch.setenv("_LEVQOR_COMPLETE", "complete_bash")
    for typed, offered in [
        ("he", ["health"]),
        ("run sl", ["slack.send"]),
        ("run email.send ", ["to=", "subject=", "text="]),
        ("run email.send to=ann@example.com s", ["subject="]),
        ("run slack.send t", ["text=", "target=ops"]),
        ("run slack.send target=ops t", ["text="]),
        ("runs --action sl", ["slack", "slack.send"]),
        ("runs --outcome un", ["unknown"]),
        ("health no", ["notion"]),
        ("target remove o", ["ops"]),
        ("target add x slack.send --account a", ["acme"]),
        ("target add x slack.send --account=a", ["acme"]),
        ("target add x notion.create --account=a", []),
        (f"--home {broken} target remove o", []),
        (f"--home {broken} target add x slack.send --account a", []),
    ]:
        line = f"levqor {typed}" if "--home" in typed else f"levqor --home {home} {typed}"
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        assert cli().out.split() == offered, typed


@both
def test_open_end_ends_the_sessions_of_this_machine_s_user_alone(cli, open_ledger):
    with open_ledger() as ledger:
        for caller in (f"cli:{os_user()}", f"tray:{os_user()}", "telegram:42"):
            assert ledger.sign_in(ledger.sign_in_code(caller)[0], 600.0)
        code, _ = ledger.sign_in_code(f"cli:{os_user()}")
        assert f"cli:{os_user()}" in cli("open", "--end", "--output", "json").json["callers"]
        assert [each.caller for each in ledger.sessions()] == ["telegram:42"]
        assert ledger.sign_in_caller(code) is None
