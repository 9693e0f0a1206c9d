"""Tries mutants: a pytest plugin in whose process tests are collected once.

mutmut's own loop starts pytest anew for each mutant and runs every test that passes through its
function. Here a fork of the process that has collected them tries one mutant after another, for a
mutant is chosen anew at each call, and what has caught such a one before comes first. A test that
fails is run again without the mutant: where it fails then too, the fork is what is broken, and
another one tries the mutant again.
"""

import contextlib
import functools
import json
import os
import re
import select
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest

# For one that survives: seconds of tests at first, and the least number; later all of them.
SECONDS, LEAST = 1.0, 6
# After so long for one mutant, or so many mutants, threads that go on may be left behind.
LONG, MANY = 10.0, 100
# One that waits for ever.
MOST = 240.0


class Trial:
    """Runs in place of the tests; `note` keeps what was found, mutant by mutant."""

    def __init__(self, todo, note, known, before=()):
        self.todo, self.note, self.known, self.before = todo, note, known, before
        self.seconds, self.hits = {}, defaultdict(set)
        self.kills, self.near = defaultdict(Counter), defaultdict(Counter)
        self.items, self.session = {}, None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        self.session, self.items = session, {item.nodeid: item for item in session.items}
        self._meet()
        for mutant, test in self.before:
            self._learn(mutant, test)
        for thorough in (False, True):
            left, stuck = self.todo(thorough), None
            while left:
                done = self._fork(self._try_each, left, thorough)
                if left[0] not in done and left[0] == stuck:
                    # It hangs, or breaks what comes after it: that is noticed too.
                    done[stuck] = {"mutant": stuck, "test": "-", "every": False, "spent": MOST}
                    self._hear(done[stuck])
                stuck = left[0]
                left = [mutant for mutant in left if mutant not in done]
        return True

    def _order(self, mutant, *, thorough):
        function = mutant.partition("__mutmut_")[0]
        own, near = self.kills[function], self.near[function.rpartition(".x")[0]]
        about = stems(function)
        cost = {
            name: (0.02 + self.seconds[name])
            / (0.1 + 10 * own[name] + near[name] + 5 * len(about & stems(name)))
            for name in self.hits[function]
        }
        names = sorted(cost, key=cost.__getitem__)
        if thorough:
            return names
        until, number = SECONDS, 0
        while number < len(names) and (until > 0 or number < LEAST):
            until -= self.seconds[names[number]]
            number += 1
        return names[:number]

    # -- in the fork -----------------------------------------------------------------------

    def _try_each(self, tell, mutants, thorough):
        for mutant in mutants[:MANY]:
            began = time.monotonic()
            names = self._order(mutant, thorough=thorough)
            failed = next((n for n in names if not self._passes(n, mutant)), None)
            spent = time.monotonic() - began
            if failed and not self._passes(failed):
                return  # in a fork of its own it may be as it should
            every = len(names) == len(self.hits[mutant.partition("__mutmut_")[0]])
            tell({"mutant": mutant, "test": failed, "every": every, "spent": round(spent, 2)})
            self._learn(mutant, failed)
            if spent > LONG:
                return

    def _passes(self, name, mutant=""):
        os.environ["MUTANT_UNDER_TEST"] = mutant
        before, item = self.session.testsfailed, self.items[name]
        # What is set up for the session stays, as long as another item follows; one of another
        # file, for what is set up for this one must go.
        following = next(each for each in self.session.items if each.path != item.path)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        os.environ["MUTANT_UNDER_TEST"] = ""
        return self.session.testsfailed == before

    def _meet_each(self, tell, names):
        from mutmut.state import state

        for name in names:
            began = time.monotonic()
            passed = self._passes(name, "stats")
            spent, functions = round(time.monotonic() - began, 3), sorted(state()._stats)
            state()._stats.clear()
            tell({"test": name, "seconds": spent, "passed": passed, "functions": functions})

    # -- in the process that forks ---------------------------------------------------------

    def _meet(self):
        """Learn which functions each test passes through, and how long it takes."""
        known = self.known.read_text().splitlines() if self.known.is_file() else []
        lines = {line["test"]: line for line in map(json.loads, known)}
        new = [name for name in self.items if name not in lines]
        with self.known.open("a") as file:
            for line in self._fork(self._meet_each, new).values() if new else ():
                file.write(json.dumps(line) + "\n")
                lines[line["test"]] = line
        for name in self.items:
            self.seconds[name] = lines[name]["seconds"]
            for function in lines[name]["functions"] if lines[name]["passed"] else ():
                self.hits[function].add(name)

    def _learn(self, mutant, failed):
        if failed in self.items:
            function = mutant.partition("__mutmut_")[0]
            self.kills[function][failed] += 1
            self.near[function.rpartition(".x")[0]][failed] += 1

    def _fork(self, work, todo, *more):
        """Do work in a fork, as far as it gets; what it told, by mutant or test."""
        folder, told = tempfile.mkdtemp(prefix="levqor-mutant-"), {}
        ear, mouth = os.pipe()
        if not (child := os.fork()):
            os.close(ear)
            self._child(folder, mouth, work, todo, *more)
        os.close(mouth)
        try:
            with os.fdopen(ear, "rb", buffering=0) as lines:
                while select.select([lines], [], [], MOST)[0] and (line := lines.readline()):
                    answer = json.loads(line)
                    told[answer.get("mutant") or answer["test"]] = answer
                    self._hear(answer)
        finally:
            for end in (os.kill, os.killpg):  # and what it left running
                with contextlib.suppress(ProcessLookupError):
                    end(child, signal.SIGKILL)
            os.waitpid(child, 0)
            shutil.rmtree(folder, ignore_errors=True)
        return told

    def _hear(self, answer):
        if mutant := answer.get("mutant"):
            self._learn(mutant, answer["test"])
            self.note(outcome="noticed" if answer["test"] else "survived", **answer)

    def _child(self, folder, mouth, work, *todo):
        try:
            os.setsid()
            os.environ["PYTEST_DEBUG_TEMPROOT"] = folder
            # Its words and its programs' are of no interest.
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            work(lambda answer: os.write(mouth, json.dumps(answer).encode() + b"\n"), *todo)
        finally:
            os._exit(0)  # a fork must not go on as its parent


@functools.cache
def stems(name):
    """The beginnings of a name's words: a test is often called what its function is."""
    words = re.findall(r"[a-z]{4,}", name.lower().replace("mutmut", ""))
    return {word[:5] for word in words} - {"core", "tests", "test", "ledge", "engin", "sqlit"}


def run(args, trial, folder):
    """Collect the tests in the folder of the mutants, and try."""
    here = Path.cwd()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        return pytest.main(["-s", "--rootdir=.", "--timeout=20", *args], plugins=[trial])
    finally:
        os.chdir(here)
