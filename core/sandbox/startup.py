"""How programs start the sandbox: beside their own work, or for others until a signal."""

from __future__ import annotations

import shlex
import signal
import threading
from typing import TYPE_CHECKING

from core.home import temporary
from core.sandbox.server import Sandbox
from core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path
    from types import FrameType


def start(
    stack: ExitStack, home: Path | None, *, tolerant: bool = False
) -> tuple[Sandbox, Settings]:
    """Run the sandbox for as long as `stack`, and give the settings that lead to it.

    Its home is a temporary folder unless one is named. `tolerant` reads broken settings too.
    """
    sandbox = stack.enter_context(Sandbox())
    folder = home or temporary(stack)
    return sandbox, Settings.load(folder, sandbox_urls=sandbox.settings(), tolerant=tolerant)


def serve(port: int, announce: Callable[[str, dict[str, str]], None]) -> None:
    """Run the sandbox until SIGINT or SIGTERM; call it from the main thread.

    `announce` gets the front page's address and the settings to export. Raises OSError where
    the port is taken.
    """
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Sandbox(port) as sandbox:
            announce(sandbox.url, sandbox.settings())
            stopped.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exports(settings: dict[str, str]) -> str:
    """The settings as lines for a shell."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in settings.items())
