"""Where state comes from: this home's own core, or a remote Levqor over HTTP.

Both give the same values, so the menu does not know which it shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from tray.state import Health, Run, SourceFault, SourceInfo, TestResult


class SourceError(Exception):
    """The source gave no answer; `trouble` says why and what to do.

    `before_it_left`: the question surely never reached the source.
    """

    def __init__(self, trouble: SourceFault, *, before_it_left: bool = False) -> None:
        super().__init__(trouble.words)
        self.trouble = trouble
        self.before_it_left = before_it_left


@dataclass(frozen=True)
class Pairing:
    """A one-time code that lets a phone in, and the link that redeems it, if known."""

    code: str
    link: str | None


class Source(Protocol):
    """One source. Its methods block for seconds and are called off the window thread."""

    about: SourceInfo
    settings_file: Path | None
    log_folder: Path | None

    def health(self) -> Health:
        """Probe every connector once; raises SourceError."""

    def runs(self) -> tuple[Run, ...]:
        """The latest runs of the journal, newest first; raises SourceError."""

    def test(self, action: str) -> TestResult:
        """Send an action's sample and wait for what comes of it; raises nothing."""

    def pair(self) -> Pairing:
        """Make a one-time pairing code; raises SourceError."""

    def stamp(self) -> object:
        """Something that changes when the settings file does; cheap."""

    def close(self) -> None:
        """Let go of what this source started."""
