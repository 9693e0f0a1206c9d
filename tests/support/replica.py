"""Several `levqor-bot` on one PostgreSQL, each with a home of its own and a lease that is short.

Run as a program this is one of them: `python -m tests.support.replica … SECONDS/BEAT/GRACE`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

from bot.app.line import parse
from bot.app.process import live
from core.engine import Engine
from core.home_key import home_key
from core.ledger import Ledger
from core.ledger.postgres import Lease
from core.logs import quiet_libraries
from core.settings import Settings
from tests.support.bot import Program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SHORT = Lease(2, 0.3, 3)


class Replica(Program):
    """A bot among others, started again in the same home by calling this again."""

    def __init__(
        self, home: Path, environ: Mapping[str, str], *args: str, lease: Lease = SHORT
    ) -> None:
        home.mkdir(mode=0o700, exist_ok=True)
        timing = f"{lease.seconds}/{lease.beat}/{lease.grace}"
        self.home = home
        super().__init__(home, environ, *args, timing, module="tests.support.replica")

    def kill(self) -> None:
        """End it as a power cut would, also where it stands still."""
        self.go_on()
        super().kill()

    def stand_still(self) -> None:
        """Stop it as a machine that sleeps does."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Wake it up."""
        if self.running:
            os.kill(self.pid, signal.SIGCONT)


@contextlib.contextmanager
def replicas(
    folder: Path,
    environ: Mapping[str, str],
    *,
    lease: Lease = SHORT,
    each: Sequence[Mapping[str, str]] = ({}, {}, {}),
) -> Iterator[list[Replica]]:
    """Run a bot for `each` environment of its own, with one key, until the block ends."""
    home_key(folder)
    shared = {**environ, "LEVQOR_KEY_FILE": str(folder / "levqor.key")}
    with contextlib.ExitStack() as stack:
        bots = [
            stack.enter_context(
                Replica(
                    folder / f"home-{n}", {**shared, **own}, "--http", "127.0.0.1:0", lease=lease
                )
            )
            for n, own in enumerate(each)
        ]
        for bot in bots:
            bot.until("listening on http://")
        yield bots


def main(*argv: str) -> int:
    """Be one of them."""
    *argv, timing = argv
    options = parse(argv)
    settings = Settings(options.home)
    quiet_libraries(settings.redactor(), settings.loggers())
    lease = Lease(*map(float, timing.split("/")))
    ledger = Ledger.open(settings.home, settings.database_url, lease=lease)
    return asyncio.run(live(Engine.open(settings, ledger=ledger), options))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
