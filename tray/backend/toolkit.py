"""Finds the window toolkit before pystray is imported, and says what to install if it is missing.

pystray left to itself falls back to its xorg backend, which has no menu and (0.19.5) never
asks the X server for clicks: an icon that does nothing.
"""

import contextlib
import importlib.util
import os
import platform
import sys
from importlib.machinery import EXTENSION_SUFFIXES, PathFinder
from pathlib import Path

from tray import desktop

PACKAGES = {
    "debian": "sudo apt install python3-gi gir1.2-gtk-3.0 gir1.2-ayatanaappindicator3-0.1",
    "fedora": "sudo dnf install python3-gobject gtk3 libayatana-appindicator-gtk3",
    "arch": "sudo pacman -S python-gobject gtk3 libayatana-appindicator",
    "suse": "sudo zypper install python3-gobject-Gdk typelib-1_0-Gtk-3_0 "
    "typelib-1_0-AyatanaAppIndicator3-0_1",
}
# Where distributions keep the system Python's packages.
SYSTEM: tuple[str, ...] = (
    "/usr/lib/python3/dist-packages",
    "/usr/lib64/python{0}.{1}/site-packages",
    "/usr/lib/python{0}.{1}/site-packages",
)
_OTHER = "Install PyGObject, GTK 3 and AyatanaAppIndicator3 for this system"


class NoDesktop(Exception):
    """There is nothing to show an icon on; the message says what to do."""


def prepare() -> None:
    """Make `import pystray` come up on AppIndicator, else GTK; raises NoDesktop."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise NoDesktop(
            "There is no desktop here to show an icon on.\n"
            "Start levqor-tray inside your desktop session; in a terminal use: levqor health --live"
        )
    # A tray needs no OpenGL, and Mesa's software renderer costs 50 MB.
    os.environ.setdefault("GDK_GL", "disable")
    bus = desktop.session_bus()
    if not bus:
        # GTK would start a bus of its own and leave it running.
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nonexistent"
    _find_gi()
    os.environ["PYSTRAY_BACKEND"] = _backend(bus=bus)


def require_host(hosts: list[str]) -> None:
    """Raise NoDesktop where nothing on this desktop would draw the icon."""
    if os.environ.get("PYSTRAY_BACKEND") == "gtk" and "xembed" not in hosts and "sni" in hosts:
        raise NoDesktop(f"This desktop's tray needs AppIndicator. {_advice()}")
    if not hosts:
        raise NoDesktop(
            "This desktop has no tray to put an icon in.\n"
            "GNOME: install and enable the AppIndicator extension "
            "(Debian and Ubuntu: sudo apt install gnome-shell-extension-appindicator).\n"
            "Others: add the tray, notification area or status icons to the panel.\n"
            "Until then use: levqor health --live"
        )


def notify(text: str) -> None:
    """Show it on the desktop too: what starts at login has no terminal anybody sees."""
    from tray.backend import notifications

    notifications.send_at_once("Levqor cannot show its icon", text)


def _find_gi() -> None:
    if importlib.util.find_spec("gi") is None and not borrow_gi():
        raise NoDesktop(f"PyGObject, which draws the icon, is missing. {_advice()}")
    try:
        import gi

        gi.require_version("Gtk", "3.0")
        gi.require_version("Gdk", "3.0")
        from gi.repository import Gtk
    except (ImportError, ValueError, AttributeError):
        raise NoDesktop(f"GTK 3, which draws the icon, is missing. {_advice()}") from None
    if not Gtk.init_check()[0]:
        display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        raise NoDesktop(
            f"The display {display} cannot be opened.\n"
            "Start levqor-tray inside your desktop session, as the person who is logged in."
        )


def borrow_gi() -> bool:
    """Load the system's `gi` alone, where it fits: a venv hides it, PyPI's needs a compiler."""
    for place in SYSTEM:
        folder = place.format(*sys.version_info)
        spec = PathFinder.find_spec("gi", [folder])
        # The compiled part's name holds the Python version and platform it was made for.
        fits = Path(folder, "gi", f"_gi{EXTENSION_SUFFIXES[0]}").exists()
        if fits and spec and spec.loader:
            module = importlib.util.module_from_spec(spec)
            sys.modules["gi"] = module
            spec.loader.exec_module(module)
            return True
    return False


def _backend(*, bus: bool) -> str:
    """AppIndicator where it is installed and a session bus carries it, else GTK."""
    # MATE's panel takes an AppIndicator and draws nothing (1.27); an old-style icon it draws.
    mate = "MATE" in os.environ.get("XDG_CURRENT_DESKTOP", "").split(":")
    old_style = mate and not os.environ.get("WAYLAND_DISPLAY")
    if os.environ.get("PYSTRAY_BACKEND") == "gtk" or not bus or old_style:
        return "gtk"
    import gi

    for name in ("AppIndicator3", "AyatanaAppIndicator3"):
        with contextlib.suppress(ValueError):
            gi.require_version(name, "0.1")
            return "appindicator"
    return "gtk"  # pragma: no cover - what tests need brings an AppIndicator


def _advice() -> str:
    """What to install on this system, in one line or two."""
    release: dict[str, str] = {}
    with contextlib.suppress(OSError):
        release = platform.freedesktop_os_release()
    names = f"{release.get('ID', '')} {release.get('ID_LIKE', '')}".replace("ubuntu", "debian")
    families = (family for name in names.split() for family in PACKAGES if family in name)
    line = PACKAGES.get(next(families, ""))
    advice = f"Run: {line}" if line else _OTHER
    if Path("/usr/lib/python3/dist-packages/gi").is_dir():  # pragma: no branch - it is for tests
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        advice += (
            "\nIf they are there already: the system's PyGObject is for the system's own "
            f"Python, and this is Python {version}. "
            "Install Levqor again with --python /usr/bin/python3 (uv tool install, pipx install)."
        )
    return advice
