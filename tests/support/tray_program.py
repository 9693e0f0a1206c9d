"""The real `levqor-tray` on a real desktop, pointed at a sandbox a test can script."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.connectors import CONNECTORS
from tests.support.desktop import WAIT_S, Desktop, until
from tests.support.sandbox import Answer
from tray.summary import COLOURS

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tray.summary import IconState

EVERY_S = "2"
ALL_WELL = f"All well, {len(CONNECTORS)} of {len(CONNECTORS)} services set up"
# What Notion says to a secret that is worth nothing any more.
REVOKED = Answer(
    401,
    json={
        "object": "error",
        "status": 401,
        "code": "unauthorized",
        "message": "API token is invalid.",
    },
)


class Tray:
    """One running tray."""

    def __init__(self, desk: Desktop, *options: str, every: str = EVERY_S) -> None:
        self.desk = desk
        self.command = (sys.executable, "-m", "tray.app", *options, "--every", every)
        self.child: subprocess.Popen[bytes] = desk.start(*self.command, log="tray")

    def shows(self, icon: IconState) -> None:
        """Wait until the icon shows a icon."""
        until(f"the icon shows {icon}; it printed {self.said()}", lambda: self.sees(icon))

    def sees(self, icon: IconState) -> tuple[int, int] | None:
        """Where the icon shows this icon now, if it does."""
        return self.desk.icon(COLOURS[icon])

    def open_menu(self, icon: IconState) -> None:
        """Open the menu by a real click."""
        self.desk.open_menu(COLOURS[icon])

    def said(self) -> str:
        """What the program printed."""
        return self.desk.log("tray")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; the exit status."""
        return self.desk.end(self.child, number, WAIT_S)


@contextmanager
def desktop(folder: Path, host: str | None, backend: str, **more) -> Iterator[Desktop]:
    """A desktop on which the tray comes up with this backend."""
    with Desktop(folder, host, **more) as desk:
        desk.backend = backend
        desk.env["PYSTRAY_BACKEND"] = backend
        yield desk
