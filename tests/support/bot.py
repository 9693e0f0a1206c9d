"""`levqor-bot` as a person starts it: a process of its own, listened to, killed, started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]


class Program:
    """A running `levqor-bot`; a context manager that leaves none behind.

    `said` is what it has written to standard error so far; `files` how many files it may
    have open, if fewer than its parent; `module` another program that is started like it.
    """

    def __init__(
        self,
        home: Path,
        environ: Mapping[str, str],
        *args: str,
        files: int | None = None,
        module: str = "bot.app",
    ) -> None:
        self.said = ""
        limit = ["sh", "-c", f'ulimit -n {files}; exec "$0" "$@"'] if files else []
        self._process = subprocess.Popen(
            [*limit, sys.executable, "-m", module, "--home", str(home), *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **environ},
        )
        self._reader = threading.Thread(target=self._read, name="levqor-bot's words")
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def address(self) -> str:
        """Where it listens for HTTP, once it says so."""
        self.until("listening on http://")
        return self.said.partition("listening on http://")[2].split()[0].rstrip(".")

    def until(self, words: str, seconds: float = 120.0) -> None:
        """Wait until it says something; fails where it ends first."""
        wait_for(lambda: words in self.said or not self.running, seconds)
        assert words in self.said, self.said

    def kill(self) -> None:
        """End it as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._end(120)

    def stop(self) -> None:
        """Have it stand still, as a frozen machine does, until `go_on`."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Wake it."""
        self._process.send_signal(signal.SIGCONT)

    def terminate(self, seconds: float = 120.0) -> int:
        """Ask it to end in order; its exit status."""
        self.terminate_soon()
        return self._end(seconds)

    def terminate_soon(self) -> None:
        """Ask it to end in order, and do not wait for it."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = 120.0) -> int:
        """Wait for its end; its exit status."""
        return self._end(seconds)

    def _end(self, seconds: float) -> int:
        status = self._process.wait(seconds)
        self._reader.join(seconds)
        if self._process.stderr is not None:
            self._process.stderr.close()
        return status

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.said += line
