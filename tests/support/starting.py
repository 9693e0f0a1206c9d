"""Each of the three programs, started in a folder."""

from __future__ import annotations

import subprocess
import sys

from tests.support.cli import environment

PROGRAMS = {
    "levqor": ["core.cli"],
    "levqor-bot": ["bot.app"],
    "levqor-tray": ["tray.app", "--wait", "0"],
}


def start(program, *words, cwd, **env):
    return subprocess.run(
        [sys.executable, "-m", *PROGRAMS[program], *words],
        cwd=cwd, env=environment(**env), capture_output=True, text=True, check=False, timeout=60,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
