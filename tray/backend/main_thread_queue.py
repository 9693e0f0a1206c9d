"""Work that other threads leave for the window thread."""

from __future__ import annotations

import logging
import os
import queue
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gi.repository import GLib

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)


class MainThreadQueue:
    """A queue the window thread is woken for, in the order it was filled.

    One pipe for good and not `GLib.idle_add`, which keeps about 100 bytes of each call for
    ever (PyGObject 3.42, measured).
    """

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[Callable[..., object], tuple[Any, ...]]]
        self._work = queue.SimpleQueue()
        read, self._write = os.pipe()
        for end in (read, self._write):
            os.set_blocking(end, False)
        GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, read, GLib.IOCondition.IN, self._run)

    def post(self, work: Callable[..., object], *args: Any) -> None:
        """Have this done on the window thread; from any thread."""
        self._work.put((work, args))
        # A full pipe has woken the window thread already.
        with suppress(BlockingIOError):
            os.write(self._write, b".")

    def _run(self, read: int, _: Any) -> bool:
        os.read(read, 4096)
        while not self._work.empty():
            work, args = self._work.get()
            try:
                work(*args)
            except Exception:
                # GTK would print it and nobody would know which it was.
                log.exception("the window could not do its part")
        return True
