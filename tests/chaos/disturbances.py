"""What goes wrong, one thing after another and several at once, as the seed says."""

from __future__ import annotations

import contextlib
import random
import threading
from typing import TYPE_CHECKING

from tests.chaos.midnight import seconds_to_midnight
from tests.chaos.storm import STORMS
from tests.support.disk import Filler
from tests.support.holding import rows_held
from tests.support.postgres_proxy import WAYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.world import World

# Further and where to answer would be forgotten rightly: it is kept for thirty minutes.
JUMP_SECONDS = 600


class Disturbances:
    """A thread that disturbs a world until `stop`, and `calm` it again."""

    def __init__(self, world: World, seed: str) -> None:
        self.world = world
        self._rng = random.Random(f"{seed} disturbances")
        self._stop = threading.Event()
        self._busy: list[threading.Thread] = []
        self._taken: set[str] = set()
        self.failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._live, name="disturbances")
        kinds = [
            (self._kill, 6), (self._restart, 2), (self._stand_still, 4), (self._storm, 6),
            (self._jump, 3), (self._lock, 3), (self._break_sockets, 3), (self._break_polls, 2),
            (self._midnight, 2),
        ]  # fmt: skip
        if world.disk:
            kinds.append((self._fill, 3))
        if world.shared:
            kinds += [(self._lose, 2), (self._end_backends, 3), (self._cut_commits, 6)]
        self._kinds = kinds

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End what still disturbs, and see that everything runs again."""
        self._stop.set()
        self._thread.join()
        for thread in self._busy:
            thread.join(150)
            assert not thread.is_alive(), thread.name
        if self.failed:
            raise self.failed[0]
        self.world.storm.mode = "calm"
        # What no poll has met yet would go on for minutes: a bot waits longer each time.
        with self.world.sandbox.telegram._lock:
            self.world.sandbox.telegram._next.clear()
        for bot in self.world.bots:
            bot.go_on()
            bot.start()

    def _live(self) -> None:
        while not self._stop.wait(self._rng.uniform(0.3, 2.5)):
            kind = self._rng.choices([k for k, _ in self._kinds], [w for _, w in self._kinds])[0]
            own = random.Random(self._rng.random())
            thread = threading.Thread(target=self._run, args=(kind, own), name=kind.__name__)
            self._busy = [one for one in self._busy if one.is_alive()]
            self._busy.append(thread)
            thread.start()

    def _run(self, kind: Callable[[random.Random], None], rng: random.Random) -> None:
        name = kind.__name__.strip("_")
        # One of a kind at a time, and one thing at a time with one bot.
        if name in self._taken:
            return
        self._taken.add(name)
        try:
            kind(rng)
        except BaseException as error:  # noqa: BLE001 - told in the main thread
            self.failed.append(error)
        finally:
            self._taken.discard(name)

    def _wait(self, seconds: float) -> None:
        self._stop.wait(seconds)

    # -- the bots --------------------------------------------------------------------------

    def _kill(self, rng: random.Random) -> None:
        bot = rng.choice(self.world.bots)
        self.world.log("kill", what="bot", bot=bot.number)
        bot.kill()
        self._wait(rng.uniform(0.0, 2.0))
        bot.start()

    def _restart(self, rng: random.Random) -> None:
        bot = rng.choice(self.world.bots)
        if bot.running:
            self.world.log("restart", bot=bot.number, status=bot.terminate())
        bot.start()

    def _stand_still(self, rng: random.Random) -> None:
        bot, seconds = rng.choice(self.world.bots), rng.uniform(0.5, 9.0)
        self.world.log("stop", bot=bot.number, seconds=round(seconds, 1))
        bot.stop()
        self._wait(seconds)
        bot.go_on()

    def _jump(self, rng: random.Random) -> None:
        bot, seconds = rng.choice(self.world.bots), rng.randint(-JUMP_SECONDS, JUMP_SECONDS)
        self.world.log("clock", bot=bot.number, seconds=seconds)
        bot.wrong_by(seconds)

    def _midnight(self, rng: random.Random) -> None:
        beyond = rng.uniform(1.0, 8.0)
        before = seconds_to_midnight() > 0
        seconds = self.world.clock.before_midnight(-beyond if before else beyond)
        self.world.log("midnight", seconds=seconds)

    # -- the services and the chats --------------------------------------------------------

    def _storm(self, rng: random.Random) -> None:
        mode, seconds = rng.choice(STORMS), rng.uniform(1.0, 5.0)
        self.world.log("storm", mode=mode, seconds=round(seconds, 1))
        self.world.storm.mode = mode
        self._wait(seconds)
        self.world.storm.mode = "usual"

    def _break_sockets(self, rng: random.Random) -> None:
        self.world.log("sockets")
        if rng.random() < 0.5:
            self.world.sandbox.slack.drop_sockets()
        else:
            self.world.sandbox.slack.disconnect()

    def _break_polls(self, rng: random.Random) -> None:
        from tests.support.sandbox import DropBefore, Hang

        self.world.log("polls")
        way = rng.choice([DropBefore(), Hang(3.0)])
        self.world.sandbox.telegram.next(*[way] * rng.randint(1, 4), on="getUpdates")

    # -- the database and the disk ---------------------------------------------------------

    def _lock(self, rng: random.Random) -> None:
        seconds = rng.uniform(0.5, 5.0)
        self.world.log("lock", seconds=round(seconds, 1))
        # Where it is lost meanwhile, it is not locked any more either.
        with contextlib.suppress(Exception), rows_held(self.world.home, self.world.url):
            self._wait(seconds)

    def _fill(self, rng: random.Random) -> None:
        assert self.world.disk
        seconds = rng.uniform(0.5, 5.0)
        self.world.log("disk", seconds=round(seconds, 1))
        with Filler(self.world.disk):
            self._wait(seconds)

    def _lose(self, rng: random.Random) -> None:
        assert self.world.cluster
        mode = rng.choice(["fast", "immediate"])
        self.world.log("lost", mode=mode)
        self.world.cluster.stop(mode)
        self._wait(rng.uniform(0.0, 4.0))
        self.world.cluster.start()

    def _end_backends(self, rng: random.Random) -> None:
        self.world.log("backends")
        with contextlib.suppress(Exception):
            self.world.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def _cut_commits(self, rng: random.Random) -> None:
        assert self.world.proxy
        way, times = rng.choice(WAYS), rng.randint(1, 3)
        after = rng.choice(["INSERT INTO runs", "UPDATE runs", "sending", ""])
        self.world.log("commit", way=way, times=times, after=after)
        self.world.proxy.cut(way, after, times)
