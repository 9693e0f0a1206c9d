"""This computer as a source: children of this home's own core, and the sandbox."""

from __future__ import annotations

import contextlib
import json
import stat
import subprocess
import sys
import threading
import time

import psutil
import pytest

from core.connectors import CONNECTORS
from core.reports import Verdict
from tests.support.canary import CANARIES, assert_clean, secrets
from tests.support.tray_states import REPORT
from tests.support.waiting import wait_for
from tray import desktop
from tray.source import SourceError
from tray.source.local import Local
from tray.source.sandbox import sandbox as sandbox_source


def test_no_module_of_the_folder_it_was_started_in_is_loaded(tmp_path, home):
    (tmp_path / "core.py").write_text("raise SystemExit('from a strange folder')")
    source = Local(home)
    with contextlib.chdir(tmp_path):
        assert source.health().connectors
    source.close()


def test_a_home_that_is_not_made_yet_is_no_trouble(tmp_path):
    source = Local(tmp_path / "home")
    assert source.health().connectors
    assert source.runs() == ()
    assert list(tmp_path.iterdir()) == []
    source.close()


def test_a_further_account_of_this_home_is_shown_with_what_it_lacks(home):
    (home / ".env").write_text("SLACK_BOT_TOKEN__ACME=xoxb-acme-0123456789\n")
    source = Local(home)
    found = {c.name: c for c in source.health().connectors}
    source.close()
    acme = found["slack/acme"]
    assert (acme.title, acme.verdict) == ("Slack (acme)", Verdict.NOT_CONFIGURED)
    assert acme.settings == ("SLACK_WEBHOOK_URL__ACME",)
    assert found["slack"].settings == ("SLACK_WEBHOOK_URL",)


def test_a_core_that_is_gone_is_said_and_a_test_surely_not_sent(home):
    source = Local(home, command=("/nonexistent/python",))
    with pytest.raises(SourceError, match="core cannot be started: No such file or directory"):
        source.health()
    assert source.test("chalk.write").outcome == "not_sent"


def local(home, program):
    return Local(home, command=(sys.executable, "-c", program))


def test_the_real_core_is_asked_as_the_tray(home, sandbox):
    source = Local(home, environment=lambda: desktop.environment(sandbox.settings()))
    told = source.test("slack.send")
    (run,) = source.runs()

    assert (told.outcome, told.run) == ("sent", run.run)
    assert (run.surface, run.test, run.action) == ("tray", True, "slack.send")
    found = source.health()
    assert len(sandbox.slack.writes) == 1
    assert found.connectors[0].last_success.run == told.run
    assert [c.verdict for c in found.connectors] == [Verdict.OK] * len(found.connectors)
    pairing = source.pair()
    assert pairing.message == f"/start {pairing.code}"
    assert_clean(
        repr([told, run, found]),
        home,
        canaries=[*CANARIES.values(), *secrets(sandbox.settings())],
    )


def test_an_answer_that_cannot_be_read_is_said_as_such(home):
    with pytest.raises(SourceError) as caught:
        local(home, "print('Traceback')").health()

    assert caught.value.fault.words == "The answer of Levqor's core cannot be read"


def test_a_core_that_hangs_is_ended_and_said(home):
    with pytest.raises(SourceError, match="The checks took too long"):
        local(home, "import time; time.sleep(60)")._ask("health", seconds=0.5)


def test_a_link_that_is_no_safe_address_is_not_opened(home):
    source = local(home, 'print(\'{"link": "file:///etc/passwd"}\')')
    with pytest.raises(SourceError, match="The answer of Levqor's core cannot be read"):
        source.console_link("/")


def test_a_ledger_error_is_looked_into(tmp_path):
    program = 'print(\'{"error": "ledger_error", "message": "It is broken."}\')'
    with pytest.raises(SourceError) as caught:
        local(tmp_path, program).health()

    assert caught.value.fault.words == "It is broken."


def test_the_settings_file_is_made_for_its_owner_alone_and_no_home_in_place_of_one_that_has_gone(
    tmp_path,
):
    home = tmp_path / "data" / "home"
    source = local(home, f"print('{json.dumps(REPORT)}')")
    file = source.settings()
    assert file == home / ".env"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (home, file)] == [0o700, 0o600]
    assert file.read_text().startswith("# Levqor's settings, one NAME=value on each line.")
    file.write_text("A=1\n")
    assert source.settings().read_text() == "A=1\n"
    assert source.health()
    home.rename(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match="The home folder is gone"):
        source.settings()
    assert not home.exists()


def test_a_home_that_went_away_starts_no_child(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    source = local(home, f"print('{json.dumps(REPORT)}')")
    assert source.health()
    home.rmdir()
    with pytest.raises(SourceError) as caught:
        source.health()

    assert caught.value.fault.words == "The home folder is gone"
    assert caught.value.before_it_left


def test_a_test_whose_child_gave_no_answer_may_have_arrived(home):
    told = local(home, "print('nonsense')").test("chalk.write")

    assert told.outcome == "unknown"
    assert told.words.startswith("It may or may not have been sent.")


def test_a_killed_tray_takes_its_sandbox_along(tmp_path):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom tray.source.sandbox import sandbox\n"
        "with sandbox(Path(sys.argv[1])) as (source, _):\n"
        "    health = source.health()\n"
        "    print(len(health.configured), flush=True)\n"
        "    time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline() == b"%d\n" % len(CONNECTORS)
        asked = ["ps", "--ppid", str(parent.pid), "-o", "pid="]
        (child,) = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
        parent.kill()
    ends = time.monotonic() + 10
    while _runs(child):
        assert time.monotonic() < ends, "the sandbox outlived its tray"
        time.sleep(0.05)


def test_a_sandbox_that_did_not_start_is_said_and_no_real_service_asked_in_its_place(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with sandbox_source(file) as (source, _):
        for _ in range(2):
            with pytest.raises(SourceError, match=r"--home names .*, which is a file") as caught:
                source.health()
            assert caught.value.fault.fix == "See: levqor --help"
        told = source.test("slack.send")
    assert (told.outcome, told.words) == ("not_sent", str(caught.value))


def test_a_sandbox_that_died_at_its_start_is_said(tmp_path):
    (tmp_path / "home").mkdir()

    def started():
        children = psutil.Process().children()
        return [each for each in children if str(tmp_path / "home") in each.cmdline()]

    with sandbox_source(tmp_path / "home") as (source, _):
        wait_for(started)  # until it is another program, a child has its parent's command line
        (child,) = started()
        child.kill()
        with pytest.raises(SourceError, match="The sandbox did not start"):
            source.health()


def _runs(process):
    asked = ["ps", "-p", process, "-o", "stat="]
    state = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return state != "" and not state.startswith("Z")


def test_closing_ends_a_child_that_only_looks(home):
    source = local(home, "import time; time.sleep(60)")
    errors = []

    def look():
        try:
            source.health()
        except SourceError as error:
            errors.append(error.fault.words)

    looking = threading.Thread(target=look)
    looking.start()
    while not source._children:
        time.sleep(0.01)
    source.close()
    looking.join(10)

    assert errors == ["The answer of Levqor's core cannot be read"]
