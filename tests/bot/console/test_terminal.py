"""A person at the console: what is asked, completed, cleared, and how it ends."""

import os
import signal

import pytest

from tests.support.bot_console import Person
from tests.support.sandbox import Answer


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
