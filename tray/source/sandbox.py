"""The sandbox as a source: `levqor sandbox` runs beside the tray for as long as it lives."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from core.home import temporary
from tray import desktop
from tray.source.local import Local
from tray.source.sandbox_child import TEMPORARY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = (sys.executable, "-P", "-m", "tray.source.sandbox_child")
_END_S = 5


@contextlib.contextmanager
def sandbox(home: Path | None) -> Iterator[tuple[Local, Path]]:
    """Start the sandbox; yield a source that reaches nothing else, and its home.

    The home is a temporary folder unless one is named. The icon does not wait for it.
    """
    with contextlib.ExitStack() as stack:
        folder = home or temporary(stack)
        child = _SandboxChild(folder, ends=home is None)
        stack.callback(child.close)
        source = Local(folder, environment=child.environment, sandbox=True)
        stack.callback(source.close)
        yield source, folder


class _SandboxChild:
    """The child that runs the sandbox; its home may end with it."""

    def __init__(self, home: Path, *, ends: bool) -> None:
        self._settings: dict[str, str] | None = None
        self._lock = threading.Lock()
        mine = [TEMPORARY] if ends else []
        self._child = subprocess.Popen(  # noqa: S603 - our own command, no shell
            [*COMMAND, *mine, "--home", str(home), "sandbox", "--output", "json"],
            # Closed when this process ends, however it does: the child ends with it.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def environment(self) -> dict[str, str]:
        """The environment that points a child at it; waits until it is up."""
        with self._lock:
            if self._settings is None and self._child.stdout:
                line = self._child.stdout.readline()
                self._settings = json.loads(line)["settings"] if line else None
        return desktop.environment(self._settings or {})

    def close(self) -> None:
        """End it."""
        self._child.terminate()
        try:
            self._child.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe:
                pipe.close()
