"""Start at login: the entry each system reads, and how it wants its words quoted."""

import plistlib
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import platformdirs


class Autostart:
    """The entry the desktop reads at login, written and taken away again."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)

    @property
    def file(self) -> Path:
        """Where this system's entry lives."""
        if sys.platform == "win32":  # pragma: no cover - only Windows runs it
            roaming = platformdirs.user_data_path(roaming=True)
            return roaming / "Microsoft/Windows/Start Menu/Programs/Startup/levqor-tray.cmd"
        if sys.platform == "darwin":  # pragma: no cover - only macOS runs it
            return Path.home() / "Library" / "LaunchAgents" / "levqor-tray.plist"
        return platformdirs.user_config_path() / "autostart" / "levqor-tray.desktop"

    @property
    def on(self) -> bool:
        """Whether the entry is there, and starts this very tray and not one for another home."""
        try:
            return self.file.read_bytes() == self._entry().encode()
        except (OSError, ValueError):
            return False

    def set(self, *, on: bool) -> None:
        """Write the entry, or take it away; raises OSError, or ValueError for a strange command."""
        if not on:
            self.file.unlink(missing_ok=True)
            return
        entry = self._entry().encode()
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(entry)

    def _entry(self) -> str:
        # Control characters and line breaks would begin lines of their own; a name that is no
        # UTF-8 (Python's surrogates) is no text.
        unwritable = ("Cc", "Cs", "Zl", "Zp")
        if any(unicodedata.category(char) in unwritable for word in self._command for char in word):
            raise ValueError("its command has a line break or another character no entry can hold")
        if sys.platform == "win32":  # pragma: no cover - only Windows runs it
            return startup_script(self._command)
        return (launch_agent if sys.platform == "darwin" else desktop_entry)(self._command)


def desktop_entry(command: Sequence[str]) -> str:
    """An entry of the Desktop Entry Specification."""
    return (
        "[Desktop Entry]\nType=Application\nName=Levqor\n"
        "Comment=Service health at a glance\n"
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
