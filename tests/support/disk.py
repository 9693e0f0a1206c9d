"""A small disk of its own, to be filled up."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def small_disk(folder: Path, size: str = "2m") -> Iterator[Path]:
    """Mount a disk of so many bytes on a folder, until the block ends."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() != 0 or os.system(
        f"mount -t tmpfs -o size={size},mode=700 none {folder} 2>/dev/null"
    ):
        pytest.skip("mounting a small disk needs to be root")
    try:
        yield folder
    finally:
        os.system(f"umount -l {folder}")


class Filler:
    """Fills a disk, and whatever becomes free on it, until `stop` makes room again."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "filler"
        self._full, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._fill)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._full.wait(120)
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Make room."""
        self._stopped.set()
        self._thread.join()
        self._file.unlink(missing_ok=True)

    def fill(self, *, leaving: int = 0) -> None:
        """Fill it once, up to so many bytes."""
        with self._file.open("wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * 4096)
            file.truncate(file.tell() - leaving)

    def _fill(self) -> None:
        with self._file.open("wb", buffering=0) as file:
            while not self._stopped.is_set():
                try:
                    file.write(b"x" * 4096)
                except OSError:
                    self._full.set()
                    time.sleep(0.001)
