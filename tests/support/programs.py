"""Programs that are given one command after another: a console, and `levqor` over and over."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from bot.commands import ROLE_LINES
from tests.support.bot import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Told:
    """What a person was told: whether it was done, and in which words."""

    done: bool
    words: str


class Console:
    """A console that reads a script, kept open; a context manager."""

    def __init__(self, home: Path, environ: dict[str, str]) -> None:
        self._bot = subprocess.Popen(
            [sys.executable, "-m", "bot.app", "--home", str(home), "--console", "--no-http"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={**os.environ, **environ, "LEVQOR_TELEGRAM": "off"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._bot.communicate(timeout=120)
        self._bot.kill()

    def does(self, line: str) -> Told:
        """Type a line, and read what is said until the next one is answered."""
        stdin, stdout = self._bot.stdin, self._bot.stdout
        assert stdin
        assert stdout
        stdin.write(f"{line}\nwhoami\n".encode())
        stdin.flush()
        said: list[str] = []
        while not (said and said[-1] in ROLE_LINES.values()):
            got = stdout.readline()
            assert got, said
            said.append(got.decode().rstrip("\n"))
        words = "\n".join(said[:-2])
        return Told("· run" in words, words)


class Terminals:
    """Runs `levqor`, each in a child of a process that has it loaded; a context manager."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.support.programs", "core.cli.line", *_LOADED])
        self._environ = environ

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left running: each child was waited for."""

    def run(self, line: Sequence[str], stdin: bytes | None) -> tuple[int, str, str]:
        """Run a command line to its end: exit status, standard output, standard error."""
        ours, theirs = self._context.Pipe()
        child = self._context.Process(
            target=_levqor, args=(theirs, list(line), stdin or b"", self._environ)
        )
        child.start()
        theirs.close()
        assert ours.poll(60), "levqor did not end"
        out, err, status = ours.recv()
        child.join(120)
        return status, out, err


# What a run imports on its way, so that a child need not.
_LOADED = ["core.engine", "core.connectors", "core.grammar", "core.outbound", "google.auth"]


def _levqor(answer: Any, line: list[str], stdin: bytes, environ: dict[str, str]) -> None:
    """In the child: standard streams as a shell sets them up, then `levqor`."""
    import tempfile

    from core.cli import main

    os.environ.update(environ)
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.close(reading)
    if os.fork() == 0:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(stdin)
        os._exit(0)
    os.close(writing)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        status = main(line)
        sys.stdout.flush()
        sys.stderr.flush()
        words = []
        for stream in (out, err):
            stream.seek(0)
            words.append(stream.read().decode())
        answer.send((*words, status))
