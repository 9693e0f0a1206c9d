"""A script that the console answers line by line."""

import os
import re
import subprocess

import pytest

from core.connectors import CONNECTORS
from tests.support.bot_console import BOT, ROOT, play


def test_a_script_is_answered_line_by_line_and_exits_zero():
    status, said = play(
        'email.send to=delivered@resend.dev subject="Hi there" It works.\n'
        "# a remark\n"
        "\n"
        "/slack_send hello = world\n"
        'notion.create {"props": {"Name": "Fix login"}}\n'
    )
    assert status == 0
    assert re.findall(r"^(\S+): (sent|created) · run \w{10}$", said, re.MULTILINE) == [
        ("E-mail", "sent"), ("Slack", "sent"), ("Notion", "created"),
    ]  # fmt: skip


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r", b"\n"])
def test_a_script_is_utf_8_with_any_line_end_and_mark_whatever_the_locale(home, sandbox, line_end):
    script = line_end.join(["\ufeffslack.send caf\u00e9".encode(), b"whoami"])
    latin = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = subprocess.run(
        [*BOT, "--home", home, "--console", "--no-http"],
        input=script, env={**os.environ, **sandbox.settings(), "LEVQOR_TELEGRAM": "off", **latin},
        capture_output=True, cwd=ROOT, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert b"You are console:" in done.stdout
    assert [one.json for one in sandbox.slack.writes] == [{"text": "caf\u00e9"}]


@pytest.mark.parametrize(
    ("script", "what"),
    [
        (b"slack.send caf\xe9\nwhoami\n", "this line: is not UTF-8: see byte 15"),
        ("slack.send hi\n".encode("utf-16"), "this line: is UTF-16, not UTF-8: save it as UTF-8"),
    ],
)
def test_a_line_that_is_not_utf_8_is_refused_and_not_sent(script, what):
    status, said = play(script)
    assert status == 1
    assert what in said
    assert "sent ·" not in said


def test_a_line_that_ends_with_a_backslash_goes_on():
    status, said = play("sheets.append a,1\\\nb,2\n")
    assert (status, "appended 2 rows" in said) == (0, True)


def test_one_failure_makes_the_exit_status_one_and_the_rest_still_runs():
    status, said = play("slack.send\nslack.send hello\n")
    assert status == 1
    assert "input: is missing; see: help slack.send" in said
    assert "Slack: sent" in said


def test_a_script_may_say_the_same_twice():
    status, said = play("slack.send hello\nslack.send hello\n")
    assert status == 0
    assert said.count("Slack: sent") == 2


@pytest.mark.parametrize(("typed", "near"), [("slck.send x", "slack.send"), ("helth", "health")])
def test_a_misspelt_command_gets_the_nearest(typed, near):
    status, said = play(typed + "\n")
    assert status == 1
    assert f"Did you mean {near}?" in said


def test_a_misspelt_field_gets_the_nearest_and_nothing_is_sent():
    status, said = play("email.send too=a@b.example subject=x hello\n")
    assert status == 1
    assert "did you mean to?" in said
    assert "sent ·" not in said


def test_questions_are_answered():
    status, said = play("whoami\nusage\nhealth live\nhelp\nhelp email.send\n")
    assert status == 0
    assert "You are console:" in said
    assert f"All {len(CONNECTORS)} services work." in said
    assert "email.send to=… subject=… text" in said


def test_an_action_may_be_written_as_in_a_terminal():
    status, said = play("run slack.send hello\nlevqor run telegram.send channel is a word\n")
    assert status == 0
    assert re.findall(r"^(\S+): sent · run", said, re.MULTILINE) == ["Slack", "Telegram"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("run", "Write an action after run. To see the actions, type: help"),
        ("run slack.send --test", "--test: is an option of the levqor command"),
        ("run slack.sned hi", "Did you mean slack.send?"),
    ],
)
def test_what_only_a_terminal_does_is_refused(typed, told):
    status, said = play(typed + "\n")
    assert status == 1
    assert told in said
    assert "sent ·" not in said


def test_without_run_an_option_is_text():
    assert "Slack: sent" in play("slack.send --test\n")[1]


def test_a_question_mark_is_help_and_help_names_the_consoles_own_words():
    status, said = play("?\n")
    assert (status, said) == play("help\n")
    assert "runs [N] - your latest runs" in said
    assert "exit - leave" in said
    assert play("? email.send\n") == play("help email.send\n")


def test_runs_lists_the_callers_latest_runs_latest_first():
    status, said = play("runs\nslack.send hello\nemail.send too=x\ntelegram.send hi\nruns\n")
    assert status == 1
    assert "No runs yet." in said
    listed = re.findall(r"^(.+): sent, just now · run \w{10}$", said, re.MULTILINE)
    assert listed == ["Send a Telegram message", "Send a Slack message"]


def test_why_tells_a_runs_story_to_whoever_asked_for_it(tmp_path):
    _, said = play("slack.send hello\n", home=tmp_path)
    run = re.search(r"run (\w{10})", said)[1]
    status, said = play(f"why {run}\nwhy nosuchrunx\n", home=tmp_path)
    assert status == 1
    assert f"Run {run}: Send a Slack message (slack.send)" in said
    assert "There is no run of yours with that ID." in said


def test_nothing_that_was_typed_is_written_down(tmp_path):
    play("slack.send UNMISTAKABLEPAYLOAD\n", home=tmp_path)
    kept = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert kept
    assert not [file for file in kept if b"UNMISTAKABLEPAYLOAD" in file.read_bytes()]
