"""The tray's own model of a home: it looks, and sends tests, while everything goes wrong."""

from __future__ import annotations

import os
import random
import threading
from typing import TYPE_CHECKING, Self

from tests.chaos.askers import ACTIONS
from tray.source import SourceError
from tray.source.local import Local

if TYPE_CHECKING:
    from tests.chaos.world import World

_EVERY = 6.0


class TrayModel:
    """A thread that does what the icon and its menu do; `told` is how each test ended."""

    def __init__(self, world: World, seed: str) -> None:
        environ = {**os.environ, **world.environ}
        self._world, self._rng = world, random.Random(f"{seed} tray")
        self._source = Local(world.cli_home, environment=lambda: environ)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name="tray")
        self.told: dict[str, str] = {}
        self.failed: list[BaseException] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join(240)
        assert not self._thread.is_alive(), "the tray's model still waits"
        self._source.close()
        if self.failed:
            raise self.failed[0]

    def _live(self) -> None:
        while not self._stop.wait(self._rng.uniform(1.0, _EVERY)):
            what = self._rng.choice(["health", "runs", "test", "end"])
            try:
                self._do(what)
            except SourceError as error:
                self._world.log("tray", what=what, error=str(error)[:200])
            except BaseException as error:  # noqa: BLE001 - told in the main thread
                self.failed.append(error)
                return

    def _do(self, what: str) -> None:
        if what == "test":
            done = self._source.test(self._rng.choice(ACTIONS))
            self._world.log("tray", what=what, told=done.outcome, run=done.run)
            if done.run and done.outcome:
                self.told[done.run] = done.outcome
        elif what == "end":
            # What only looks is killed.
            threading.Timer(self._rng.uniform(0.1, 1.0), self._source.close).start()
            self._source.runs()
        else:
            getattr(self._source, what)()
