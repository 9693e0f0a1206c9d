"""The terminal from start to end, beside an interpreter that imports the same libraries.

`levqor run` journals a run, posts to a loopback server, settles the run and prints its receipt.
The bare imports are those of pydantic, requests, typer and rich. All take turns. 300 ms are meant
of a machine on which the bare imports take 190: 1.58 times as long.
"""

import subprocess
import sys
import tempfile
import time

from tests.bench import server
from tests.bench.measured import REPEATS, Measured, median
from tests.support.cli import ROOT, command, environment

TIMES = 3
BARE = "bare imports"
RUN = "levqor run slack.send"
AIMS = {RUN: "at most 300", "levqor --help": "under 400"}


def measure():
    """Measure every line in turns."""
    lines = {
        "python -c pass": [sys.executable, "-c", "pass"],
        BARE: [sys.executable, "-c", "import pydantic, requests, rich, typer"],
        "levqor --help": command("--help"),
        RUN: command("run", "slack.send", "The build is green."),
        "levqor runs": command("runs"),
    }
    with server.running() as url, tempfile.TemporaryDirectory(prefix="levqor-bench-") as home:
        webhook = f"{url}/services/T1/B1/bench"
        env = environment(
            LEVQOR_HOME=home, LEVQOR_DEFAULT_PLAN="pro", SLACK_WEBHOOK_URL=webhook,
            PYTHONDONTWRITEBYTECODE="",
        )  # fmt: skip
        repeats = {name: [] for name in lines}
        for number in range(REPEATS + 1):
            taken = {name: [] for name in lines}
            for _ in range(TIMES if number else 1):
                for name, line in lines.items():
                    began = time.perf_counter()
                    subprocess.run(
                        line,
                        check=True,
                        capture_output=True,
                        stdin=subprocess.DEVNULL,
                        env=env,
                        cwd=ROOT,
                    )
                    taken[name].append((time.perf_counter() - began) * 1000)
            if number:  # the first has everything compiled
                for name, each in taken.items():
                    repeats[name].append(median(each))
    for name, each in repeats.items():
        yield Measured(name, "ms", each, AIMS.get(name, ""))
    paired = [ours - bare for ours, bare in zip(repeats[RUN], repeats[BARE], strict=True)]
    yield Measured(f"{RUN}, less the bare imports", "ms", paired)
    ratio = [ours / bare for ours, bare in zip(repeats[RUN], repeats[BARE], strict=True)]
    yield Measured(f"{RUN}, of the bare imports", "times", ratio, "at most 1.58")
