"""One message to the same loopback server: a whole run beside a bare post, slack_sdk and Apprise.

All four post from one process and take turns, so that whatever else the machine does falls on each
alike. Own work is the run's median less the bare post's in the same repeat: contract, quota,
journal with its flushes to the disk, queue, log and receipt. Databases of each size are measured
in turns too.
"""

import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import apprise
import requests
from slack_sdk.webhook import WebhookClient

from core.callers import Caller
from core.engine import Engine
from core.settings import Settings
from tests.bench import server
from tests.bench.filling import fill
from tests.bench.measured import REPEATS, Measured, median

SIZES = (1_000, 10_000, 100_000, 1_000_000)
HUGE_SIZE = 10_000_000
WARM_UP, ROUNDS = 50, 150
CALLER = Caller("cli", "bench")
BODY = {"text": "The build is green."}
POST, SDK, APPRISE, RUN = "requests.Session.post", "slack_sdk", "Apprise", "a Levqor run"


class Senders:
    """The four ways to send, on one database."""

    def __init__(self, stack, home, url):
        webhook = f"{url}/services/T1/B1/bench"
        session = stack.enter_context(requests.Session())
        session.trust_env = False
        other = apprise.Apprise()
        other.add(url.replace("http://", "json://"))
        client = WebhookClient(webhook)
        engine = stack.enter_context(
            Engine.open(Settings(home, environ={"SLACK_WEBHOOK_URL": webhook}))
        )
        engine.ledger.set_plan(str(CALLER), "pro")
        # A run's line in the log is written after it has told: beside what nothing is taken from.
        self.ways = {
            APPRISE: lambda: other.notify(body=BODY["text"]),
            POST: lambda: session.post(webhook, json=BODY, timeout=10).ok,
            RUN: lambda: engine.run("slack.send", BODY, CALLER).outcome == "sent",
            SDK: lambda: client.send(text=BODY["text"]).status_code == 200,
        }

    def medians(self, rounds):
        """Each way's median milliseconds, and those on a processor."""
        taken = {name: ([], []) for name in self.ways}
        for _ in range(rounds):
            for name, way in self.ways.items():
                busy, began = time.process_time(), time.perf_counter()
                if not way():
                    raise SystemExit(f"{name} failed")
                taken[name][0].append((time.perf_counter() - began) * 1000)
                taken[name][1].append((time.process_time() - busy) * 1000)
        return {name: tuple(map(median, each)) for name, each in taken.items()}


def measure():
    """Measure every size in turns."""
    sizes = SIZES + ((HUGE_SIZE,) if os.environ.get("LEVQOR_BENCH_HUGE") else ())
    with ExitStack() as stack:
        url = stack.enter_context(server.running())
        senders = {}
        for size in sizes:
            home = stack.enter_context(tempfile.TemporaryDirectory(prefix="levqor-bench-"))
            fill(Path(home), size)
            senders[size] = Senders(stack, Path(home), url)
            senders[size].medians(WARM_UP)
        repeats = [
            {size: each.medians(ROUNDS) for size, each in senders.items()} for _ in range(REPEATS)
        ]
    own = {size: [one[size][RUN][0] - one[size][POST][0] for one in repeats] for size in sizes}
    first = sizes[0]
    for name in (POST, SDK, APPRISE, RUN):
        aim = f"at most {APPRISE}'s" if name == RUN else ""
        yield Measured(name, "ms", [one[first][name][0] for one in repeats], aim)
        yield Measured(f"{name}, on a processor", "ms", [one[first][name][1] for one in repeats])
    for size in sizes:
        yield Measured(f"own work of a run, {size:,} runs kept", "ms", own[size], "at most 0.8")
    # What was aimed at was 0.8 ms on a machine whose bare post takes 0.87.
    share = [mine / one[first][POST][0] for mine, one in zip(own[first], repeats, strict=True)]
    yield Measured(f"own work of a run, of a bare {POST}", "times", share, "at most 0.92")
    for size in sizes[1:]:
        ratio = [many / few for many, few in zip(own[size], own[first], strict=True)]
        what = f"own work with {size:,} runs kept, of that with {first:,}"
        yield Measured(what, "times", ratio, "at most 1.2")
