"""`levqor-bot` as a program: signals, taken ports, broken homes and command lines."""

import gc
import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from bot.app import main
from tests.support.bot import Program
from tests.support.sandbox import Delay
from tests.support.waiting import wait_for


@pytest.fixture
def start(home):
    """Start `levqor-bot` in a process of its own, standard input empty."""
    running = []

    def go(*args, environ=None, stdin=subprocess.DEVNULL):
        process = subprocess.Popen(
            [sys.executable, "-m", "bot.app", "--home", str(home), *args],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environ or {})},
        )
        running.append(process)
        return process

    yield go
    for process in running:
        process.kill()
        process.communicate()


def test_a_signal_ends_a_console_whose_input_stays_open(start):
    reader, writer = os.pipe()
    process = start("--sandbox", "--no-http", "--console", stdin=reader)
    os.write(writer, b"whoami\n")
    assert process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    os.close(reader)
    os.close(writer)


def listening(process):
    """Read what it says until it listens; (host, port)."""
    for line in process.stderr:
        if found := re.search(r"listening on http://(\S+):(\d+)", line):
            return found[1], int(found[2])
    raise AssertionError("it ended")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_program_with_status_0(start, number):
    process = start("--sandbox", "--http", "127.0.0.1:0")
    listening(process)
    process.send_signal(number)
    assert process.wait(10) == 0


def test_a_request_under_way_is_answered_before_the_program_ends(start, sandbox, home):
    sandbox.slack.next(Delay(1.0))
    process = start("--http", "127.0.0.1:0", environ=sandbox.settings())
    host, port = listening(process)
    with socket.create_connection((host, port), timeout=10) as raw:
        raw.sendall(
            b"POST /actions/slack.send HTTP/1.1\r\nHost: localhost\r\n"
            b'Content-Type: application/json\r\nContent-Length: 17\r\n\r\n{"text": "Hello"}'
        )
        wait_for(lambda: sandbox.slack.received)
        process.send_signal(signal.SIGTERM)
        assert b'"status":"sent"' in raw.makefile("rb").read()
    assert process.wait(10) == 0


def test_a_port_that_was_chosen_and_is_taken_ends_with_status_3_and_one_line(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        process = start("--sandbox", "--http", address)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 3
    assert errors.splitlines()[-1] == (
        f"Levqor cannot listen on {address} (Address already in use). What to do: "
        "Choose another address with --http or LEVQOR_HTTP, or start with --no-http."
    )


def test_a_platform_that_posts_needs_http(start, sandbox):
    process = start("--no-http", environ=sandbox.settings("http"))
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 3
    assert errors.splitlines()[-1].endswith(" What to do: Start levqor-bot without --no-http.")


def test_settings_that_were_corrected_are_taken_at_once(home):
    """What is broken is said with what to do, and once."""
    with Program(home, {}, "--http", "127.0.0.1:0") as program:
        program.until("listening on")
        (home / ".env").write_text("LEVQOR_ALLOW=\n")
        (home / ".env").chmod(0o600)
        program.until("Settings are broken; the old ones stay in force: LEVQOR_ALLOW")
        (home / ".env").write_text("LEVQOR_KEEP_DAYS=30\n")
        program.until("Settings were read again.")
        assert program.said.count("Settings are broken") == 1
        assert "What to do:" in program.said
        assert program.terminate() == 0


def test_where_there_is_nothing_to_serve_it_says_so_and_ends(start):
    process = start("--no-http", environ={"SLACK_SIGNING_SECRET": "", "TELEGRAM_BOT_TOKEN": ""})
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 3
    assert errors.splitlines()[-1] == (
        "There is nothing to serve: no chat is set up, and HTTP is off. "
        "What to do: Start levqor-bot without --no-http, or with --console."
    )


def test_garbage_is_looked_for_again_once_everything_is_imported(home):
    gc.disable()
    try:
        assert main(["--home", str(home), "--no-http"]) == 3
        assert gc.isenabled()
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.enable()
        gc.unfreeze()


def test_a_home_that_cannot_be_written_ends_with_status_7_and_names_it(start, home):
    (home / "levqor.db").write_bytes(b"this is no database" * 100)
    process = start("--sandbox", "--http", "127.0.0.1:0")
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 7
    assert "levqor.db" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            "--http nowhere",
            "--http must be HOST:PORT with a port up to 65535, e.g. ",
        ),
        ("--http 127.0.0.1:99999", "--http must be HOST:PORT with a port up to 65535"),
        ("--http a:1 --no-http", "--no-http cannot be used with --http.\n"),
        ("--http", "--http needs a value after it.\n"),
        ("--sandbox=yes", "--sandbox takes no value.\n"),
        ("--consol", "There is no option --consol.\n"),
        ("checks", "There is no command checks.\n"),
        ("check now", "This is not expected here: now.\n"),
    ],
)
def test_a_command_line_that_makes_no_sense_ends_with_status_2(args, said, capsys):
    with pytest.raises(SystemExit) as left:
        main(args.split())
    assert left.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith(said)
    assert told.endswith("\nWhat to do: See: levqor-bot --help\n")


def test_a_sandbox_says_that_it_does_not_use_levqor_home(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "bot.app", "--sandbox", "slack-manifest"], check=False,
        capture_output=True, text=True, timeout=60,
        env={**os.environ, "LEVQOR_HOME": str(tmp_path)},
    )  # fmt: skip
    assert "(temporary; to keep it, add --home DIR)" in done.stderr
    assert "LEVQOR_HOME is not used: with --sandbox, only --home" in done.stderr
    assert not list(tmp_path.iterdir())
