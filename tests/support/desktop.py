"""A real desktop on a virtual screen: X server, message bus, tray host, notification daemon.

Rows are found by their words (accessibility where the program draws its menu, dbusmenu
where the panel does) and clicked by real mouse events.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Self

from PIL import Image, ImageChops

from tests.support import desktop_files
from tests.support.measured import measured

EYES = Path(__file__).with_name("eyes.py")
ROOT = EYES.parent.parent.parent
NEEDED = ("Xvfb", "xdotool", "xwininfo", "xprop", "dbus-daemon", "dunst", "trayer", "import")
SIZE = (1000, 700)
WAIT_S = 120.0
# The panel's strip at the bottom: messages, which show the icon as well, stand above.
PANEL = 60


def missing() -> list[str]:
    """The programs a desktop needs that this machine does not have."""
    return [name for name in NEEDED if shutil.which(name) is None]


def until(what: str, found, seconds: float = WAIT_S, pause: float = 0.05):
    """Wait until `found()` is true and return it; AssertionError naming `what` otherwise."""
    ends = time.monotonic() + seconds
    while True:
        value = found()
        if value:
            return value
        assert time.monotonic() < ends, f"not within {seconds:.0f} s: {what}"
        time.sleep(pause)


class Desktop:
    """One desktop; use it as a context manager."""

    def __init__(self, folder: Path, host: str | None = "trayer", *, daemon: bool = True) -> None:
        self.folder = folder
        self.host_name = host
        self.host: subprocess.Popen[bytes] | None = None
        self._daemon = daemon
        self._children: list[subprocess.Popen[bytes]] = []
        self.backend = "appindicator"
        self.dark = False
        self.env: dict[str, str] = {}

    def __enter__(self) -> Self:
        home, run = self.folder / "user", self.folder / "run"
        home.mkdir(parents=True)
        run.mkdir(mode=0o700)
        keep = {name: os.environ[name] for name in ("PATH", "TZ") if name in os.environ}
        keep |= measured()
        self.env = {**keep, "HOME": str(home), "XDG_RUNTIME_DIR": str(run), "LC_ALL": "C.UTF-8"}
        self.env |= {"LIBGL_ALWAYS_SOFTWARE": "1", "PYTHONPATH": str(ROOT)}
        # Without it GTK waits for a settings portal that nothing here provides.
        self.env |= {"GTK_USE_PORTAL": "0", "GDK_GL": "disable"}
        try:
            self._start_screen()
            self._start_bus()
            if self._daemon:
                self.start_daemon()
            if self.host_name:
                self.start_host(self.host_name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for child in reversed(self._children):
            self.end(child)

    # -- what runs ---------------------------------------------------------------------------

    def start(self, *command: str, log: str | None = None, **more) -> subprocess.Popen[bytes]:
        """Start a program on this desktop; it ends with the desktop."""
        name = log or Path(command[0]).name
        with (self.folder / f"{name}.log").open("ab") as out:
            child = subprocess.Popen(command, stdout=out, stderr=out, **{"env": self.env, **more})
        self._children.append(child)
        return child

    def log(self, name: str) -> str:
        """What a program printed."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def end(
        self, child: subprocess.Popen[bytes], number: int = signal.SIGTERM, patience: float = 5.0
    ) -> int:
        """End a program; its exit status."""
        with suppress(ProcessLookupError):
            child.send_signal(number)
        try:
            return child.wait(patience)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()

    def start_host(self, name: str) -> None:
        """Start a tray host and wait until it takes icons."""
        self.host_name = name
        if name == "trayer":
            look = ("--edge", "bottom", "--align", "right", "--widthtype", "request")
            self.host = self.start("trayer", *look, "--height", "32", "--SetDockType", "true")
        else:
            channel = Path(self.env["HOME"], ".config/xfce4/xfconf/xfce-perchannel-xml")
            channel.mkdir(parents=True, exist_ok=True)
            (channel / "xfce4-panel.xml").write_text(
                desktop_files.PANEL_XML.format(style=desktop_files.DARK if self.dark else "")
            )
            self.host = self.start("xfce4-panel", "--disable-wm-check")
        kind = "xembed" if name == "trayer" else "sni"
        until(f"{name} takes icons", lambda: kind in self.eyes("hosts"))

    def kill_host(self) -> None:
        """Kill the tray host at once."""
        assert self.host is not None
        self.end(self.host, signal.SIGKILL)
        # The panel's plugins are processes of their own and outlive it for a moment.
        kind = "xembed" if self.host_name == "trayer" else "sni"
        until("the tray host is gone", lambda: kind not in self.eyes("hosts"))

    def start_daemon(self) -> None:
        """Start the notification daemon."""
        config = self.folder / "dunstrc"
        config.write_text(desktop_files.DUNST)
        self.start("dunst", "-conf", str(config))
        until("dunst answers", lambda: self.out("dunstctl", "count") is not None)

    def _start_screen(self) -> None:
        read, write = os.pipe()
        size = f"{SIZE[0]}x{SIZE[1]}x24"
        args = ("-displayfd", str(write), "-screen", "0", size, "-dpi", "96", "-nolisten", "tcp")
        self.start("Xvfb", *args, pass_fds=(write,))
        os.close(write)
        with os.fdopen(read) as numbers:
            self.env["DISPLAY"] = f":{numbers.readline().strip()}"

    def _start_bus(self) -> None:
        read, write = os.pipe()
        config = self.folder / "bus.conf"
        config.write_text(desktop_files.BUS.format(services=self._services()))
        args = (f"--config-file={config}", "--nofork", f"--print-address={write}")
        self.bus = self.start("dbus-daemon", *args, pass_fds=(write,))
        os.close(write)
        with os.fdopen(read) as addresses:
            self.env["DBUS_SESSION_BUS_ADDRESS"] = addresses.readline().strip()

    def _services(self) -> Path:
        """What the bus may start by itself: no notification daemon that nobody asked for."""
        folder = self.folder / "services"
        folder.mkdir()
        for name in ("org.a11y.Bus", "org.xfce.Xfconf"):
            file = Path("/usr/share/dbus-1/services", f"{name}.service")
            if file.exists():
                shutil.copy(file, folder)
        return folder

    # -- what is seen ------------------------------------------------------------------------

    def out(self, *command: str) -> str | None:
        """What a command prints; None where it fails."""
        done = subprocess.run(
            command, env=self.env, capture_output=True, text=True, check=False, timeout=20
        )
        return done.stdout if done.returncode == 0 else None

    def eyes(self, *question: str):
        """Ask the eyes: a process of its own, for accessibility is one desktop per process."""
        said = self.out(sys.executable, str(EYES), *question)
        return json.loads(said) if said else []

    def screenshot(self) -> Image.Image:
        """A picture of the whole screen."""
        done = subprocess.run(
            ["import", "-window", "root", "png:-"], env=self.env, capture_output=True, check=True
        )
        return Image.open(BytesIO(done.stdout)).convert("RGB")

    def icon(self, colour: str) -> tuple[int, int] | None:
        """The middle of the tray icon of this colour, if it is on the panel."""
        strip = self.screenshot().crop((0, SIZE[1] - PANEL, *SIZE))
        away = ImageChops.difference(strip, Image.new("RGB", strip.size, colour)).split()
        near = ImageChops.lighter(ImageChops.lighter(away[0], away[1]), away[2]).point(
            lambda distance: 255 if distance < 10 else 0
        )
        box = near.getbbox()
        # Fewer pixels are a menu's highlight or a letter, not an icon.
        if box is None or near.histogram()[255] < 25:
            return None
        return (box[0] + box[2]) // 2, (box[1] + box[3]) // 2 + SIZE[1] - PANEL

    @property
    def panel_draws(self) -> bool:
        """Whether the panel draws the menu, and not the program."""
        return self.host_name == "xfce4-panel" and self.backend == "appindicator"

    def rows(self) -> list[str]:
        """The words of all rows on the screen."""
        return [row["text"] for row in self._rows()]

    def row(self, words: str) -> dict | None:
        """The row on the screen with these words, and where it is."""
        return next((row for row in self._rows() if words in row["text"]), None)

    def _rows(self) -> list[dict]:
        return self.eyes("panel" if self.panel_draws else "program")

    def cut_off(self) -> list[str]:
        """The rows that run off the screen; of menus the program draws."""
        return [row["text"] for row in self._rows() if row["right"] > SIZE[0]]

    def messages(self) -> list[dict]:
        """Every message the notification daemon was given, newest first."""
        self.out("dunstctl", "close-all")
        said = self.out("dunstctl", "history")
        found = json.loads(said)["data"][0] if said else []
        return [{name: part["data"] for name, part in one.items()} for one in found]

    def shown(self) -> int:
        """How many messages the daemon shows at this moment."""
        return int(self.out("dunstctl", "count", "displayed") or 0)

    # -- what is done ------------------------------------------------------------------------

    def mouse(self, x: int, y: int, button: int | None = None) -> None:
        """Move the mouse there, and click."""
        # Two steps: a pointer that is there already would send no motion.
        self.out("xdotool", "mousemove", str(x + 2), str(y), "mousemove", str(x), str(y))
        if button:
            time.sleep(0.1)
            self.out("xdotool", "click", str(button))

    def key(self, *names: str) -> None:
        """Press keys."""
        self.out("xdotool", "key", *names)

    def open_menu(self, colour: str, *, button: int = 3) -> None:
        """Open the menu by a click on the icon of this colour."""
        x, y = until(f"the icon is {colour}", lambda: self.icon(colour))
        self.mouse(x, y, button)
        until("the menu is open", lambda: self.row("Quit"))

    def close_menu(self) -> None:
        """Close the menu as a person does, and leave the corner."""
        self.key("Escape", "Escape")
        self.mouse(300, 200)
        until("the menu is closed", lambda: not self.row("Quit"))

    def hover(self, words: str) -> None:
        """Put the mouse on a row, which opens what is below it."""
        row = until(f"a row says {words!r}", lambda: self.row(words))
        self.mouse(row["x"], row["y"])

    def click(self, *path: str) -> None:
        """Click through rows by their words, as far down as the path goes."""
        for words, below in pairwise(path):
            self.hover(words)
            until(f"{words!r} opens", lambda below=below: self.row(below))
        row = until(f"a row says {path[-1]!r}", lambda: self.row(path[-1]))
        self.mouse(row["x"], row["y"], 1)
