import json
import signal
import subprocess
import sys

import pytest

from core.ledger import Ledger
from tests.support.cli import ROOT, command, environment, levqor
from tests.support.sandbox import Answer, DropAfter, Hang
from tests.support.waiting import wait_for


def test_a_run_prints_its_receipt_and_the_home_it_used(home, sandbox):
    ran = levqor("--home", home, "run", "slack.send", "The", "build", env=sandbox.settings())
    assert ran.status == 0
    assert "Slack: sent · run " in ran.out
    assert ran.err == f"home: {home}\n"
    assert [one.json for one in sandbox.slack.writes] == [{"text": "The build"}]


def test_a_receipt_in_json_is_the_wire_s_own(cli):
    printed = cli("run", "slack.send", "hello", "--output", "json")
    assert printed.status == 0
    assert printed.json == {"status": "sent", "run": printed.json["run"]}
    assert len(printed.json["run"]) == 10


def test_rows_appended_are_counted(cli):
    printed = cli("run", "sheets.append", "a,1\nb,2", "--output", "json")
    assert printed.json["status"] == "appended"
    assert printed.json["updated"] == 2


def test_words_that_begin_with_a_dash_are_text(cli, sandbox):
    printed = cli("run", "slack.send", "-5", "degrees", "--- cold")
    assert printed.status == 0
    assert sandbox.slack.writes[0].json == {"text": "-5 degrees --- cold"}


def test_the_whole_input_may_come_as_json_on_standard_input(home, sandbox):
    given = '{"to": "ann@example.com", "subject": "S", "text": "T"}'
    ran = levqor(
        "--home", home, "run", "email.send", "--json", "-", stdin=given, env=sandbox.settings()
    )
    assert ran.status == 0
    assert sandbox.resend.writes[0].json["to"] == ["ann@example.com"]


@pytest.mark.parametrize(
    ("args", "field"),
    [
        (["--json", '{"text": "a"}', "text=b"], "--json"),
        (["--json", "{" + " " * 262_144], "--json"),
        (["txet=hello"], "txet"),
        ([], "text"),
        (["--test", "hello"], "--test"),
    ],
)
def test_input_that_breaks_the_contract_names_the_field(cli, sandbox, args, field):
    printed = cli("run", "slack.send", *args, "--output", "json")
    assert printed.status == 2
    assert printed.json["error"] == "validation_error"
    assert [fault["field"] for fault in printed.json["details"]] == [field]
    assert sandbox.slack.received == []


def test_every_fault_is_said_at_once(cli):
    printed = cli("run", "email.send", "to=ann@example.com", "subject=" + "x" * 201)
    assert printed.status == 2
    assert "subject: " in printed.err
    assert "text: is required" in printed.err
    assert "Write it like this: levqor run email.send to=… subject=… text" in printed.err
    assert printed.out == ""


def test_a_misspelt_action_exits_2_with_the_nearest(cli):
    printed = cli("run", "slack.sned", "hello", "--output", "json")
    assert printed.status == 2
    assert printed.json == {
        "error": "not_found",
        "message": "There is no such action.",
        "fix": "Did you mean slack.send?",
    }


def test_a_connector_that_is_not_set_up_exits_3(home):
    ran = levqor("--home", home, "run", "slack.send", "hello", "--output", "json")
    assert ran.status == 3
    assert ran.json["error"] == ran.json["reason"] == "not_configured"
    assert "SLACK_WEBHOOK_URL" in ran.json["message"]


def test_the_second_run_of_a_day_exits_4(cli):
    cli("run", "slack.send", "one")
    printed = cli("run", "slack.send", "two", "--output", "json")
    assert printed.status == 4
    assert printed.json["error"] == "rate_limited"
    assert printed.json["message"] == "Free plan: 1 slack call/day. Upgrade for unlimited."
    assert printed.json["upgrade"] == "/pricing"
    assert "levqor plan set cli:" in printed.json["fix"]


def test_a_caller_who_may_not_exits_5(cli, monkeypatch):
    monkeypatch.setenv("LEVQOR_ALLOW", "telegram:42=*")
    printed = cli("run", "slack.send", "hello", "--output", "json")
    assert printed.status == 5
    assert printed.json["error"] == "forbidden"


def test_a_second_test_send_within_a_minute_exits_6(cli):
    assert cli("run", "slack.send", "--test").status == 0
    printed = cli("run", "slack.send", "--test", "--output", "json")
    assert printed.status == 6
    assert printed.json["error"] == "busy"
    assert 50 <= printed.json["retry_after"] <= 60


def test_a_ledger_that_is_none_exits_7_and_names_the_file(cli, home):
    (home / "levqor.db").write_bytes(b"not a database, but somebody's thesis" * 100)
    printed = cli("run", "slack.send", "hello", "--output", "json")
    assert printed.status == 7
    assert printed.json["error"] == "ledger_error"
    assert str(home / "levqor.db") in printed.json["message"]


def test_what_the_service_refuses_exits_1_and_says_what_to_do(cli, sandbox):
    sandbox.slack.next(Answer(404, "no_service"))
    printed = cli("run", "slack.send", "hello", "--output", "json")
    assert printed.status == 1
    assert printed.json["error"] == "upstream_error"
    assert printed.json["outcome"] == "refused"
    assert printed.json["fix"]


def test_what_may_have_arrived_exits_1_in_doubt(cli, sandbox):
    sandbox.slack.next(DropAfter())
    printed = cli("run", "slack.send", "hello", "--output", "json")
    assert printed.status == 1
    assert printed.json["outcome"] == "unknown"
    assert printed.json["in_doubt"] is True


def test_in_text_a_refusal_goes_to_standard_error(cli, sandbox):
    sandbox.slack.next(Answer(404, "no_service"))
    printed = cli("run", "slack.send", "hello")
    assert printed.status == 1
    assert printed.out == ""
    assert "What to do: " in printed.err


def test_a_test_send_uses_no_quota(cli):
    assert cli("run", "slack.send", "--test").status == 0
    assert cli("run", "slack.send", "hello").status == 0


def test_the_tray_s_child_asks_as_the_tray(cli, home):
    printed = cli("--surface", "tray", "run", "slack.send", "--test", "--output", "json")
    with Ledger.open(home) as ledger:
        entry = ledger.run(printed.json["run"])
    assert entry.surface == "tray"
    assert entry.caller.startswith("tray:")


def test_ctrl_c_ends_a_run_that_hangs_and_says_what_became_of_it(home, sandbox):
    sandbox.slack.always(Hang())
    child = subprocess.Popen(
        command("--home", home, "run", "slack.send", "hello", "--output", "json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**sandbox.settings()),
        cwd=ROOT,
    )
    with Ledger.open(home) as ledger:
        wait_for(lambda: [entry for entry in ledger.runs() if entry.state == "sending"])
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=120)
        said = json.loads(out)
        assert child.returncode == 130
        assert said["error"] == "interrupted"
        assert ledger.run(said["run"]).state == "unknown"


# Presses Ctrl-C whenever this program is where the first argument says, one place after another.
PRESSING = """
import signal, sys, threading, time, traceback
from core.cli import main
me = threading.main_thread().ident

def press():
    for place in sys.argv[1].split(","):
        there = set()
        while not there.issuperset(place.split("+")):
            time.sleep(0.01)
            there = {at.f_code.co_name for at, _ in traceback.walk_stack(sys._current_frames()[me])}
        signal.pthread_kill(me, signal.SIGINT)

threading.Thread(target=press, daemon=True).start()
sys.exit(main(sys.argv[2:]))
"""


def test_ctrl_c_pressed_again_and_again_ends_at_once_and_the_run_is_found_later(home, sandbox):
    sandbox.slack.always(Hang())
    places = "_wait+result,_wait+drain+wait,__exit__+drain+wait"
    words = ["--home", home, "run", "slack.send", "hello"]
    child = subprocess.run(
        [sys.executable, "-c", PRESSING, places, *words],
        check=False, capture_output=True, text=True, env=environment(**sandbox.settings()),
        cwd=ROOT, timeout=120,
    )  # fmt: skip
    assert (child.returncode, "Traceback" in child.stderr) == (130, False), child.stderr
    with Ledger.open(home) as ledger:
        assert [(run.state, run.reason) for run in ledger.recover()] == [("unknown", "interrupted")]


def test_ctrl_c_while_a_question_is_out_is_one_document_too(home, sandbox):
    sandbox.slack.always(Hang())
    child = subprocess.Popen(
        command("--home", home, "health", "--live", "--output", "json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**sandbox.settings()),
        cwd=ROOT,
    )
    wait_for(lambda: sandbox.slack.received)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=120)
    assert child.returncode == 130
    assert json.loads(out) == {"error": "interrupted", "message": "Interrupted."}
    assert "Traceback" not in err


@pytest.mark.parametrize("surface", ["slack", "telegram", "http", "console", "x", "cli:b", "TRAY"])
def test_nobody_at_the_terminal_asks_as_somebody_elsewhere(cli, home, surface):
    printed = cli("--surface", surface, "run", "slack.send", "hello", "--output", "json")
    assert printed.status == 2
    assert printed.json["error"] == "validation_error"
    assert not (home / "levqor.db").exists()


def test_the_tray_asks_as_itself(cli):
    assert cli("--surface", "tray", "run", "slack.send", "hello").status == 0
    (run,) = cli("runs", "--output", "json").json["runs"]
    assert run["surface"] == "tray"
