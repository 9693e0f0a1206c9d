"""An idle `levqor-bot`, Slack and Telegram on, beside the libraries it stands on.

Resident memory in MB of a million bytes, processor time in per cent of one core.
"""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.bench import table
from tests.support.bot import Program
from tests.support.sandbox import Sandbox

LIBRARIES = (
    "import slack_bolt.async_app, slack_sdk.socket_mode.aiohttp, telegram, fastapi, uvicorn, "
    "pydantic, requests, sqlite_utils"
)
IDLE_S = 10.0


@dataclass(frozen=True)
class Weight:
    """What a program costs while nobody asks it for anything."""

    ready: float
    rss: float
    cpu: float


def weigh(home, sandbox, *, idle=IDLE_S):
    """Start the bot on a home, wait until both chats are up, and weigh it; it ends well."""
    began = time.monotonic()
    with Program(home, sandbox.settings(chat="socket"), "--http", "127.0.0.1:0") as bot:
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
    return 100 * (after.user + after.system - before.user - before.system) / seconds


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


def main():
    """Print the table."""
    os.environ.pop("LEVQOR_HOME", None)
    with tempfile.TemporaryDirectory() as home, Sandbox() as sandbox:
        found = {"the libraries alone": libraries(), "levqor-bot": weigh(Path(home), sandbox)}
    rows = [(n, f"{w.ready:.2f}", f"{w.rss:.0f}", f"{w.cpu:.2f}") for n, w in found.items()]
    title = "Idle, Slack and Telegram on (bounds: ready in 2 s, 130 MB, 1 %)"
    table.show(title, ("program", "ready s", "MB", "CPU %"), rows)


if __name__ == "__main__":
    main()
