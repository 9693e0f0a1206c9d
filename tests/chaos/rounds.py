"""Rounds of chaos: a world is disturbed, calmed and audited, and again, until the time is over."""

from __future__ import annotations

import json
import random
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from tests.chaos.askers import Askers, People
from tests.chaos.auditor import KINDS, TELLING, Finding, History, audit
from tests.chaos.disturbances import Disturbances
from tests.chaos.tray import TrayModel
from tests.chaos.world import World

ROUND_SECONDS = 45.0
# A bot that starts, a lease that ends, thirty seconds of a run, and a busy machine.
CALM_SECONDS = 150.0
ASKERS = 8


class Log:
    """One line of JSON for each event; thread-safe."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._lock = file, threading.Lock()
        self._began = time.monotonic()
        self.events: Counter[str] = Counter()
        self.recent: list[dict[str, Any]] = []

    def __call__(self, kind: str, **what: Any) -> None:
        line = {"t": round(time.monotonic() - self._began, 2), "kind": kind, **what}
        with self._lock:
            self.events[" ".join(filter(None, (kind, what.get("mode"), what.get("way"))))] += 1
            self.recent.append(line)
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()

    def told_of(self, mark: str) -> list[dict[str, Any]]:
        """The events around a message: its own, and what went wrong between its first and last."""
        with self._lock:
            own = [line["t"] for line in self.recent if line.get("mark") == mark]
            if not own:
                return []
            return [
                line
                for line in self.recent
                if line.get("mark") == mark
                or ("mark" not in line and own[0] - 10 <= line["t"] <= own[-1] + 10)
            ]


@dataclass
class Result:
    """What a whole program came to."""

    seed: str
    database: str
    seconds: float = 0.0
    rounds: int = 0
    asked: int = 0
    runs: int = 0
    arrivals: int = 0
    tests: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    # Runs by day; and who had a free one that counts, of one action, on each of two days.
    days: Counter[str] = field(default_factory=Counter)
    two_days: int = 0
    told: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def body(self) -> dict[str, Any]:
        """As JSON."""
        kinds = Counter(one["kind"] for one in self.findings)
        found = {kind: kinds[kind] for kind in KINDS}
        counts = {
            name: dict(sorted(getattr(self, name).items()))
            for name in ("outcomes", "days", "told", "events")
        }
        return {**self.__dict__, "seconds": round(self.seconds, 1), **counts, "found": found}


def chaos(seconds: float, seed: str, bots: int, database: str, log: Log) -> Result:
    """Disturb for so long, or until something is found."""
    result, told = Result(seed, database), dict[str, str]()
    with (
        tempfile.TemporaryDirectory(prefix="levqor-chaos-") as folder,
        World(Path(folder), seed, bots, shared=database == "postgres", log=log) as world,
    ):
        began = time.monotonic()
        while not result.findings:
            left = seconds - (time.monotonic() - began)
            if left <= 0 or (result.rounds and left < ROUND_SECONDS / 2):
                break
            _round(world, f"{seed} {result.rounds}", min(left, ROUND_SECONDS), result, told)
            result.rounds += 1
            result.seconds = time.monotonic() - began
            result.events = log.events + world.storm.done
            log("so far", **{**result.body(), "findings": len(result.findings)})
    return result


def _round(world: World, seed: str, seconds: float, result: Result, told: dict[str, str]) -> None:
    log: Log = world.log  # type: ignore[assignment]
    log.recent.clear()
    world.marks.forget()
    world.collector.forget()
    world.storm.forget()
    world.storm.seed, world.storm.mode = seed, "usual"
    log("round", number=result.rounds, seed=seed)
    people = People.made(world, result.rounds, int(seconds))
    askers, disturbances = Askers(world, people, seed, result.rounds), Disturbances(world, seed)
    world.clock.before_midnight(random.Random(f"{seed} midnight").uniform(0.2, 0.6) * seconds)
    with TrayModel(world, seed) as tray:
        askers.start(ASKERS)
        disturbances.start()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(1.0)
            world.collector.look()
            askers.listen()
        log("calm")
        askers.stop.set()
        disturbances.stop()
        askers.calm.set()
        askers.join(CALM_SECONDS)
    told.update(tray.told)
    history = _calm(world, askers)
    history.tests, history.test_arrivals = world.tests(told), world.collector.tests
    history.states, history.usage = world.states(), world.usage()
    _add(result, history)
    result.findings += [_found(one, history, log, seed) for one in audit(history)]
    log("audited", asked=len(history.asked), rows=len(history.rows), found=len(result.findings))


def _calm(world: World, askers: Askers) -> History:
    """Wait until every run ended and everybody was told, or until it is clear that not."""
    until = time.monotonic() + CALM_SECONDS
    while True:
        askers.listen()
        rows = world.rows()
        world.collector.look()
        silent = [
            asked.mark
            for asked in askers.asked.values()
            if asked.surface in TELLING
            and asked.last is None
            and asked.heard
            and not any(each.what == "trouble" for each in asked.told)
        ]
        open_ = [row for row in rows if row.state in ("accepted", "sending") or row.owed]
        if not silent and not open_:
            break
        if time.monotonic() > until:
            world.log("silent", marks=silent, open=[row.run for row in open_], **world.state())
            break
        time.sleep(0.5)
    # Who sent one may know better than who found it interrupted, a moment later.
    time.sleep(1.0)
    askers.listen()
    rows = world.rows()
    return History(askers.asked, rows, world.collector.look())


def _add(result: Result, history: History) -> None:
    result.asked += len(history.asked)
    result.runs += len(history.rows)
    result.tests = len(history.tests)
    result.arrivals += len(history.arrivals)
    result.outcomes += Counter(row.state for row in history.rows)
    counted = {(row.owner, row.action, row.day) for row in history.rows if row.free and row.charged}
    result.days += Counter(row.day for row in history.rows)
    result.two_days += len(counted) - len({(owner, action) for owner, action, _ in counted})
    ends = (asked.last.what if asked.last else "nothing" for asked in history.asked.values())
    result.told += Counter(ends)


def _found(one: Finding, history: History, log: Log, seed: str) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "what": one.what,
        "seed": seed,
        "mark": one.mark,
        "story": history.story(one.mark),
        "events": log.told_of(one.mark),
    }
