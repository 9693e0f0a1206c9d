"""Checks: when they run, what they show, and what a click makes of them."""

from __future__ import annotations

import datetime as dt
import shutil
import threading
import time
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import pytest

from tests.support.desktop import until
from tests.support.tray_states import BAD, CHALK, DUCK
from tray.actions import Actions
from tray.autostart import Autostart
from tray.desktop import Paths, SingleInstance
from tray.poller import Poller
from tray.rows import Command
from tray.source import Pairing, SourceError
from tray.state import Health, Notify, Run, SourceInfo, State
from tray.state import TestResult as Result
from tray.summary import IconState


class Script:
    """A source that answers as the test says."""

    def __init__(self, home):
        self.info = SourceInfo("this computer", home)
        self.answer = (CHALK, DUCK)
        self.asked = 0
        self.console = None
        self.link = "http://127.0.0.1:8787/sign-in/c0de?to="
        self.tested = []
        self.gate = threading.Event()
        self.gate.set()

    def health(self):
        self.asked += 1
        self.gate.wait(5)
        if isinstance(self.answer, Exception):
            raise self.answer
        return Health(time.time(), self.answer, console=self.console)

    def runs(self):
        return ()

    def own_runs(self):
        return (Run("r4", time.time(), "sent", "chalk.write"),)

    def console_link(self, page):
        if isinstance(self.link, Exception):
            raise self.link
        return f"{self.link}{page}"

    def test(self, action):
        self.tested.append(action)
        return Result("sent", "sent", run="r1", at=time.time())

    def pair(self):
        return Pairing("CODE47", "/start CODE47", None)

    def settings(self):
        return self.info.settings_file

    def close(self):
        pass


class Screen:
    """A window that remembers what it was given."""

    error = None
    copies = True

    def __init__(self):
        self.menus, self.notifications, self.copied, self.stopped = [], [], [], False

    def show(self, menu):
        self.menus.append(menu)

    def notify(self, notification):
        self.notifications.append(notification)

    def copy(self, text):
        self.copied.append(text)
        return self.copies

    def stop(self):
        self.stopped = True


@contextmanager
def polling(folder, every=300.0, clock=time.time, command="levqor-tray"):
    source, screen, paths = Script(folder), Screen(), Paths("x", folder)
    instance = SingleInstance(paths)
    assert instance.take()
    poller = Poller(
        source,
        State(time.time(), source.info),
        instance,
        every=every,
        clock=clock,
        tick=0.01,
    )
    poller.opened, poller.opens = [], True

    def opener(file):
        poller.opened.append(file)
        return poller.opens

    poller.start(screen, Actions(poller, screen, paths, Autostart([command]), opener))
    try:
        until("the first check is done", lambda: poller.state.health or poller.state.fault)
        until("and over", lambda: not poller.state.checking)
        yield poller, source, screen
    finally:
        source.gate.set()
        poller.stop()
        instance.release()


def test_the_first_check_comes_at_once_and_the_next_by_schedule(tmp_path):
    with polling(tmp_path) as (poller, source, screen):
        assert poller.menu.icon is IconState.OK
        time.sleep(0.1)
        assert source.asked == 1
        assert screen.menus[0].icon is IconState.CHECKING


def test_a_tick_that_fails_does_not_end_the_watch(tmp_path, caplog):
    broken = []

    def clock():
        if broken and threading.current_thread().name == "poller":
            raise RuntimeError("no time")
        return time.time()

    with polling(tmp_path, clock=clock) as (poller, source, _screen):
        broken.append(True)
        until("it is logged", lambda: "a tick of the poller failed" in caplog.text)
        broken.clear()
        poller.click(Command("check"))
        until("it goes on", lambda: source.asked == 2)


def test_a_wake_up_is_a_reason_to_check(tmp_path):
    slept = [0.0]
    with polling(tmp_path, clock=lambda: time.time() + slept[0]) as (_, source, _screen):
        slept[0] = 3600.0
        until("it looks again", lambda: source.asked == 2)


def test_an_edited_settings_file_is_a_reason_to_check(tmp_path):
    with polling(tmp_path) as (_, source, _screen):
        source.info.settings_file.write_text("A=1\n")
        until("it looks again", lambda: source.asked == 2)


def test_check_now_shows_that_it_checks_and_runs_once(tmp_path):
    with polling(tmp_path) as (poller, source, _screen):
        source.gate.clear()
        poller.click(Command("check"))
        until("it says so", lambda: poller.menu.icon is IconState.CHECKING)
        source.gate.set()
        until("it is over", lambda: poller.menu.icon is IconState.OK)
        assert source.asked == 2


def test_a_reason_to_check_during_a_check_brings_one_more(tmp_path):
    with polling(tmp_path) as (poller, source, _screen):
        source.gate.clear()
        poller.check_now()
        until("one is out", lambda: source.asked == 2)
        poller.check_now()
        source.gate.set()
        until("another follows", lambda: source.asked == 3)


def test_nothing_is_checked_while_paused_unless_somebody_asks(tmp_path):
    with polling(tmp_path, every=0.05) as (poller, source, _screen):
        poller.click(Command("pause", seconds=3600))
        until("it is paused", lambda: poller.menu.icon is IconState.PAUSED)
        until("a check that was out is over", lambda: not poller.state.checking)
        asked = source.asked
        time.sleep(0.3)
        assert source.asked == asked
        poller.click(Command("check"))
        until("it looks all the same", lambda: source.asked == asked + 1)
        poller.click(Command("resume"))
        until("it goes on", lambda: source.asked > asked + 2)


def test_a_silent_source_is_asked_ever_less_often(tmp_path):
    with polling(tmp_path) as (poller, source, _screen):
        source.answer = SourceError("desk cannot be reached", "See that it runs.")
        waits = [poller._wait({}) for _ in range(7)]

    assert waits == [15.0, 30.0, 60.0, 120.0, 240.0, 300.0, 300.0]


def test_a_source_that_is_silent_for_weeks_is_still_asked(tmp_path):
    with polling(tmp_path, every=0.001) as (poller, source, _screen):
        waits = [poller._wait({}) for _ in range(5000)]
        assert waits == [0.001] * 5000
        source.answer = (CHALK, BAD)
        until("it goes on", lambda: poller.menu.icon is IconState.BROKEN)


def test_a_check_that_cannot_be_shown_does_not_hold_up_the_next(tmp_path, caplog):
    with polling(tmp_path, every=0.05) as (_, source, screen):
        screen.notify = None
        source.answer = SourceError("desk cannot be reached", "See that it runs.")
        until("it is logged", lambda: "could not be shown" in caplog.text)
        asked = source.asked
        until("it is asked again", lambda: source.asked > asked + 3)


def test_the_schedule_is_spread_by_a_tenth(tmp_path):
    with polling(tmp_path) as (poller, _source, _screen):
        waits = [poller._wait({"health": poller.state.health}) for _ in range(200)]

    assert all(270 <= wait <= 330 for wait in waits)
    assert max(waits) - min(waits) > 20


def test_a_source_that_goes_and_comes_needs_no_restart(tmp_path):
    with polling(tmp_path, every=0.05) as (poller, source, screen):
        source.answer = SourceError("desk cannot be reached", "See that it runs.")
        until("its loss is told", lambda: screen.notifications)
        assert poller.menu.icon is IconState.OFFLINE
        source.answer = (CHALK, DUCK)
        until("its return is told", lambda: len(screen.notifications) == 2)
        assert poller.menu.icon is IconState.OK
        titles = [each.title for each in screen.notifications]
        assert titles == ["desk cannot be reached", "Levqor answers again"]


def test_a_source_that_fails_in_a_new_way_does_not_end_the_watch(tmp_path, caplog):
    with polling(tmp_path, every=0.05) as (poller, source, _screen):
        source.answer = RuntimeError("new")
        until("it is logged", lambda: "a check failed" in caplog.text)
        until("it is said", lambda: poller.menu.rows[0].text == "The check itself failed")
        source.answer = (CHALK, BAD)
        until("it goes on", lambda: poller.menu.icon is IconState.BROKEN)


def test_a_test_send_is_made_told_and_looked_after(tmp_path):
    with polling(tmp_path) as (poller, source, screen):
        poller.click(Command("test", "chalk.write"))
        until("it is told", lambda: screen.notifications)
        assert screen.notifications[0].title == "Chalk: test sent"
        assert source.tested == ["chalk.write"]
        assert poller.state.test_results["chalk.write"].run == "r1"
        until("the row is made true", lambda: source.asked == 2)


def test_preferences_are_kept_for_the_next_start(tmp_path):
    from tray import preferences

    with polling(tmp_path) as (poller, _source, screen):
        poller.click(Command("mute", "duck", 3600))
        poller.click(Command("notify", "off"))
        until("both are made", lambda: poller.state.preferences.notify is Notify.OFF)
        assert poller.state.mute_left("duck")
        kept = Paths("x", tmp_path).preferences
        until("both are kept", lambda: preferences.load(kept) == poller.state.preferences)
        poller.click(Command("unmute", "duck"))
        until("it is heard again", lambda: not poller.state.mute_left("duck"))
        assert screen.notifications == []


def test_a_pairing_code_is_copied_and_told(tmp_path):
    with polling(tmp_path) as (poller, _source, screen):
        poller.click(Command("pair"))
        until("it is told", lambda: screen.notifications)
        assert screen.copied == ["CODE47"]
        assert "/start CODE47" in screen.notifications[0].body


@pytest.mark.parametrize(
    ("copies", "link", "said"),
    [
        (True, None, "Send the bot: /start CODE47 (the code is copied)"),
        (False, None, "Send the bot: /start CODE47"),
        (True, "https://t.me/x", "The link is copied: open it on the phone.\nhttps://t.me/x"),
        (False, "https://t.me/x", "Open this link on the phone.\nhttps://t.me/x"),
    ],
)
def test_only_what_was_copied_is_said_to_be(copies, link, said, tmp_path):
    with polling(tmp_path) as (poller, source, screen):
        screen.copies = copies
        source.pair = lambda: Pairing("CODE47", "/start CODE47", link)
        poller.click(Command("pair"))
        until("it is told", lambda: screen.notifications)
        assert screen.notifications[0].body == said


def test_how_to_fix_opens_the_page(tmp_path):
    with polling(tmp_path) as (poller, _source, _screen):
        poller.click(Command("how_to_fix", "duck"))
        until("it is opened", lambda: poller.opened)
        assert poller.opened[0].read_text().startswith("<!doctype html>")


def test_where_a_bot_shows_the_console_its_pages_are_opened_and_runs_listed(tmp_path):
    with polling(tmp_path) as (poller, source, screen):
        assert poller.state.own_runs == ()
        source.console = "http://127.0.0.1:8787"
        poller.click(Command("check"))
        until("its own runs are read", lambda: poller.state.own_runs)
        for number, command, page in (
            (1, Command("open_page", "/send/chalk.write"), "/send/chalk.write"),
            (2, Command("how_to_fix", "duck"), "/services/duck"),
        ):
            poller.click(command)
            until("it is opened", lambda number=number: len(poller.opened) == number)
            # Not as an argument, which every user of this computer can read.
            kept = poller.opened[-1]
            assert f"url=http://127.0.0.1:8787/sign-in/c0de?to={page}'" in kept.read_text()
            assert kept.stat().st_mode & 0o077 == 0
        source.link = SourceError("No bot shows the web console now", "Start one.")
        poller.click(Command("how_to_fix", "duck"))
        until("this computer's page is opened", lambda: len(poller.opened) == 3)
        assert "How to fix</h1>" in poller.opened[-1].read_text()
        poller.click(Command("open_page", "/runs/r4"))
        until("it is told", lambda: screen.notifications)
        told = screen.notifications[0]
        assert (told.title, told.body) == ("No bot shows the web console now", "Start one.")
        source.console = None
        poller.click(Command("check"))
        until("the rows are gone", lambda: poller.state.own_runs == ())


@pytest.mark.parametrize("what", ["nonsense", "test"])
def test_a_click_that_fails_does_not_end_the_watch(what, tmp_path, caplog):
    with polling(tmp_path) as (poller, source, screen):
        source.test = None
        poller.click(Command(what))
        until("it is logged", lambda: caplog.text)
        if what == "test":
            until("it is told", lambda: screen.notifications)
            assert screen.notifications[0].title == "That did not work"
            assert poller.state.sending == frozenset()
        poller.click(Command("check"))
        until("it goes on", lambda: source.asked >= 2)


def test_a_page_that_cannot_be_written_is_told(tmp_path):
    with polling(tmp_path / "file") as (poller, _source, screen):
        poller.click(Command("how_to_fix", "duck"))
        until("it is opened", lambda: poller.opened)
        shutil.rmtree(tmp_path / "file")
        (tmp_path / "file").touch()
        poller.click(Command("how_to_fix", "duck"))
        until("it is told", lambda: screen.notifications)
        assert screen.notifications[0].title == "That did not work"
        assert screen.notifications[0].body == f"{tmp_path / 'file'}: File exists"


@pytest.mark.parametrize(("day", "hours"), [(27, 19), (28, 18)])
def test_until_tomorrow_is_seven_in_the_morning_also_after_a_change_of_the_clock(
    day, hours, tmp_path, monkeypatch
):
    monkeypatch.setenv("TZ", "Europe/Berlin")  # an hour less on 29 March 2026
    time.tzset()
    noon = dt.datetime(2026, 3, day, 12, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    try:
        with polling(tmp_path, clock=lambda: noon) as (poller, _source, _screen):
            poller.click(Command("pause_until_tomorrow"))
            until("it is paused", lambda: poller.state.pause_left)
            assert poller.state.pause_left == hours * 3600
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_choice_that_cannot_be_kept_is_told(tmp_path):
    with polling(tmp_path / "file") as (poller, _source, screen):
        shutil.rmtree(tmp_path / "file")
        (tmp_path / "file").touch()
        poller.click(Command("mute", "duck", 3600))
        until("it is told", lambda: screen.notifications)
        told = screen.notifications[0]
        assert told.title == "Your choice is forgotten when Levqor quits"
        assert told.body == f"{tmp_path / 'file'}: File exists"
        assert poller.state.mute_left("duck")


def test_start_at_login_is_switched_on_and_off_and_a_failure_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with polling(tmp_path) as (poller, _source, screen):
        for on in (True, False):
            poller.click(Command("autostart"))
            until(f"it is {on}", lambda on=on: poller.state.autostart is on)
            assert (tmp_path / "config/autostart/levqor-tray.desktop").exists() is on
        shutil.rmtree(tmp_path / "config")
        (tmp_path / "config").touch()
        poller.click(Command("autostart"))
        until("it is told", lambda: screen.notifications)
        assert screen.notifications[0].title == "Start at login cannot be changed"
        assert screen.notifications[0].body.endswith(": Not a directory")
        assert not poller.state.autostart


def test_a_command_that_no_entry_can_hold_is_told_as_a_sentence(tmp_path):
    with polling(tmp_path, command="levqor\ntray") as (poller, _source, screen):
        poller.click(Command("autostart"))
        until("it is told", lambda: screen.notifications)
        assert screen.notifications[0].body == (
            "Its command has a line break or another character no entry can hold."
        )


def test_a_failed_run_that_was_looked_at_is_no_longer_news(tmp_path):
    with polling(tmp_path) as (poller, _source, _screen):
        poller.click(Command("acknowledge", "r4"))
        until("it is kept", lambda: poller.state.preferences.acknowledged_runs == ("r4",))


def test_a_second_click_while_a_test_is_out_sends_no_other(tmp_path):
    with polling(tmp_path) as (poller, source, screen):
        out = threading.Event()
        result, told = source.test, []

        def test(action):
            told.append(action)
            out.wait(60)
            return result(action)

        source.test = test
        for _ in range(3):
            poller.click(Command("test", "chalk.write"))
        poller.click(Command("acknowledge", "r4"))
        until("all were taken", lambda: poller.state.preferences.acknowledged_runs)
        out.set()
        until("it is told", lambda: screen.notifications)
        assert told == ["chalk.write"]


@pytest.mark.parametrize("copies", [True, False])
def test_files_are_opened_or_it_is_said_where_they_are(copies, tmp_path):
    log = tmp_path / "logs" / "connectors.log"
    with polling(tmp_path) as (poller, _source, screen):
        poller.click(Command("open_log"))
        until("it is told", lambda: screen.notifications)
        assert screen.notifications.pop().title == "There is no log yet"
        log.parent.mkdir()
        settings = tmp_path / ".env"
        for command, file in (
            ("open_log", log.parent), ("open_log_folder", log.parent), ("open_settings", settings),
        ):  # fmt: skip
            poller.click(Command(command))
            until(f"{file} is opened", lambda file=file: poller.opened == [file])
            poller.opened.clear()
        log.touch()
        screen.copies, poller.opens = copies, False
        poller.click(Command("open_log"))
        until("it is told", lambda: screen.notifications)
        copied = "; its path is copied" * copies
        assert screen.notifications[0].title == "Open connectors.log"
        assert screen.notifications[0].body == f"No program here opens it{copied}:\n{log}"
        assert screen.copied == [str(log)]


def test_what_is_on_another_computer_is_not_opened_here(tmp_path):
    with polling(tmp_path) as (poller, source, screen):
        source.info = SourceInfo("Levqor at levqor.example.com")
        for command in ("open_settings", "open_log", "open_log_folder", "check"):
            poller.click(Command(command))
        until("all were taken", lambda: source.asked == 2)
        assert (poller.opened, screen.notifications) == ([], [])


def test_who_wants_no_messages_gets_none_and_who_wants_all_has_each_run_looked_for(tmp_path):
    with polling(tmp_path) as (poller, source, screen):
        source.runs = lambda: (Run("r7", time.time(), "sent", "chalk.write"),)
        poller.click(Command("notify", "off"))
        poller.click(Command("test", "chalk.write"))
        until("it is tested", lambda: poller.state.test_results)
        until("the row is made true", lambda: source.asked == 2)
        assert screen.notifications == []
        poller.click(Command("notify", "everything"))
        poller.click(Command("check"))
        until("the runs are read", lambda: [run.run for run in poller.state.runs] == ["r7"])


def test_a_second_start_is_answered(tmp_path):
    with polling(tmp_path) as (_, _source, screen):
        assert not SingleInstance(Paths("x", tmp_path)).take()
        until("it is answered", lambda: screen.notifications)
        assert screen.notifications[0].title == "Levqor is already running"


def test_quit_ends_the_window(tmp_path):
    with polling(tmp_path) as (poller, _source, screen):
        poller.click(Command("quit"))
        until("it ends", lambda: screen.stopped)
