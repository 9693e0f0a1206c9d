"""Standard streams that are closed, full or gone: no traceback, and a delivered run says so."""

import json
import os
import shlex
import socket
import subprocess
import sys

import pytest

from core.ledger import Ledger
from tests.support.cli import PATIENCE_S, ROOT, environment
from tests.support.waiting import wait_for

LEVQOR = [sys.executable, "-m", "core.cli"]
BOT = [sys.executable, "-m", "bot.app"]
TRAY = [sys.executable, "-m", "tray.app"]
CLOSED = "Bad file descriptor"
FULL = "No space left on device"
BUFFERED, UNBUFFERED = {"PYTHONUNBUFFERED": ""}, {"PYTHONUNBUFFERED": "1"}


def shell(words, redirect, stdin="", **env):
    """Run a program with its streams redirected by a shell; (status, what was printed)."""
    ran = subprocess.run(
        ["bash", "-c", f"exec {shlex.join(map(str, words))} {redirect}"], check=False, input=stdin,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(**env),
        cwd=ROOT, timeout=PATIENCE_S,
    )  # fmt: skip
    assert "Traceback" not in ran.stdout, ran.stdout
    assert "Exception ignored" not in ran.stdout, ran.stdout
    return ran.returncode, ran.stdout


@pytest.mark.parametrize("buffering", [BUFFERED, UNBUFFERED], ids=str)
@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.parametrize(("redirect", "why"), [(">&-", CLOSED), (">/dev/full", FULL)])
def test_a_run_that_was_sent_and_cannot_be_printed_exits_8(
    home, sandbox, redirect, why, output, buffering
):
    words = [*LEVQOR, "--home", home, "run", "slack.send", "hello", "--output", output]
    status, said = shell(words, redirect, **sandbox.settings(), **buffering)
    assert status == 8
    (logged,) = (home / "logs" / "connectors.log").read_text().splitlines()
    run = json.loads(logged)["run"]
    assert json.loads(logged)["status"] == "sent"
    assert f"The run {run} was sent, but its receipt could not be printed: {why}.\n" in said
    assert f"What to do: Do not send it again. More about it: levqor why {run}\n" in said
    assert [one.json for one in sandbox.slack.writes] == [{"text": "hello"}]


@pytest.mark.parametrize("redirect", [">&-", ">/dev/full", ">&- 2>&-", "2>&-", "2>/dev/full"])
@pytest.mark.parametrize("output", ["text", "json"])
def test_a_run_that_was_not_sent_keeps_its_status_whatever_can_be_printed(home, redirect, output):
    words = [*LEVQOR, "--home", home, "run", "slack.send", "hello", "--output", output]
    status, said = shell(words, redirect)
    assert status == 3
    if "2>" not in redirect:
        assert "Slack is not set up." in said


@pytest.mark.parametrize("redirect", ["<&- >&- 2>&-", ">/dev/full 2>/dev/full", ">&- 2>/dev/full"])
def test_with_no_stream_at_all_the_status_still_tells_and_the_run_is_logged(
    home, sandbox, redirect
):
    words = [*LEVQOR, "--home", home, "run", "slack.send", "hello"]
    assert shell(words, redirect, **sandbox.settings()) == (8, "")
    assert len((home / "logs" / "connectors.log").read_text().splitlines()) == 1
    assert (home / "levqor.db").read_bytes()[:15] == b"SQLite format 3"


@pytest.mark.parametrize("redirect", ["2>&-", "2>/dev/full", "<&-", "<&- 2>&-"])
def test_a_receipt_that_was_printed_is_success(home, sandbox, redirect):
    words = [*LEVQOR, "--home", home, "run", "slack.send", "hello"]
    status, said = shell(words, redirect, **sandbox.settings())
    assert status == 0
    assert "Slack: sent" in said


def test_a_reader_who_has_gone_does_not_hide_that_a_run_was_sent(home, sandbox):
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(
        [*LEVQOR, "--home", home, "run", "slack.send", "hello"], check=False, stdout=writer,
        stderr=subprocess.PIPE, text=True, env=environment(**sandbox.settings()), cwd=ROOT,
        timeout=PATIENCE_S,
    )  # fmt: skip
    os.close(writer)
    assert ran.returncode == 8
    assert "was sent, but its receipt could not be printed: Broken pipe." in ran.stderr


@pytest.mark.parametrize("buffering", [BUFFERED, UNBUFFERED], ids=str)
@pytest.mark.parametrize(("redirect", "why"), [(">&-", CLOSED), (">/dev/full", FULL)])
@pytest.mark.parametrize(
    "words",
    [
        [*LEVQOR, "--help"],
        [*LEVQOR, "--version"],
        [*LEVQOR, "run", "--help"],
        [*LEVQOR, "--sandbox", "runs"],
        [*LEVQOR, "--sandbox", "usage", "--output", "json"],
        [*LEVQOR, "--sandbox", "token", "new", "ci"],
        [*LEVQOR, "--sandbox", "smoke"],
        [*BOT, "--sandbox", "check"],
        [*BOT, "--sandbox", "slack-manifest"],
    ],
    ids=lambda words: " ".join(words[2:]),
)
def test_an_answer_that_cannot_be_printed_exits_8(words, redirect, why, buffering):
    status, said = shell(words, redirect, **buffering)
    assert status == 8
    assert f"The answer could not be printed: {why}." in said


@pytest.mark.parametrize("redirect", [">&- 2>&- <&-", ">/dev/full 2>/dev/full"])
@pytest.mark.parametrize(
    ("words", "status"),
    [
        ([*LEVQOR, "--sandbox", "health"], 8),
        ([*LEVQOR, "nonsense"], 2),
        ([*BOT, "--sandbox", "check"], 8),
        ([*BOT, "--nonsense"], 2),
        ([*TRAY, "--nonsense"], 2),
        ([*TRAY, "--wait", "0"], 3),
    ],
    ids=lambda words: " ".join(words[2:]) if isinstance(words, list) else "",
)
def test_with_no_stream_at_all_every_program_ends_by_its_own_status(home, words, status, redirect):
    env = {"LEVQOR_HOME": str(home), "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    assert shell(words, redirect, **env) == (status, "")


@pytest.mark.parametrize(("redirect", "why"), [(">&-", CLOSED), (">/dev/full", FULL)])
def test_a_script_stops_at_the_first_receipt_that_cannot_be_printed(home, redirect, why):
    words = [*BOT, "--home", home, "--sandbox", "--console", "--no-http"]
    status, said = shell(words, redirect, stdin="slack.send one\nemail.send two\n")
    assert status == 8
    (logged,) = (home / "logs" / "connectors.log").read_text().splitlines()
    run = json.loads(logged)["run"]
    assert f"The run {run} was sent, but its receipt could not be printed: {why}." in said


def test_a_script_s_answers_do_not_depend_on_standard_error(home):
    words = [*BOT, "--home", home, "--sandbox", "--console", "--no-http"]
    status, said = shell(words, "2>/dev/full", stdin="slack.send one\nwhoami\n")
    assert status == 0
    assert "Slack: sent" in said
    assert "You are console:" in said


def test_a_console_whose_input_is_closed_has_nothing_to_do(home):
    words = [*BOT, "--home", home, "--sandbox", "--console", "--no-http"]
    assert shell(words, "<&-")[0] == 0


def test_a_dash_beside_a_closed_input_is_refused(home, sandbox):
    words = [*LEVQOR, "--home", home, "run", "slack.send", "-"]
    status, said = shell(words, "<&-", **sandbox.settings())
    assert status == 2
    assert "text: cannot be read from standard input: Bad file descriptor" in said
    assert sandbox.slack.received == []


def test_a_bot_without_streams_serves(home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    words = [*BOT, "--home", home, "--sandbox", "--http", f"127.0.0.1:{port}"]
    bot = subprocess.Popen(
        ["bash", "-c", f"exec {shlex.join(map(str, words))} <&- >&- 2>&-"],
        env=environment(), cwd=ROOT,
    )  # fmt: skip
    try:
        wait_for(lambda: bot.poll() is not None or listens(port))
        bot.terminate()
        assert bot.wait(PATIENCE_S) == 0
    finally:
        bot.kill()
        bot.wait()
    assert (home / "levqor.db").read_bytes()[:15] == b"SQLite format 3"


def listens(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def test_help_that_cannot_be_printed_exits_8():
    status, said = shell([*BOT, "--help"], ">/dev/full", **BUFFERED)
    assert (status, f"The answer could not be printed: {FULL}." in said) == (8, True), said


@pytest.mark.parametrize("words", [[*LEVQOR, "runs"], [*BOT, "check"], TRAY])
def test_a_python_that_leaves_out_every_word_is_told_of(words):
    status, said = shell([*words, "--help"], "", PYTHONOPTIMIZE="2")
    assert status == 3
    assert said.endswith(
        "What to do: Take PYTHONOPTIMIZE out of the environment, or set it to 1.\n"
    )
    assert shell([*words, "--help"], "", PYTHONOPTIMIZE="1")[0] == 0


@pytest.mark.parametrize("words", [("new", "ci"), ("rotate", "old")])
@pytest.mark.parametrize("output", ["text", "json"])
def test_a_token_s_secret_that_could_not_be_printed_can_be_made_anew(home, words, output):
    with Ledger.open(home) as ledger:
        ledger.token_new("old")
    asked = [*LEVQOR, "--home", home, "token", *words, "--output", output]
    status, said = shell(asked, ">/dev/full")
    assert status == 8
    assert f"levqor token rotate {words[1]} --overlap 0" in said
