"""The tray beside the smallest program that pystray can be, on a real desktop.

On each of the two backends; visible is when its icon is in the panel. Memory grown is between a
thousand state changes and ten thousand.
"""

import tempfile
import time
from pathlib import Path

from tests.bench.measured import REPEATS, Measured, Skipped
from tests.support import weight
from tests.support.desktop import missing
from tests.support.sandbox import Sandbox
from tests.support.tray_program import desktop

IDLE_S = 4.0
# An hour of checks, five minutes apart.
HOUR_S = 15.0
CHANGES = 10_000


def measure():
    """Weigh both programs on each backend, in turns."""
    if missing():
        raise Skipped(f"this machine has no {', '.join(missing())}")
    for backend in ("appindicator", "gtk"):
        with tempfile.TemporaryDirectory() as name, Sandbox() as sandbox:
            folder = Path(name)
            with desktop(folder / "desk", "trayer", backend) as desk:
                desk.env |= sandbox.settings()
                yield from _on(desk, backend, ("-m", "tray.app", "--home", str(folder / "home")))


def _on(desk, backend, tray):
    programs = {"smallest pystray program": (weight.ME, "smallest"), "levqor-tray": tray}
    taken = {name: [] for name in programs}
    for _ in range(REPEATS):
        for name, command in programs.items():
            taken[name].append(_weighed(desk, command))
    for name, repeats in taken.items():
        seconds, memory, idle = map(list, zip(*repeats, strict=True))
        yield Measured(f"{name} ({backend}), visible after", "s", seconds)
        yield Measured(f"{name} ({backend}), memory", "MB", memory)
        yield Measured(f"{name} ({backend}), idle", "% CPU", idle)
    hour = _after_an_hour(desk, tray)
    yield Measured(f"levqor-tray ({backend}), memory after an hour's checks", "MB", [hour])
    early, _, late = weight.changes(desk, CHANGES)
    what = f"levqor-tray ({backend}), memory grown by {CHANGES:,} changes"
    yield Measured(what, "MB", [late - early])


def _weighed(desk, command):
    child, seconds = weight.appears(desk, *command)
    time.sleep(weight.SETTLE_S)
    idle, memory = weight.idle_cpu(child.pid, IDLE_S), weight.rss(child.pid)
    desk.end(child)
    return seconds, memory, idle


def _after_an_hour(desk, command):
    child, _ = weight.appears(desk, *command, "--every", "0.5")
    time.sleep(HOUR_S)
    memory = weight.rss(child.pid)
    desk.end(child)
    return memory
