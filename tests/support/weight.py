"""What a tray program weighs: how soon it is seen, its memory, what it does while idle.

Run as a program it is one of two measured ones: `smallest`, the least that pystray can be,
or `changes N`, this tray's own window shown N different menus.
"""

from __future__ import annotations

import os
import re
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from Xlib import X
from Xlib.display import Display
from Xlib.error import BadDrawable, BadWindow

from tests.support.desktop import Desktop, until

if TYPE_CHECKING:
    import subprocess

ME = str(Path(__file__))
SETTLE_S = 3.0


def rss(pid: int) -> float:
    """Resident memory in MB."""
    return psutil.Process(pid).memory_info().rss / 1024**2


def idle_cpu(pid: int, seconds: float) -> float:
    """Per cent of one core that a process uses while nobody asks it for anything."""
    before = _on_cpu(pid)
    time.sleep(seconds)
    return 100 * (_on_cpu(pid) - before) / seconds


def _on_cpu(pid: int) -> float:
    """Seconds on a processor, all threads together, in nanoseconds' steps and not clock ticks'."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in threads) / 1e9


def appears(desk: Desktop, *command: str, **more) -> tuple[subprocess.Popen[bytes], float]:
    """Start a program; the process, and seconds until its icon is in the tray."""
    display = Display(desk.env["DISPLAY"])
    try:
        # An icon is a window of the program's own, put into the panel's.
        root = display.screen().root

        def icons() -> int:
            return sum(_is_seen(window) for window in _below(root))

        before, began = icons(), time.monotonic()
        child = desk.start(sys.executable, *command, log="measured", **more)
        until("its icon is in the tray", lambda: icons() > before, pause=0.005)
        return child, time.monotonic() - began
    finally:
        display.close()


def _below(window):
    with suppress(BadWindow):
        for child in window.query_tree().children:
            yield child
            yield from _below(child)


def _is_seen(window) -> bool:
    with suppress(BadWindow, BadDrawable):
        seen = window.get_attributes().map_state == X.IsViewable
        return seen and window.get_geometry().width > 1
    return False


def changes(desk: Desktop, times: int) -> tuple[float, float, float]:
    """Show so many menus in this tray's window; MB after a thousand, half the rest, and all."""
    child = desk.start(sys.executable, ME, "changes", str(times), log="changes")
    assert child.wait(300) == 0, desk.log("changes")
    # GTK has its own remarks in between.
    early, half, late = re.findall(r"^(\d+\.\d)$", desk.log("changes"), re.MULTILINE)[-3:]
    return float(early), float(half), float(late)


def _smallest() -> None:
    from tray.backend import toolkit

    toolkit.prepare()
    import pystray
    from PIL import Image

    rows = pystray.Menu(pystray.MenuItem("Quit", lambda icon: icon.stop()))
    pystray.Icon("smallest", Image.new("RGB", (64, 64), "green"), "smallest", rows).run()


def _say_rss() -> None:
    sys.stdout.write(f"{rss(os.getpid()):.1f}\n")
    sys.stdout.flush()


def _changes(times: int) -> None:
    import tempfile
    import threading

    from tests.support import tray_states as known
    from tray.backend import window
    from tray.menu import menu

    menus = [
        menu(known.state(known.CHALK, one, test_results=results))
        for one in (known.DUCK, known.BAD, known.HINT, known.OFF)
        for results in ({}, known.results("sent", "sent", run="r7"))
    ]
    icons = Path(tempfile.mkdtemp())
    shown = window(menus[0], icons, lambda _: None)

    def change() -> None:
        for number in range(times):
            shown.show(menus[number % len(menus)])
            # Paced as quickly as the window keeps up: a backlog would be measured else.
            time.sleep(0.002)
            # By then everything that is kept once is there.
            if number in (1000, (1000 + times) // 2):
                _say_rss()
        time.sleep(1)
        _say_rss()
        shown.stop()

    shown.run(threading.Thread(target=change, daemon=True).start)


if __name__ == "__main__":
    if sys.argv[1] == "smallest":
        _smallest()
    else:
        _changes(int(sys.argv[2]))
