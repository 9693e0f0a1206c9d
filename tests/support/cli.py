"""`levqor` as a person starts it: in a process of its own, piped or on a terminal."""

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path

from typer.main import get_command

from core.cli.app import app

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str = ""

    @property
    def json(self):
        """The one JSON document on standard output; raises where there is more or less."""
        return json.loads(self.out)


def command(*args):
    """The command line that starts this checkout's `levqor`."""
    return [sys.executable, "-m", "core.cli", *map(str, args)]


def environment(**more):
    """The environment of a child: this one's without colours and a size, plus what is given."""
    # pytest-xdist gives its workers a COLUMNS, which rich believes before the terminal.
    ours = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")
    kept = {k: v for k, v in os.environ.items() if k not in ours}
    return {**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **more}


def checkout(copy):
    """Copy what the program and its pages are made from, for a test that adds to it."""
    for folder in ("core", "bot", "docs"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".env.example", copy)
    return copy


def levqor(*args, stdin="", env=None, cwd=None):
    """Run a command to its end, its output piped."""
    ran = subprocess.run(
        command(*args),
        check=False,
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment(**(env or {})),
        cwd=cwd or ROOT,
        timeout=PATIENCE_S,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def leaves():
    """Every command line there is, walked from the application itself."""

    def walk(command, before):
        if not hasattr(command, "list_commands"):
            yield before
            return
        for name in command.list_commands(None):
            yield from walk(command.get_command(None, name), (*before, name))

    return sorted(walk(get_command(app), ()))


def on_terminal(*args, env=None, ends_after=None, columns=100, words=None):
    """Run a command on a terminal; what it wrote to the screen is `out`.

    `words` is another command line. Ctrl-C is pressed once the screen shows the bytes `ends_after`.
    """
    screen, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, columns))
    child = subprocess.Popen(
        words or command(*args),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(**(env or {})),
        cwd=ROOT,
        start_new_session=True,
    )
    os.close(theirs)
    seen = b""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if not select.select([screen], [], [], 0.2)[0]:
            continue
        try:
            part = os.read(screen, 65536)
        except OSError:  # Linux says EIO when the other side of a terminal has gone
            break
        if not part:
            break
        seen += part
        if ends_after and ends_after in seen:
            child.send_signal(signal.SIGINT)
            ends_after = None
    os.close(screen)
    return Ran(child.wait(PATIENCE_S), seen.decode())
