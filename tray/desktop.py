"""The desktop around the icon: its environment, its tray, the person's own files."""

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator, Mapping
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

import core.home
from core.network import Network, drop_key_log

# An opener that fails does so at once.
_OPENS_S = 10.0
_WATCHER = "org.kde.StatusNotifierWatcher"


def home(given: Path | None) -> Path:
    """The home folder, links followed, as every program finds it; raises NotConfigured."""
    folder = core.home.find(given, os.environ)
    core.home.check(folder)
    return folder


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
    # What was started with nohup goes on.
    wanted = [number for number in ENDINGS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, lambda *_: sys.exit(0)) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Paths:
    """Where this person's tray for one source keeps its own files."""

    def __init__(self, source: str, folder: Path | None = None) -> None:
        name = f"tray-{hashlib.sha256(source.encode()).hexdigest()[:12]}"
        config = folder or platformdirs.user_config_path("levqor", appauthor=False)
        state = folder or platformdirs.user_state_path("levqor", appauthor=False)
        self.icons = folder or platformdirs.user_cache_path("levqor", appauthor=False)
        self.preferences = config / f"{name}.json"
        self.page = state / f"{name}.html"
        self.link = state / f"{name}-console.html"
        self.lock = state / f"{name}.lock"
        self.second_start = state / f"{name}.knock"


class SingleInstance:
    """One tray per source and person, which hears of a second start."""

    def __init__(self, paths: Paths) -> None:
        # The system's own: it ends with the process, however that dies.
        self._lock = FileLock(paths.lock, mode=0o600, thread_local=False)
        self._second_start = paths.second_start
        self._seen: float | None = None

    def take(self) -> bool:
        """Become the one; False where another already is, which then hears of it."""
        self._second_start.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            self._second_start.touch()
            return False
        self.started_again()
        return True

    def started_again(self) -> bool:
        """Whether somebody started a second one since this was last asked."""
        before, self._seen = self._seen, None
        with contextlib.suppress(OSError):
            self._seen = self._second_start.stat().st_mtime
        return self._seen != before

    def release(self) -> None:
        """Let the next start be the one."""
        self._lock.release()


def open_file(target: Path) -> bool:
    """Show a file or folder to the person; False where this desktop has nothing for it."""
    if sys.platform == "win32":  # pragma: no cover - only Windows runs it
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
    if sys.platform in ("win32", "darwin"):  # pragma: no cover - only Windows and macOS run it
        return ["native"]
    names = []
    for name, is_there in (("sni", _notifier_host), ("xembed", _xembed_host)):
        with contextlib.suppress(Exception):  # a broken bus or display draws nothing: no host
            names += [name] * is_there()
    return names


def session_bus() -> bool:
    """Whether there is a session bus. Without one GTK starts its own and leaves it running."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    there = bool(runtime) and Path(runtime or "", "bus").exists()
    return there or bool(os.environ.get("DBUS_SESSION_BUS_ADDRESS"))


def _notifier_host() -> bool:
    if not session_bus():
        return False
    from gi.repository import Gio, GLib

    bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
    property_name = GLib.Variant("(ss)", (_WATCHER, "IsStatusNotifierHostRegistered"))
    answer = bus.call_sync(
        _WATCHER, "/StatusNotifierWatcher", "org.freedesktop.DBus.Properties", "Get",
        property_name, None, Gio.DBusCallFlags.NO_AUTO_START, 1000, None,
    )  # fmt: skip
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
