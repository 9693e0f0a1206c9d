"""`levqor sandbox`: the services for as long as somebody wants them."""

from __future__ import annotations

import shlex
import signal
import threading
from typing import TYPE_CHECKING

from core.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def serve(port: int, announce: Callable[[str, dict[str, str]], None]) -> None:
    """Run the sandbox until SIGINT or SIGTERM.

    `announce` is told the front page's address and the settings to export. Call it from the
    main thread. Raises OSError where the port is taken.
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
    lines = (f"export {name}={shlex.quote(value)}" for name, value in settings.items())
    return "\n".join(lines)
