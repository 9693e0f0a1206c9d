"""Another program that holds the database, and HTTP callers who post all the same."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

POSTS_A_SECOND = 30
# Sooner than this no caller of a web service gives up who waits for an answer.
CALLERS_GIVE_UP = 10.0

_HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
db.execute("ROLLBACK")
print("released", flush=True)
"""


@contextmanager
def held(home: Path) -> Iterator[Callable[[], None]]:
    """Hold a home's database until the block ends, or what it gives is called."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(home / "levqor.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "held\n"

        def release() -> None:
            if process.poll() is None and not process.stdin.closed:
                process.stdin.close()
                assert process.stdout.readline() == "released\n"

        try:
            yield release
        finally:
            release()


@contextmanager
def rows_held(home: Path, database: str | None) -> Iterator[Callable[[], None]]:
    """Let nobody write to either engine until the block ends, or what it gives is called."""
    if database is None:
        with held(home) as release:
            yield release
        return
    with psycopg.connect(database) as db:
        db.execute("LOCK TABLE callers, runs IN EXCLUSIVE MODE")
        yield db.rollback


class Callers:
    """HTTP callers that post without a pause; `answers` holds (status, body) of each."""

    def __init__(self, address: str, token: str) -> None:
        self._address = address
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(160)
        self._metronome = threading.Thread(target=self._press_on, name="HTTP callers")
        self.answers: list[tuple[int, Any]] = []

    def __enter__(self) -> Self:
        self._metronome.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._metronome.join()
        self._pool.shutdown()

    def _press_on(self) -> None:
        number = 0
        while not self._stop.wait(1 / POSTS_A_SECOND):
            self._pool.submit(self._post, number)
            number += 1

    def _post(self, number: int) -> None:
        line = http.client.HTTPConnection(self._address, timeout=CALLERS_GIVE_UP)
        try:
            body = json.dumps({"text": f"over HTTP, {number}"})
            line.request("POST", "/actions/slack.send", body, self._headers)
            got = line.getresponse()
            self.answers.append((got.status, json.loads(got.read())))
        except OSError as error:
            self.answers.append((0, {"error": repr(error)}))
        finally:
            line.close()
