"""The bot's console: a script through it, and somebody at a real pseudo-terminal."""

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

ROOT = Path(__file__).parents[2]
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
