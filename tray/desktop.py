"""The desktop around the icon: is there a tray, who else runs, open a file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from filelock import FileLock, Timeout

import core.home
from core.network import Network, drop_key_log

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# An opener that fails does so at once.
_OPENS_S = 10.0
_WATCHER = "org.kde.StatusNotifierWatcher"


def home(given: Path | None) -> Path:
    """The home folder, as every Levqor program finds it; raises NotConfigured.

    Links are followed: one home has one tray, however its path is written.
    """
    found = core.home.find(given, os.environ)
    core.home.check(found)
    return found


def remote_token() -> str | None:
    """The token for a remote Levqor."""
    return os.environ.get("LEVQOR_REMOTE_TOKEN", "").strip() or None


def network() -> Network:
    """What this process's environment says of proxies and certificates."""
    return Network(os.environ)


def ready_for_tls() -> str | None:
    """Take out what would keep any TLS context from being made; a sentence where there was some."""
    return drop_key_log(os.environ)


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with some settings put in, for a child."""
    return {**os.environ, **more}


ENDINGS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)
)


@contextlib.contextmanager
def endings() -> Iterator[None]:
    """Let what ends a program end it in order, status 0, also before there is a window."""
    before = {number: signal.getsignal(number) for number in ENDINGS}
    # What was started with nohup goes on.
    wanted = [number for number in ENDINGS if before[number] is not signal.SIG_IGN]
    for number in wanted:
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        for number in wanted:
            signal.signal(number, before[number])


class Paths:
    """Where this person's tray for one source keeps its own files."""

    def __init__(self, source: str, folder: Path | None = None) -> None:
        name = f"tray-{hashlib.sha256(source.encode()).hexdigest()[:12]}"
        config = folder or platformdirs.user_config_path("levqor", appauthor=False)
        self.state = folder or platformdirs.user_state_path("levqor", appauthor=False)
        self.icons = folder or platformdirs.user_cache_path("levqor", appauthor=False)
        self.preferences = config / f"{name}.json"
        self.page = self.state / f"{name}.html"
        self.lock = self.state / f"{name}.lock"
        self.knock = self.state / f"{name}.knock"


class SingleInstance:
    """One tray per source and person: the lock, and the knock of a second start.

    The lock is the system's own and ends with the process, however it dies.
    """

    def __init__(self, places: Paths) -> None:
        self._places = places
        self._lock: FileLock | None = None
        self._heard: float | None = None

    def take(self) -> bool:
        """Become the one; False where another already is, which is then told."""
        self._places.state.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._places.lock, mode=0o600)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self._places.knock.touch()
            return False
        self._lock, self._heard = lock, self._knocked_at()
        return True

    def knocked(self) -> bool:
        """Whether somebody started a second one since this was last asked."""
        before, self._heard = self._heard, self._knocked_at()
        return self._heard != before

    def release(self) -> None:
        """Let the next start be the one."""
        if self._lock:
            self._lock.release()

    def _knocked_at(self) -> float | None:
        try:
            return self._places.knock.stat().st_mtime
        except OSError:
            return None


def open_file(target: Path) -> bool:
    """Show a file or folder to the person; False where this desktop has nothing for it."""
    if sys.platform == "win32":
        os.startfile(target)  # noqa: S606 - the person asked to see it
        return True
    if target.suffix == ".html":
        return webbrowser.open(target.as_uri())
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    began = time.monotonic()
    with contextlib.suppress(OSError):
        done = subprocess.run(  # noqa: S603 - the system's own opener, no shell
            [opener, str(target)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            check=False,
        )
        # Where there is no desktop environment it stays as long as what it opened.
        return done.returncode == 0 or time.monotonic() - began > _OPENS_S
    return False


def hosts() -> list[str]:
    """What on this desktop would draw an icon: `sni`, `xembed`, both or nothing."""
    if sys.platform in ("win32", "darwin"):
        return ["native"]
    found = []
    with contextlib.suppress(Exception):  # a broken bus or display draws nothing: the same answer
        if _notifier_host():
            found.append("sni")
    with contextlib.suppress(Exception):
        if _xembed_host():
            found.append("xembed")
    return found


def session_bus() -> bool:
    """Whether there is a session bus. Without one GTK starts its own and leaves it running."""
    if os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return True
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return bool(runtime) and (Path(runtime or "") / "bus").exists()


def _notifier_host() -> bool:
    if not session_bus():
        return False
    from gi.repository import Gio, GLib

    bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
    asked = GLib.Variant("(ss)", (_WATCHER, "IsStatusNotifierHostRegistered"))
    answer = bus.call_sync(
        _WATCHER,
        "/StatusNotifierWatcher",
        "org.freedesktop.DBus.Properties",
        "Get",
        asked,
        None,
        Gio.DBusCallFlags.NO_AUTO_START,
        1000,
        None,
    )
    return bool(answer.unpack()[0])


def _xembed_host() -> bool:
    if not os.environ.get("DISPLAY"):
        return False
    from Xlib import X
    from Xlib.display import Display

    display = Display()
    try:
        atom = display.intern_atom(f"_NET_SYSTEM_TRAY_S{display.get_default_screen()}")
        return bool(display.get_selection_owner(atom) != X.NONE)
    finally:
        display.close()
