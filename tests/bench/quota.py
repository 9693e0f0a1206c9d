"""A decision about a quota, beside the `limits` library in an environment of its own.

`limits` counts in one process's memory, with its fixed window of a day, and forgets it all when
that ends; Levqor counts in its database. Looked up is whether one more is allowed; refused is a
whole request that ends in "Free plan", log line included. Then eight processes at once try the one
free run of the day of each of fifty people: 50 of those 400 tries may pass.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from core.callers import Caller
from core.engine import Engine
from core.errors import QuotaSpent
from core.settings import Settings
from tests.bench import peers
from tests.bench.measured import REPEATS, Measured, Skipped, median
from tests.support.cli import ROOT

LIMITS = "limits==5.8.0"
TIMES, PROCESSES, PEOPLE = 300, 8, 50
ACTION, BODY = "slack.send", {"text": "The build is green."}
# Nobody listens there: a run that is let through is not sent, and keeps its place all the same.
ENVIRON = {"SLACK_WEBHOOK_URL": "http://127.0.0.1:9/services/T1/B1/bench"}

# What runs in the other environment: milliseconds of a decision, or how many tries passed.
_PEER = """
import json, sys, time
from limits import parse, storage, strategies
window, asked = strategies.FixedWindowRateLimiter(storage.MemoryStorage()), sys.argv[1]
if asked == "passes":
    print("ready", flush=True), sys.stdin.readline()
    print(sum(window.hit(parse("1/day"), f"ann{n}") for n in range(int(sys.argv[2]))))
else:
    limit, taken = parse("1000000/day"), {"test": [], "hit": []}
    for _ in range(int(sys.argv[2])):
        for name, each in taken.items():
            began = time.perf_counter()
            getattr(window, name)(limit, "ann")
            each.append((time.perf_counter() - began) * 1000)
    print(json.dumps({name: sorted(each)[len(each) // 2] for name, each in taken.items()}))
"""


def passes(home):
    """One of eight processes: try each person's free run, and print how many were accepted."""
    with Engine.open(Settings(Path(home), environ=ENVIRON)) as engine:
        print("ready", flush=True)
        sys.stdin.readline()
        passed = 0
        for number in range(PEOPLE):
            try:
                engine.accept(ACTION, BODY, Caller("cli", f"ann{number}"))
            except QuotaSpent:
                continue
            passed += 1
        print(passed, flush=True)
        # What was accepted here is never begun: it counts as used until somebody settles it.
        sys.stdin.readline()


def together(line):
    """How many tries passed in eight processes that began at once."""
    pipe = subprocess.PIPE
    children = [
        subprocess.Popen(line, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
        for _ in range(PROCESSES)
    ]
    for child in children:
        child.stdout.readline()
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    passed = sum(int(child.stdout.readline()) for child in children)
    for child in children:
        child.communicate()
    return passed


def decisions(engine):
    """Median milliseconds to look a quota up, and to refuse who has used theirs."""
    engine.ledger.set_plan("cli:bench", "free")
    looked, refused = [], []
    caller = Caller("cli", "bench")
    for _ in range(TIMES):
        began = time.perf_counter()
        engine.ledger.quota(str(caller), [ACTION])
        looked.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        try:
            engine.accept(ACTION, BODY, caller)
        except QuotaSpent:
            refused.append((time.perf_counter() - began) * 1000)
    return median(looked), median(refused)


def measure():
    """Measure both in turns; without the library Levqor alone."""
    try:
        peer, why = [peers.python("limits", LIMITS), "-c", _PEER], None
    except Skipped as error:
        peer, why = None, error
    ours, theirs, passed = [], [], {"limits": [], "Levqor": []}
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory(prefix="levqor-bench-") as home:
            with Engine.open(Settings(Path(home), environ=ENVIRON)) as engine:
                ours.append(decisions(engine))
            passed["Levqor"].append(together([sys.executable, "-m", "tests.bench.quota", home]))
        if peer:
            line = [*peer, "times", str(TIMES)]
            theirs.append(json.loads(subprocess.check_output(line, text=True)))
            passed["limits"].append(together([*peer, "passes", str(PEOPLE)]))
    yield Measured("Levqor, looked up", "ms", [looked for looked, _ in ours])
    yield Measured("Levqor, a request refused", "ms", [refused for _, refused in ours])
    yield Measured("Levqor, passed in eight processes", "of 400", passed["Levqor"], "50")
    if not peer:
        raise why
    yield Measured("limits, looked up (test)", "ms", [one["test"] for one in theirs])
    yield Measured("limits, counted (hit)", "ms", [one["hit"] for one in theirs])
    yield Measured("limits, passed in eight processes", "of 400", passed["limits"])


if __name__ == "__main__":
    passes(sys.argv[1])
