"""From a command to its reply, beside Errbot with its text backend, in its own environment.

Both read lines on standard input and print the reply on standard output, which are pipes: from the
line's last byte to the reply's mark. `whoami` is a question that both know; to send is one POST to
the same loopback server. On Errbot's side a plug-in posts, and nothing is kept. Beside it stands
the least that it takes to keep what Levqor promises through a power cut: the same plug-in, which
appends a line to a file and flushes it to the disk, twice before it posts, and appends one after
it. Errbot takes the next line half a second after each reply; that is not counted, and each is
asked after such a pause. Disk and processor then take longer than in a row. Until 27 November 2026,
13:34 UTC, Errbot had the pause before its last row alone: the rest it was asked right after Levqor.
"""

import os
import select
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.bench import peers, server
from tests.bench.measured import REPEATS, Measured, Skipped, median
from tests.support.cli import ROOT, environment

ERRBOT = "errbot==6.2.1"
TIMES = 6
BETWEEN_S = 0.6
PATIENCE_S = 60.0
ASK, SEND, KEPT = "whoami", "a message sent", "a message sent, each step flushed to a file"

_CONFIG = """
import logging
BACKEND = "Text"
BOT_DATA_DIR = BOT_EXTRA_PLUGIN_DIR = {folder!r}
BOT_LOG_FILE = {folder!r} + "/errbot.log"
BOT_LOG_LEVEL = logging.ERROR
BOT_ADMINS = ("@ann",)
BOT_IDENTITY = {{"username": "@errbot"}}
CORE_PLUGINS = ("Help", "Utils", "Backup", "ACLs", "CommandNotFoundFilter")
TEXT_DEMO_MODE = True
"""
_PLUG = "[Core]\nName = Sender\nModule = sender\n[Python]\nVersion = 3\n"
_PLUGIN = """
import os
import requests
from errbot import BotPlugin, botcmd
session = requests.Session()
session.trust_env = False
kept = open({folder!r} + "/kept", "ab", buffering=0)
class Sender(BotPlugin):
    @botcmd
    def send(self, msg, args):
        return "has been " + ("sent" if session.post({url!r}, json={{"text": args}}).ok else "lost")
    @botcmd
    def keep(self, msg, args):
        for line in (b"accepted\\n", b"sending\\n"):
            kept.write(line)
            os.fdatasync(kept)
        said = self.send(msg, args)
        kept.write(said.encode())
        return said
"""


class Talk:
    """A bot that reads standard input, and what it said."""

    def __init__(self, line, lines, **environ):
        self.lines = lines
        self._child = subprocess.Popen(
            line,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(**environ),
            cwd=ROOT,
        )

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._child.kill()
        self._child.communicate()

    def until(self, mark):
        """Read until a mark is there."""
        said = b""
        while mark not in said:
            ready, _, _ = select.select([self._child.stdout], [], [], PATIENCE_S)
            more = os.read(self._child.stdout.fileno(), 65536) if ready else b""
            if not more:
                raise SystemExit(f"{self._child.args[0]} did not reply")
            said += more

    def ask(self, name):
        """Milliseconds from a line to its reply, of what this bot has."""
        line, mark = self.lines[name]
        began = time.perf_counter()
        self._child.stdin.write(line + b"\n")
        self._child.stdin.flush()
        self.until(mark)
        return (time.perf_counter() - began) * 1000


def levqor(home, url):
    """`levqor-bot` on standard input."""
    line = [sys.executable, "-m", "bot.app", "--home", home, "--console", "--no-http"]
    lines = {
        ASK: (b"whoami", b"You are"),
        SEND: (b"slack.send The build is green.", b"Slack: sent"),
    }
    more = {"SLACK_WEBHOOK_URL": url, "LEVQOR_DEFAULT_PLAN": "pro", "LEVQOR_CHECK_MINUTES": "0"}
    return Talk(line, lines, **more)


def errbot(program, folder, url):
    """Errbot with the plug-in."""
    plugin = Path(folder, "sender")
    plugin.mkdir()
    (plugin / "sender.plug").write_text(_PLUG)
    (plugin / "sender.py").write_text(_PLUGIN.format(url=url, folder=folder))
    config = Path(folder, "config.py")
    config.write_text(_CONFIG.format(folder=folder))
    lines = {
        ASK: (b"!whoami", b"class is 'TextPerson'"),
        SEND: (b"!send The build is green.", b"has been sent"),
        KEPT: (b"!keep The build is green.", b"has been sent"),
    }
    line = [str(program.with_name("errbot")), "-c", str(config), "-T"]
    talk = Talk(line, lines, PYTHONUNBUFFERED="1")
    talk.until(b"Preferences")
    return talk


def measure():
    """Ask both in turns; without Errbot Levqor alone."""
    try:
        program, why = peers.python("errbot", ERRBOT), None
    except Skipped as error:
        program, why = None, error
    repeats = {}
    with ExitStack() as stack:
        url = f"{stack.enter_context(server.running())}/services/T1/B1/bench"
        folders = [stack.enter_context(tempfile.TemporaryDirectory()) for _ in range(2)]
        talks = {"levqor-bot": stack.enter_context(levqor(folders[0], url))}
        if program:
            talks["Errbot"] = stack.enter_context(errbot(program, folders[1], url))
        for number in range(REPEATS + 1):
            taken = {}
            for _ in range(TIMES):
                for asked in (ASK, SEND, KEPT):
                    for name in (name for name, talk in talks.items() if asked in talk.lines):
                        # Who is asked at once after another finds processor and server awake.
                        time.sleep(BETWEEN_S)
                        taken.setdefault((name, asked), []).append(talks[name].ask(asked))
            for what, each in taken.items() if number else ():  # the first warms up
                repeats.setdefault(what, []).append(median(each))
    for (name, asked), each in sorted(repeats.items()):
        aim = "at most Errbot's" if name == "levqor-bot" else ""
        yield Measured(f"{name}, {asked}", "ms", each, aim)
    if why:
        raise why
