"""An idle bot, Slack and Telegram on, beside an interpreter that imported the same libraries.

Resident memory in MB of a million bytes, processor time in per cent of one core; ready is when
both chats are connected and HTTP is answered.
"""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench.measured import REPEATS, Measured
from tests.support.bot import Program
from tests.support.sandbox import Sandbox

LIBRARIES = (
    "import slack_bolt.async_app, slack_sdk.socket_mode.aiohttp, telegram, fastapi, uvicorn, "
    "pydantic, requests, sqlite_utils"
)
IDLE_S = 6.0


@dataclass(frozen=True)
class Weight:
    """What a program costs while nobody asks it for anything."""

    ready: float
    rss: float
    cpu: float


def weigh(home, sandbox, *, idle=IDLE_S):
    """Start the bot on a home, wait until both chats are up, and weigh it; it ends well."""
    began = time.monotonic()
    # An installed bot has its bytecode.
    environ = {**sandbox.settings(chat="socket"), "PYTHONDONTWRITEBYTECODE": ""}
    with Program(home, environ, "--http", "127.0.0.1:0") as bot:
        for words in ("telegram: takes messages", "slack: connected", "http: listening"):
            bot.until(words)
        ready = time.monotonic() - began
        time.sleep(2)  # menus are set and the first checks made
        weight = Weight(ready, resident(bot.pid), busy(bot.pid, idle))
        assert bot.terminate() == 0
    return weight


def resident(pid):
    """Resident memory of a process."""
    return psutil.Process(pid).memory_info().rss / 1e6


def busy(pid, seconds):
    """Per cent of one core that a process uses over some seconds."""
    before = psutil.Process(pid).cpu_times()
    time.sleep(seconds)
    after = psutil.Process(pid).cpu_times()
    return max(0.0, 100 * (after.user + after.system - before.user - before.system) / seconds)


def libraries():
    """An interpreter that has imported the libraries and does nothing."""
    began = time.monotonic()
    line = f"{LIBRARIES}; print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", line], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as bare:
        bare.stdout.readline()
        weight = Weight(time.monotonic() - began, resident(bare.pid), busy(bare.pid, 1.0))
        bare.communicate(b"\n")
    return weight


def measure():
    """Weigh both in turns."""
    os.environ.pop("LEVQOR_HOME", None)
    taken = {"the libraries alone": [], "levqor-bot": []}
    aims = {"levqor-bot": ("at most 2", "at most 130", "at most 1")}
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as home, Sandbox() as sandbox:
            taken["the libraries alone"].append(libraries())
            taken["levqor-bot"].append(weigh(Path(home), sandbox))
    for name, each in taken.items():
        ready, rss, cpu = aims.get(name, ("", "", ""))
        yield Measured(f"{name}, ready after", "s", [one.ready for one in each], ready)
        yield Measured(f"{name}, memory", "MB", [one.rss for one in each], rss)
        yield Measured(f"{name}, idle", "% CPU", [one.cpu for one in each], cpu)
