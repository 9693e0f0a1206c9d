"""The log of runs: exactly its fields, whole lines, owner only, and quiet libraries."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import resource
import signal
import stat
import subprocess
import sys
import time

import pytest
from filelock import lock_descriptor

from core.callers import Caller
from core.home_key import home_key
from core.interfaces import declared
from core.logs import RunLog, quiet_libraries
from core.masking import Redactor, address_tag

ADA = Caller("slack", "T1:U0AB1234569Z")
RUN = {
    "run": "7f3ac2kq9x",
    "connector": "email",
    "action": "email.send",
    "status": "sent",
    "ms": 234.5649,
    "attempts": 1,
}


def lines(home):
    return (home / "logs" / "connectors.log").read_text().splitlines()


def test_a_line_is_exactly_as_documented(home):
    log = RunLog(home)
    log.write(**RUN, caller=ADA, ts=1704672000.1234)
    expected = (
        '{"ts":1704672000.123,"run":"7f3ac2kq9x","user":"U0AB****9Z","surface":"slack",'
        '"connector":"email","action":"email.send","status":"sent","ms":234.56,"attempts":1,'
        '"ids_masked":true}'
    )
    assert lines(home) == [expected]


def test_a_line_of_a_stranger_over_http_names_neither_him_nor_his_address(home):
    stranger = Caller("http", "192.0.2.7", known=False)
    RunLog(home).write(**RUN | {"status": "upstream_error"}, caller=stranger, ip="192.0.2.7",
                       error="timed_out")  # fmt: skip
    line = json.loads(lines(home)[0])
    assert list(line) == [
        "ts", "run", "ip", "user", "surface", "connector", "action", "status", "ms", "attempts",
        "ids_masked", "error",
    ]  # fmt: skip
    assert line["user"] == "anon"
    assert line["ip"] == address_tag(home_key(home), "192.0.2.7")
    assert line["error"] == "timed_out"
    assert "192.0.2.7" not in lines(home)[0]


def test_log_and_folder_are_for_their_owner_only(home):
    RunLog(home).write(**RUN, caller=ADA)
    assert stat.S_IMODE((home / "logs").stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "logs" / "connectors.log").stat().st_mode) == 0o600


def test_a_log_that_others_could_read_is_closed_to_them(home):
    (home / "logs").mkdir(mode=0o755)
    file = home / "logs" / "connectors.log"
    file.touch(mode=0o644)
    file.chmod(0o644)
    RunLog(home).write(**RUN, caller=ADA)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_full_log_moves_on_and_the_oldest_goes(home):
    log = RunLog(home, limit=500, kept=2)
    for number in range(12):
        log.write(**RUN | {"run": f"run{number:02}"}, caller=ADA)
    found = sorted((home / "logs").glob("connectors.log*"))
    assert [file.name for file in found] == [
        "connectors.log", "connectors.log.1", "connectors.log.2",
    ]  # fmt: skip
    assert all(0 < file.stat().st_size <= 500 for file in found)
    runs = [json.loads(line)["run"] for file in found[::-1] for line in file.read_text().split()]
    assert runs == [f"run{number:02}" for number in range(12 - len(runs), 12)]


WRITER = """
import pathlib, sys
from filelock import lock_descriptor

from core.callers import Caller
from core.logs import RunLog
home, name, count = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
log = RunLog(home, limit=4_000, kept=max(300, count))
sys.stdin.readline()
for number in range(count):
    log.write(run=f"{name}-{number}", caller=Caller("cli", "someone"), connector="a", action="a.b",
              status="sent", ms=1.0, attempts=1)
assert log.problem is None
"""


def test_eight_processes_lose_and_split_no_line_while_the_log_moves_on(home, counts):
    count = counts(500, 5000)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(home), f"p{number}", str(count)],
            stdin=subprocess.PIPE,
        )
        for number in range(8)
    ]
    for process in started:
        process.stdin.write(b"go\n")
        process.stdin.close()
    assert [process.wait(timeout=100) for process in started] == [0] * 8
    files = list((home / "logs").glob("connectors.log*"))
    assert len(files) > 100
    runs = [json.loads(line)["run"] for file in files for line in file.read_text().splitlines()]
    assert sorted(runs) == sorted(f"p{p}-{n}" for p in range(8) for n in range(count))


def test_a_stopped_process_that_holds_the_lock_holds_up_nobody_for_long(home):
    holder = (
        "import pathlib, sys, time; from core.logs import RunLog\n"
        "log = RunLog(pathlib.Path(sys.argv[1])); log.file.parent.mkdir(exist_ok=True)\n"
        "with log._locked(): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(home)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        process.send_signal(signal.SIGSTOP)
        try:
            log = RunLog(home)
            began = time.monotonic()
            for _ in range(20):
                log.write(**RUN, caller=ADA)
            took = time.monotonic() - began
        finally:
            process.kill()
    assert log.problem is None
    assert len(lines(home)) == 20
    # It waits its two seconds once, not for every run.
    assert 2 <= took < 10


def test_a_log_that_cannot_be_written_is_told_once_and_fails_no_run(home, capsys):
    (home / "logs").write_text("in the way")
    log = RunLog(home)
    log.write(**RUN, caller=ADA)
    log.write(**RUN, caller=ADA)
    assert log.problem == f"The log {log.file} cannot be written: File exists."
    assert capsys.readouterr().err == f"{log.problem} Runs go on without it.\n"
    (home / "logs").unlink()
    log.write(**RUN, caller=ADA)
    assert log.problem is None
    assert len(lines(home)) == 1


@pytest.mark.parametrize("held", [False, True])
def test_a_disk_that_fills_up_leaves_no_half_line(home, capsys, held):
    log = RunLog(home)
    log.write(**RUN, caller=ADA)
    with contextlib.ExitStack() as stack:
        if held:
            guard = stack.enter_context(log._guard.open("rb+"))
            assert lock_descriptor(guard.fileno(), blocking=False)
        _filled_up(home, log, held=held)


def _filled_up(home, log, *, held):
    size = log.file.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    # The system cuts a write at this size as it does where a disk is full.
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, hard))
    try:
        log.write(**RUN, caller=ADA)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    # Where another writes too, it may have gone on behind the half line: that one stays.
    assert log.file.stat().st_size == size + 20 * held
    assert log.problem == f"The log {log.file} cannot be written: No space left on device."
    if not held:
        log.write(**RUN, caller=ADA)
        assert len(list(map(json.loads, lines(home)))) == 2


@pytest.fixture
def loud():
    """A root logger at DEBUG with a handler, as somebody who hunts a bug would set it."""
    root = logging.getLogger()
    factory, level = logging.getLogRecordFactory(), root.level
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.removeHandler(handler)
    root.setLevel(level)
    logging.setLogRecordFactory(factory)


LOGGERS = [name for one in declared() for name in one.loggers]
TOKENS = [shape for one in declared() for shape in one.token_shapes]


def test_a_library_that_prints_bodies_is_silent(loud):
    quiet_libraries(Redactor(), LOGGERS)
    # Names no other test has used: some libraries give their loggers levels of their own.
    for name in ("httpx.a", "slack_sdk.a", "telegram.a", "urllib3.a"):
        logging.getLogger(name).critical("the whole body: %s", "private words")
    assert loud.getvalue() == ""


def test_a_library_that_somebody_turns_up_still_says_nothing_private(loud):
    quiet_libraries(Redactor(), LOGGERS)
    logger = logging.getLogger("slack_sdk.made_loud")
    logger.setLevel(logging.DEBUG)
    try:
        int("private words")
    except ValueError:
        logger.exception("body: %s", "private words")
    logger.setLevel(logging.NOTSET)
    assert loud.getvalue() == (
        "slack_sdk.made_loud said something that is withheld: it may be private\n"
    )


def test_what_is_withheld_troubles_nobody_on_a_terminal():
    ran = subprocess.run([sys.executable, "-c", _LOUD], capture_output=True, text=True, check=True)
    assert ran.stderr == "asyncio is heard\n"


_LOUD = """
import logging
from core.logs import quiet_libraries
from core.masking import Redactor
quiet_libraries(Redactor(), ["slack_sdk"])
logging.getLogger("slack_sdk.app").setLevel(logging.WARNING)
logging.getLogger("slack_sdk.app").warning("private words")
logging.getLogger("asyncio").warning("asyncio is heard")
"""


def test_whatever_else_is_logged_is_cleaned_with_its_traceback(loud):
    quiet_libraries(Redactor(["canary-secret"], TOKENS))
    logger = logging.getLogger("asyncio")
    try:
        int("canary-secret")
    except ValueError:
        logger.exception("it was %s", "canary-secret", stack_info=True)
    logger.debug("below a warning")
    logging.getLogger("ours").debug("%d%% of %s", 5, "xoxb-123-abcdef")
    logging.getLogger("ours").warning("a %s too few", *())
    said = loud.getvalue()
    assert "canary-secret" not in said
    assert "it was ****\nTraceback" in said
    assert "invalid literal for int() with base 10: '****'" in said
    assert said.endswith("5% of ****\na %s too few\n")
    assert "below" not in said


def test_new_secrets_replace_the_old_and_nothing_piles_up(loud):
    quiet_libraries(Redactor(["first-secret"]))
    quiet_libraries(Redactor(["second-secret"]))
    logging.getLogger("ours").warning("first-secret second-secret")
    assert loud.getvalue() == "first-secret ****\n"


@pytest.mark.skipif(os.name != "posix", reason="umask is POSIX")
def test_a_careless_umask_changes_nothing(home):
    before = os.umask(0)
    try:
        RunLog(home).write(**RUN, caller=ADA)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(file.stat().st_mode) for file in (home / "logs").iterdir()} == {0o600}
