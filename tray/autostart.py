"""Start at login: the entry each system reads, and how it wants its words quoted."""

from __future__ import annotations

import plistlib
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from collections.abc import Sequence


class Autostart:
    """Start at login: the entry the desktop reads, written and taken away again."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)

    @property
    def file(self) -> Path:
        """Where this system's entry lives."""
        if sys.platform == "win32":
            roaming = platformdirs.user_data_path(roaming=True)
            start = roaming / "Microsoft" / "Windows" / "Start Menu" / "Programs" / "Startup"
            return start / "levqor-tray.cmd"
        if sys.platform == "darwin":
            return Path.home() / "Library" / "LaunchAgents" / "levqor-tray.plist"
        return platformdirs.user_config_path() / "autostart" / "levqor-tray.desktop"

    @property
    def on(self) -> bool:
        """Whether the entry is there, and starts this very tray and not one for another home."""
        try:
            return self.file.read_bytes() == self.entry().encode()
        except (OSError, ValueError):
            return False

    def set(self, *, on: bool) -> None:
        """Write the entry, or take it away; raises OSError, or ValueError as `entry` does."""
        if not on:
            self.file.unlink(missing_ok=True)
            return
        entry = self.entry().encode()
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(entry)

    def entry(self) -> str:
        """The entry's text for this system; raises ValueError for what none can hold."""
        if any(not _writable(word) for word in self._command):
            raise ValueError("its command has a line break or another character no entry can hold")
        if sys.platform == "win32":
            return startup_script(self._command)
        if sys.platform == "darwin":
            return launch_agent(self._command)
        return desktop_entry(self._command)


def _writable(word: str) -> bool:
    # Control characters and line breaks would begin lines of their own; a name that is no
    # UTF-8 (Python's surrogates) is no text.
    return not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in word)


def desktop_entry(command: Sequence[str]) -> str:
    """An entry of the Desktop Entry Specification."""
    return (
        "[Desktop Entry]\nType=Application\nName=Levqor\n"
        "Comment=Connector health at a glance\n"
        f"Exec={' '.join(map(_exec, command))}\nTerminal=false\n"
        "X-GNOME-Autostart-enabled=true\n"
    )


def _exec(word: str) -> str:
    """Quote a word as the Desktop Entry Specification wants it (Exec key)."""
    for char in '\\"`$':
        word = word.replace(char, f"\\{char}")
    # Backslashes are undone twice, by the file's own rule and by Exec's; % starts a field.
    return '"' + word.replace("\\", "\\\\").replace("%", "%%") + '"'


def launch_agent(command: Sequence[str]) -> str:
    """A property list for macOS's launchd."""
    agent = {"Label": "levqor-tray", "RunAtLoad": True, "ProgramArguments": list(command)}
    return plistlib.dumps(agent).decode()


def startup_script(command: Sequence[str]) -> str:
    """A script for Windows' Startup folder; raises ValueError for a quote, which it cannot hold."""
    if any('"' in word for word in command):
        raise ValueError('its command has a "')
    # In quotes cmd.exe leaves everything alone but %; a backslash before the last quote would
    # take it (learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments).
    slashes = [len(word) - len(word.rstrip("\\")) for word in command]
    doubled = [word + "\\" * more for word, more in zip(command, slashes, strict=True)]
    quoted = " ".join(f'"{word}"' for word in doubled).replace("%", "%%")
    # The words are UTF-8, which cmd.exe reads only when told so.
    return f'@chcp 65001 >nul\r\n@start "" {quoted}\r\n'
