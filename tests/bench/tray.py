"""The tray beside the smallest pystray program, on a real desktop, backend by backend."""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.table import show
from tests.support import weight
from tests.support.desktop import missing
from tests.support.sandbox import Sandbox
from tests.support.tray_program import desktop

STARTS = 5
IDLE_S = 20.0
# An hour of checks, five minutes apart.
HOUR_S = 15.0
CHANGES = 10_000


def main():
    """Print what each of the two weighs, in the same run."""
    if missing():
        sys.stdout.write(f"the tray: skipped, this machine has no {', '.join(missing())}\n\n")
        return
    for backend in ("appindicator", "gtk"):
        rows = []
        with tempfile.TemporaryDirectory() as name, Sandbox() as sandbox:
            folder = Path(name)
            with desktop(folder / "desk", "trayer", backend) as desk:
                desk.env |= sandbox.settings()
                tray = ("-m", "tray.app", "--home", str(folder / "home"))
                rows.append(_measured(desk, "smallest pystray program", (weight.ME, "smallest")))
                rows.append(_measured(desk, "levqor-tray", tray))
                rows.append(_after_an_hour(desk, tray))
                early, _, late = weight.changes(desk, CHANGES)
        show(
            f"The tray on {backend}, host trayer (median of {STARTS} starts, idle {IDLE_S:.0f} s)",
            ("program", "visible s", "RSS MB", "idle CPU %"),
            rows,
        )
        show(
            f"{CHANGES} state changes on {backend}",
            ("RSS MB after a tenth", "after all", "grown by"),
            [(f"{early:.1f}", f"{late:.1f}", f"{late - early:.1f}")],
        )


def _measured(desk, name, command):
    seconds = []
    for _ in range(STARTS):
        child, visible = weight.appears(desk, *command)
        seconds.append(visible)
        if len(seconds) < STARTS:
            desk.end(child)
    time.sleep(weight.SETTLE_S + 3)
    idle = weight.idle_cpu(child.pid, IDLE_S)
    memory = weight.rss(child.pid)
    desk.end(child)
    return name, f"{statistics.median(seconds):.2f}", f"{memory:.1f}", f"{idle:.3f}"


def _after_an_hour(desk, command):
    child, _ = weight.appears(desk, *command, "--every", "0.5")
    time.sleep(HOUR_S)
    memory = weight.rss(child.pid)
    desk.end(child)
    return "the same, after an hour's worth of checks", "", f"{memory:.1f}", ""
