import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.callers import Caller
from core.connectors import CONNECTORS
from core.engine import Engine, targets
from core.settings import Settings
from tests.support.sandbox import Answer

ROOT = Path(__file__).parents[3]
BOT = [sys.executable, "-c", "import sys; from bot.app import main; sys.exit(main())"]


def play(script, *args, home=None, env=None):
    """Run a script through the console against the sandbox; (exit status, stdout)."""
    more = ["--home", str(home)] if home else []
    done = subprocess.run(
        [*BOT, *more, "--sandbox", "--console", "--no-http", *args],
        input=script if isinstance(script, bytes) else script.encode(),
        env={**os.environ, **(env or {})},
        capture_output=True, cwd=ROOT, timeout=60, check=False,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout.decode("utf-8", "replace")


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


class Person:
    """Somebody at a real pseudo-terminal."""

    def __init__(self, *args):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.environ["TERM"] = "xterm"
            os.execv(sys.executable, [*BOT, *args])
        self.seen = ""

    def until(self, text, seconds=20):
        end = time.monotonic() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            assert ready, f"{text!r} did not come; there is {self.seen[-2000:]!r}"
            try:
                got = os.read(self.fd, 65536).decode(errors="replace")
            except OSError:
                got = ""
            assert got, f"{text!r} did not come; there is {self.seen[-2000:]!r}"
            # The terminal is asked where its cursor stands; answer as one would.
            if "\x1b[6n" in got:
                os.write(self.fd, b"\x1b[1;1R")
            self.seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r", "", got)
        before, _, self.seen = self.seen.partition(text)
        return before

    def types(self, text):
        os.write(self.fd, text.encode())

    def leaves(self):
        """Close the terminal; with SIGTERM for a test run that ignores hang-ups."""
        os.close(self.fd)
        if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
            os.kill(self.pid, signal.SIGTERM)
        for _ in range(200):
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.05)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        pytest.fail("the console did not end")


@pytest.fixture
def person():
    someone = Person("--sandbox", "--console", "--no-http")
    someone.until("levqor> ")
    yield someone
    someone.leaves()


def test_the_same_again_is_asked_about_in_a_terminal(person):
    person.types("slack.send hello\r")
    person.until("Slack: sent")
    person.types("slack.send hello\r")
    person.until("Send it again?")
    person.until("[y/N]")
    person.types("\r")
    person.until("Not sent again.")
    person.types("slack.send hello\r")
    person.until("Send it again?")
    person.until("[y/N]")
    person.types("y\r")
    person.until("Slack: sent")


def test_what_was_not_sent_is_offered_again_in_a_terminal(home, sandbox, monkeypatch):
    for name, value in {**sandbox.settings(), "LEVQOR_TELEGRAM": "off"}.items():
        monkeypatch.setenv(name, value)
    sandbox.slack.next(*[Answer(429, headers={"Retry-After": "0"})] * 6, on="webhook")
    someone = Person("--home", str(home), "--console", "--no-http")
    someone.until("levqor> ")
    someone.types("slack.send hello\r")
    for answer in ("y\r", "\r"):
        someone.until("Not sent. ")
        someone.until("Send again?")
        someone.until("[y/N]")
        someone.types(answer)
    someone.until("Nothing was sent.")
    someone.types("slack.send hello\r")
    someone.until("Slack: sent")
    someone.leaves()


def test_an_action_without_words_asks_field_by_field(person):
    person.types("email.send\r")
    person.until("to: ")
    person.types("delivered@resend.dev\r")
    person.until("subject: ")
    person.types("Hi\r")
    person.until("text: ")
    person.types("It works\r")
    person.until("E-mail: sent")


def test_a_target_is_completed_chosen_in_a_form_and_typed(home, sandbox):
    with Engine.open(Settings(home, sandbox_urls=sandbox.settings())) as engine:
        where = {"to": "ann@example.com"}
        targets.add(engine, "ops", "email.send", where, None, by=Caller("cli", "root"))
    person = Person("--home", str(home), "--sandbox", "--console", "--no-http")
    person.until("levqor> ")
    person.types("email.send ta")
    person.until("target=ops")
    person.types("\x15email.send\r")
    person.until("One of: ops.")
    person.types("ops\r")
    person.until("subject: ")
    person.types("Hi\r")
    person.until("text: ")
    person.types("It works\r")
    person.until("E-mail: sent (target ops)")
    person.types("email.send target=ops subject=Hi Again\r")
    person.until("E-mail: sent (target ops)")
    person.leaves()


def test_an_answer_that_will_not_do_is_asked_for_again_at_once(person):
    person.types("email.send\r")
    person.until("to: ")
    person.types("\r")
    person.until("This field is required.")
    person.until("to: ")
    person.types("ann\r")
    person.until("to: must be one address and nothing else, like ann@example.com")
    person.until("to: ")
    person.types("ann@example.com\r")
    person.until("subject: ")


def test_a_form_asks_for_what_a_command_left_out(person):
    person.types("email.send to=delivered@resend.dev\r")
    person.until("Already given: to.")
    assert "to:" not in person.until("subject: ")
    person.types("Hi\r")
    person.until("text: ")
    person.types("It works\r")
    person.until("E-mail: sent")


def test_a_command_that_is_wrong_is_refused_and_no_form_opens(person):
    person.types("email.send too=delivered@resend.dev\r")
    person.until("did you mean to?")
    person.until("levqor> ")


def test_a_form_that_could_only_be_refused_is_not_opened(home):
    someone = Person("--home", str(home), "--console", "--no-http")
    someone.until("levqor> ")
    someone.types("email.send to=delivered@resend.dev\r")
    someone.until("E-mail is not set up.")
    someone.until("levqor> ")
    someone.leaves()


def test_rows_that_cannot_be_read_do_not_end_the_console(person):
    person.types("sheets.append\r")
    person.until("range [A1]: ")
    person.types("\r")
    person.until("values: ")
    person.types('a,"b\r')
    person.until("values: has a cell whose quotes do not fit")
    person.until("values: ")
    person.types("a,b\r")
    person.until("appended 1 row")


def test_a_form_that_is_left_sends_nothing(person):
    person.types("email.send\r")
    person.until("to: ")
    person.types("\x03")
    person.until("Nothing was sent.")


def test_ctrl_c_clears_a_line_that_was_begun(person):
    for _ in range(2):
        person.types("slack.send not this")
        person.until("not this")
        person.types("\x03")
        person.until("The line is cleared. Press Ctrl-C again to leave.")
        person.until("levqor> ")
    person.types("whoami\r")
    person.until("You are console:")


def test_tab_completes_an_action(person):
    person.types("sla")
    person.until("slack.send")
    person.types("\t")
    person.until("slack.send ")
    person.types("hello\r")
    person.until("Slack: sent")


@pytest.mark.parametrize(("begun", "told"), [("runs", "your latest"), ("ex", "leave the")])
def test_questions_and_the_way_out_are_completed_too(person, begun, told):
    person.types(begun)
    person.until(told)


def test_a_terminal_that_goes_away_ends_it_in_order():
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        pytest.skip("started with nohup: hang-ups are ignored here")
    someone = Person("--sandbox", "--console", "--no-http")
    someone.until("levqor> ")
    assert someone.leaves() == 0


@pytest.mark.parametrize("keys", ["quit\r", "exit\r", "\x03", "\x04"])
def test_quit_or_an_empty_lines_second_ctrl_c_or_d_ends_with_status_zero(keys):
    someone = Person("--sandbox", "--console", "--no-http")
    someone.until("levqor> ")
    someone.types(keys)
    if keys == "\x03":
        someone.until("Press Ctrl-C again to leave.")
        someone.until("levqor> ")
        someone.types(keys)
    _, status = os.waitpid(someone.pid, 0)
    os.close(someone.fd)
    assert os.waitstatus_to_exitcode(status) == 0
