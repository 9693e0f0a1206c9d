"""The bots, their database and the services, as they stand while everything goes wrong."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psycopg
import pytest

from core.callers import Caller, os_user
from core.engine import Engine
from core.home_key import home_key
from core.ledger import Ledger
from core.settings import Settings
from tests.chaos.auditor import ENDED, Row, TestSend
from tests.chaos.midnight import SystemClock
from tests.chaos.storm import Collector, Storm
from tests.support.bot import ROOT, Program
from tests.support.cli import environment
from tests.support.clock import Clock
from tests.support.disk import small_disk
from tests.support.postgres import Cluster, free_port
from tests.support.postgres_proxy import PostgresProxy
from tests.support.replica import Replica
from tests.support.sandbox import Sandbox
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ROWS = (
    "SELECT run, fingerprint, state, charged, free, quota_owner, action, day, "
    "reply_to IS NOT NULL, reason FROM runs WHERE test = 0"
)
_READ = """
import json, sqlite3, sys
db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=30)
rows = db.execute(sys.argv[2]).fetchall()
print(json.dumps([[v.hex() if isinstance(v, bytes) else v for v in row] for row in rows]))
"""


class Member:
    """One bot of the world: started, killed and started again at the same address."""

    def __init__(self, world: World, number: int, home: Path, environ: Mapping[str, str]) -> None:
        self._world, self.number, self.home = world, number, home
        self.clock, self.wrong = Clock(world.folder, world.clock.seconds), 0
        self.http = f"127.0.0.1:{free_port()}"
        self._environ = {**environ, **self.clock.environ}
        self._lock = threading.Lock()
        self._program: Program | None = None
        self.starts = 0

    @property
    def running(self) -> bool:
        return self._program is not None and self._program.running

    @property
    def said(self) -> str:
        return self._program.said if self._program else ""

    def start(self) -> None:
        """Start it, and again until it serves: on a full disk it cannot."""
        with self._lock:
            until = time.monotonic() + 120
            while not self.running and time.monotonic() < until:
                kind = Replica if self._world.shared else Program
                self._program = kind(self.home, self._environ, "--http", self.http)
                self.starts += 1
                wait_for(lambda: "listening on http://" in self.said or not self.running)
                if not self.running:
                    self._world.log("bot", bot=self.number, what="ended", said=self.said[-500:])
                    self._program.kill()
                    time.sleep(0.5)
            assert self.running, self.said

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._program:
            self._program.go_on()
            self._program.kill()

    def terminate(self) -> int:
        """Ask it to end."""
        assert self._program
        return self._program.terminate()

    def wrong_by(self, seconds: int) -> None:
        """Let its clock be wrong by so much, against the others'."""
        self.wrong = seconds
        self.clock.set(self._world.clock.seconds + seconds)

    def stop(self) -> None:
        if self._program and self.running:
            self._program.stop()

    def go_on(self) -> None:
        if self._program and self.running:
            self._program.go_on()


class World:
    """All of it; a context manager. `log` writes an event."""

    def __init__(
        self, folder: Path, seed: str, bots: int, *, shared: bool, log: Callable[..., None]
    ) -> None:
        self.folder, self.seed, self.shared, self.log = folder, seed, shared, log
        self._count = bots
        self._open = contextlib.ExitStack()
        self.disk: Path | None = None
        self.cluster: Cluster | None = None
        self.proxy: PostgresProxy | None = None
        self.url: str | None = None
        self.bots: list[Member] = []
        self.clock = SystemClock(self.bots)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._build(stack)
            self._open = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        for bot in self.bots:
            with contextlib.suppress(subprocess.TimeoutExpired):
                bot.kill()
        self._open.close()

    def _build(self, stack: contextlib.ExitStack) -> None:
        self.sandbox = stack.enter_context(Sandbox())
        self.storm, self.collector = Storm(self.seed), Collector(self.sandbox)
        homes = self.folder / "homes"
        homes.mkdir(mode=0o700)
        # Where nobody may mount one, no disk is filled.
        with contextlib.suppress(pytest.skip.Exception):
            self.disk = stack.enter_context(small_disk(homes, "64m"))
        home_key(self.folder)
        self.environ = {
            **self.sandbox.settings("socket"),
            "LEVQOR_KEY_FILE": str(self.folder / "levqor.key"),
            "LEVQOR_CHECK_MINUTES": "0",
        }
        if self.shared:
            self.cluster = stack.enter_context(Cluster())
            self.url = self.cluster.url(stack.enter_context(self.cluster.database()))
            self.proxy = stack.enter_context(PostgresProxy(self.cluster.port))
            self.environ["LEVQOR_DATABASE_URL"] = self.proxy.url(self.url)
        self.home = homes / "home-0"
        for number in range(self._count):
            self.bots.append(self._member(number, homes))
        self.cli_home = homes / "terminal" if self.shared else self.home
        for home in {*(bot.home for bot in self.bots), self.cli_home}:
            home.mkdir(mode=0o700, exist_ok=True)
        self.marks = stack.enter_context(Marks(self.folder, self.environ))
        with self.ledger() as ledger:
            ledger.set_plan(str(Caller("cli", os_user())), "pro")
        with ThreadPoolExecutor() as pool:
            list(pool.map(Member.start, self.bots))
        self.storm.on(self.sandbox)

    def _member(self, number: int, homes: Path) -> Member:
        own: dict[str, str] = {}
        if number and not self.shared:
            # One home has one bot for each chat; the others serve HTTP.
            own = {"LEVQOR_TELEGRAM": "off", "SLACK_APP_TOKEN": ""}
        name = f"home-{number}" if self.shared else "home-0"
        return Member(self, number, homes / name, {**self.environ, **own})

    def ledger(self) -> Ledger:
        """The database, past the proxy that cuts lines."""
        home = self.folder / "driver" if self.shared else self.home
        return Ledger.open(home, self.url)

    def levqor(self, *args: str, clock: Clock | None = None) -> subprocess.Popen[str]:
        """Start the terminal's program; its output is one JSON document."""
        line = [sys.executable, "-m", "core.cli", "--home", str(self.cli_home), *args]
        env = environment(**self.environ, **(clock.environ if clock else {}))
        return subprocess.Popen(
            [*line, "--output", "json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd=ROOT, env=env,
        )  # fmt: skip

    def query(self, sql: str) -> list[Any]:
        """Read from the database from outside."""
        if self.url:
            with psycopg.connect(self.url, autocommit=True) as db:
                return db.execute(sql).fetchall()
        # In a process of its own: whoever closes a second handle would drop this one's locks.
        line = [sys.executable, "-c", _READ, str(self.home / "levqor.db"), sql]
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise sqlite3.OperationalError(done.stderr[-300:])
        return list(json.loads(done.stdout))

    def rows(self) -> list[Row]:
        """The runs of this round."""
        found = []
        for run, print_, state, charged, free, owner, action, day, owed, reason in self.query(
            _ROWS
        ):
            name = print_ if isinstance(print_, str) else bytes(print_).hex()
            if (mark := self.marks.of(name)) is not None:
                values = (bool(charged), bool(free), owner, action, day, bool(owed), reason)
                found.append(Row(run, mark, state, *values))
        return found

    def state(self) -> dict[str, Any]:
        """How the bots are doing, where somebody waits for them in vain."""
        out, err = self.levqor("health").communicate(timeout=120)
        updates = self.sandbox.telegram.updates
        return {
            "health": (out or err)[-2000:],
            "bots": [(bot.running, bot.starts, bot.said[-600:]) for bot in self.bots],
            "pending": [one["update_id"] for one in updates.pending],
            "confirmed": updates.confirmed[-5:],
            "leases": self.query("SELECT name, owner, term, until FROM leases"),
        }

    def tests(self, told: Mapping[str, str]) -> list[TestSend]:
        """All test sends so far, and what the tray was told of them."""
        rows = self.query("SELECT run, connector, state FROM runs WHERE test = 1")
        return [TestSend(run, kind, state, told.get(run)) for run, kind, state in rows]

    def states(self) -> Counter[str]:
        """How many runs are in each state; usage knows no test sends."""
        return Counter(
            dict(self.query("SELECT state, count(*) FROM runs WHERE test = 0 GROUP BY state"))
        )

    def usage(self) -> Counter[str]:
        """How many there are by the report of the terminal."""
        out, err = self.levqor("usage", "--days", "3").communicate(timeout=120)
        counted: Counter[str] = Counter()
        for line in json.loads(out or err)["usage"]:
            counted.update({k: v for k, v in line.items() if k in ENDED})
        return counted


class Marks:
    """Which run in the database is which message: what is kept of an input is an HMAC of it."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        own = {k: v for k, v in environ.items() if k != "LEVQOR_DATABASE_URL"}
        home = folder / "marks"
        home.mkdir(mode=0o700)
        # A database of its own, of which nothing is sent: it says how an input is kept.
        self._engine = Engine.open(Settings(home, sandbox_urls=own))
        self._lock = threading.Lock()
        self._caller = Caller("cli", "marks")
        self._engine.ledger.set_plan(str(self._caller), "pro")
        self._of: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._engine.close(0.0)

    def add(self, mark: str, action: str, values: Mapping[str, Any]) -> None:
        """Learn how a message will be known."""
        with self._lock:
            run = self._engine.accept(action, values, self._caller).run
            record = self._engine.ledger.run(run)
            assert record
            self._of[record.fingerprint.hex()] = mark

    def of(self, fingerprint: str) -> str | None:
        """Whose run it is."""
        return self._of.get(fingerprint)

    def forget(self) -> None:
        """Begin a new round."""
        self._of.clear()
