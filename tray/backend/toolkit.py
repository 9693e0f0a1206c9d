"""Finds the window toolkit before pystray is imported, and says what to install if it is missing.

pystray left to itself falls back to its xorg backend, which has no menu and (0.19.5) never
asks the X server for clicks: an icon that does nothing.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import TYPE_CHECKING

from tray import desktop

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGES = {
    "debian": "sudo apt install python3-gi gir1.2-gtk-3.0 gir1.2-ayatanaappindicator3-0.1",
    "fedora": "sudo dnf install python3-gobject gtk3 libayatana-appindicator-gtk3",
    "arch": "sudo pacman -S python-gobject gtk3 libayatana-appindicator",
    "suse": "sudo zypper install python3-gobject-Gdk typelib-1_0-Gtk-3_0 "
    "typelib-1_0-AyatanaAppIndicator3-0_1",
}
# Where distributions keep the system Python's packages.
SYSTEM = (
    "/usr/lib/python3/dist-packages",
    "/usr/lib64/python{0}.{1}/site-packages",
    "/usr/lib/python{0}.{1}/site-packages",
)
_OTHER = "Install PyGObject, GTK 3 and AyatanaAppIndicator3 for this system"
_RELEASE = Path("/etc/os-release")


class NoDesktop(Exception):
    """There is nothing to show an icon on; the message says what to do."""


def prepare(system: Sequence[str] = SYSTEM) -> None:
    """Make `import pystray` come up on AppIndicator, else GTK.

    `system` is where the system's own PyGObject may be found. Raises NoDesktop with one
    clear message where neither can work.
    """
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
    _find_gi(system)
    os.environ["PYSTRAY_BACKEND"] = _backend(bus=bus)


def require_host(found: list[str]) -> None:
    """Raise NoDesktop where nothing on this desktop would draw the icon."""
    if os.environ.get("PYSTRAY_BACKEND") == "gtk" and "xembed" not in found and "sni" in found:
        raise NoDesktop(f"This desktop's tray needs AppIndicator. {_advice()}")
    if not found:
        raise NoDesktop(
            "This desktop has no tray to put an icon in.\n"
            "GNOME: install and enable the AppIndicator extension "
            "(Debian and Ubuntu: sudo apt install gnome-shell-extension-appindicator).\n"
            "Others: add the tray, notification area or status icons to the panel.\n"
            "Until then use: levqor health --live"
        )


def say(text: str) -> None:
    """Say it on the desktop too: what starts at login has no terminal anybody sees."""
    from tray.backend import notifications

    if desktop.session_bus():
        notifications.send_at_once("Levqor has no place for its icon", text)


def _find_gi(system: Sequence[str]) -> None:
    if importlib.util.find_spec("gi") is None and not borrow_gi(system):
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


def borrow_gi(system: Sequence[str] = SYSTEM) -> bool:
    """Load the system's own `gi`, and nothing else of its packages, where it fits this Python.

    A virtual environment does not see it, and PyPI's needs a compiler.
    """
    for place in system:
        folder = Path(place.format(*sys.version_info), "gi")
        # The compiled part's name holds the Python version and platform it was made for.
        if not (folder / f"_gi{EXTENSION_SUFFIXES[0]}").exists():
            continue
        spec = importlib.util.spec_from_file_location(
            "gi", folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        if spec and spec.loader:
            module = importlib.util.module_from_spec(spec)
            sys.modules["gi"] = module
            spec.loader.exec_module(module)
            return True
    return False


def _backend(*, bus: bool) -> str:
    """AppIndicator where it is installed and a session bus carries it, else GTK."""
    if os.environ.get("PYSTRAY_BACKEND") == "gtk" or not bus or _is_mate():
        return "gtk"
    import gi

    for name in ("AppIndicator3", "AyatanaAppIndicator3"):
        try:
            gi.require_version(name, "0.1")
        except ValueError:
            continue
        return "appindicator"
    return "gtk"


def _is_mate() -> bool:
    """MATE's panel takes an AppIndicator and draws nothing (1.27); an old-style icon it draws."""
    names = os.environ.get("XDG_CURRENT_DESKTOP", "").split(":")
    return "MATE" in names and not os.environ.get("WAYLAND_DISPLAY")


def _advice() -> str:
    """What to install on this system, in one line or two."""
    line = PACKAGES.get(_family(), _OTHER)
    said = f"Run: {line}" if line is not _OTHER else line
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if Path("/usr/lib/python3/dist-packages/gi").is_dir():
        return (
            f"{said}\nIf they are there already: the system's PyGObject is for the system's own "
            f"Python, and this is Python {version}; "
            "make the virtual environment with /usr/bin/python3, or see docs/tray.md."
        )
    return said


def _family() -> str:
    try:
        lines = _RELEASE.read_text("utf-8").splitlines()
    except OSError:
        return ""
    said = dict(line.split("=", 1) for line in lines if "=" in line)
    names = f"{said.get('ID', '')} {said.get('ID_LIKE', '')}".replace('"', "").split()
    return next((family for name in names for family in PACKAGES if family in name), "") or (
        "debian" if "ubuntu" in names else ""
    )
