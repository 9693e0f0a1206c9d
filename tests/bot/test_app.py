"""The bot's life: every surface started side by side, and stopped in order."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from bot.app import main
from bot.app.frame import Bot
from bot.app.process import listen_to_signals, live
from bot.web import Web
from core.callers import Caller
from core.engine import Engine
from core.errors import Busy, InProgress, NotConfigured
from core.sandbox import Delay, Hang
from core.settings import Address
from tests.support.web import wait_for

ME = Caller("console", "ann")
TEXT = {"text": "Hello"}


class Way:
    """A surface that writes down what is asked of it."""

    def __init__(self, name, diary, work=None):
        self.name = name
        self._diary = diary
        self._work = work

    def hooks(self):
        return ()

    async def start(self, bot):
        self._diary.append(f"{self.name} started")
        if self._work:
            await self._work(bot)

    async def pause(self):
        self._diary.append(f"{self.name} paused")

    async def stop(self):
        self._diary.append(f"{self.name} stopped")


def lived(engine, *surfaces, grace=2.0):
    async def life():
        bot = Bot(engine)
        listen_to_signals(bot)
        return await live(bot, surfaces, grace=grace)

    return asyncio.run(life())


def ending(status=0):
    async def work(bot):
        bot.end(status)

    return work


def test_surfaces_start_side_by_side_and_stop_in_two_steps(engine):
    diary = []

    async def unreachable(bot):
        await asyncio.sleep(3600)

    end = lived(engine, Way("a", diary, unreachable), Way("b", diary, ending(0)))
    assert end.status == 0
    assert diary[:2] == ["a started", "b started"]
    assert sorted(diary[2:4]) == ["a paused", "b paused"]
    assert sorted(diary[4:]) == ["a stopped", "b stopped"]


def test_a_refused_token_ends_with_status_3_and_one_line(engine):
    async def refused(bot):
        raise NotConfigured("Slack refuses the token.", fix="Make a new one.")

    end = lived(engine, Way("a", [], refused))
    assert (end.status, end.line) == (3, "Slack refuses the token. Make a new one.")


def test_a_fault_of_our_own_ends_with_status_7_and_no_words_of_its_own(engine):
    async def broken(bot):
        raise ZeroDivisionError("canary-7f3a")

    end = lived(engine, Way("a", [], broken))
    assert end.status == 7
    assert "canary" not in end.line


def test_the_first_reason_to_end_stands(engine):
    async def twice(bot):
        bot.end(4, "first")
        bot.end(0)

    assert lived(engine, Way("a", [], twice)).status == 4


def test_a_surface_that_cannot_stop_does_not_keep_the_others(engine):
    diary = []

    class Broken(Way):
        async def pause(self):
            raise OSError

    lived(engine, Broken("a", diary, ending()), Way("b", diary))
    assert "b stopped" in diary


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_what_is_out_settle_and_be_told(engine, sandbox, number):
    sandbox.slack.next(Delay(0.5))
    told = []

    async def work(bot):
        accepted = await bot.accept("slack.send", TEXT, ME)
        bot.spawn(tell(bot, accepted))
        await asyncio.to_thread(wait_for, lambda: sandbox.slack.received)
        os.kill(os.getpid(), number)

    async def tell(bot, accepted):
        told.append((await bot.settle(accepted)).outcome)

    assert lived(engine, Way("a", [], work)).status == 0
    assert told == ["sent"]


def test_what_is_out_after_the_grace_is_unknown(home, settings, sandbox):
    sandbox.slack.next(Hang())
    engine = Engine.open(settings)
    outcomes = []

    async def work(bot):
        outcomes.append(asyncio.ensure_future(bot.run("slack.send", TEXT, ME)))
        await asyncio.sleep(0.3)
        bot.end()

    began = time.monotonic()
    assert lived(engine, Way("a", [], work), grace=0.5).status == 0
    assert time.monotonic() - began < 9
    with Engine.open(settings) as later:
        assert [entry.state for entry in later.ledger.runs()] == ["unknown"]


def test_nothing_new_starts_once_the_end_has_begun(engine):
    refused = []

    class Late(Way):
        async def pause(self):
            for way in (self.bot.accept, self.bot.run):
                try:
                    await way("slack.send", TEXT, ME)
                except Busy as error:
                    refused.append(error.message)

    late = Late("a", [], ending())

    async def remember(bot):
        late.bot = bot
        bot.end()

    late._work = remember
    lived(engine, late)
    assert refused == ["Levqor is stopping; nothing was sent."] * 2
    assert len(refused) == 2


def test_a_request_that_is_cancelled_while_it_is_accepted_is_still_sent(engine, sandbox):
    async def work(bot):
        asked = asyncio.ensure_future(bot.accept("slack.send", TEXT, ME))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.wait([asked])
        assert asked.cancelled()
        await asyncio.to_thread(wait_for, lambda: sandbox.slack.writes)
        bot.end()

    assert lived(engine, Way("a", [], work)).status == 0
    assert len(sandbox.slack.writes) == 1


def test_a_run_nobody_waits_for_any_more_still_settles(engine, sandbox):
    sandbox.slack.next(Delay(0.3))

    async def work(bot):
        asked = asyncio.ensure_future(bot.run("slack.send", TEXT, ME))
        await asyncio.to_thread(wait_for, lambda: sandbox.slack.received)
        asked.cancel()
        ledger = bot.engine.ledger
        await asyncio.to_thread(wait_for, lambda: ledger.runs(1)[0].state == "sent")
        bot.end()

    assert lived(engine, Way("a", [], work)).status == 0


def test_a_repeated_key_whose_run_is_out_is_in_progress(engine, sandbox):
    sandbox.slack.next(Delay(0.5))
    said = []

    async def work(bot):
        first = asyncio.ensure_future(bot.run("slack.send", TEXT, ME, key="k", rebind=True))
        await asyncio.to_thread(wait_for, lambda: sandbox.slack.received)
        try:
            await bot.run("slack.send", TEXT, ME, key="k", rebind=True)
        except InProgress as error:
            said.append(error.run)
        said.append((await first).run)
        bot.end()

    lived(engine, Way("a", [], work))
    assert said[0] == said[1]


def test_a_job_that_fails_is_logged_by_its_kind_alone(engine, caplog):
    async def broken():
        raise KeyError("canary-7f3a")

    async def work(bot):
        await asyncio.wait([bot.spawn(broken(), name="job")])
        await asyncio.sleep(0)
        bot.end()

    lived(engine, Way("a", [], work))
    assert "A background job (job) failed: KeyError" in caplog.text
    assert "canary" not in caplog.text


def test_a_taken_port_nobody_chose_is_said_and_done_without(engine, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        web = Web(Address("127.0.0.1", taken.getsockname()[1]), optional=True)
        ways = []

        async def look(bot):
            await asyncio.sleep(0.3)
            ways.extend(bot.engine.ledger.inbounds())
            bot.end()

        assert lived(engine, web, Way("a", [], look)).status == 0
    assert [(way.surface, way.ok) for way in ways] == [("http", False)]
    assert "cannot listen" in capsys.readouterr().err


# The program itself


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
        f"Levqor cannot listen on {address} (Address already in use). "
        "Choose another address with --http or LEVQOR_HTTP, or start with --no-http."
    )


def test_a_platform_that_posts_needs_http(start, sandbox):
    process = start("--no-http", environ=sandbox.settings("http"))
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 3
    assert "Start levqor-bot without --no-http." in errors.splitlines()[-1]


def test_a_home_that_cannot_be_written_ends_with_status_7_and_names_it(start, home):
    (home / "levqor.db").write_bytes(b"this is no database" * 100)
    process = start("--sandbox", "--http", "127.0.0.1:0")
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 7
    assert "levqor.db" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    "args", [["--http", "nowhere"], ["--http", "127.0.0.1:99999"], ["--http", "a:1", "--no-http"]]
)
def test_a_command_line_that_makes_no_sense_ends_with_status_2(args, capsys):
    with pytest.raises(SystemExit) as left:
        main(args)
    assert left.value.code == 2
    assert "levqor-bot" in capsys.readouterr().err
