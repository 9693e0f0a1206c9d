"""How long a command takes to say anything, beside an interpreter that does nothing."""

import subprocess
import sys
import time

from tests.bench import table
from tests.support.cli import ROOT, command, environment

TIMES = 15


def main():
    """Print the table."""
    lines = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "levqor --help": command("--help"),
        "levqor run --help": command("run", "--help"),
        "levqor --sandbox runs": command("--sandbox", "runs"),
    }
    taken = {name: [] for name in lines}
    for _ in range(TIMES):
        for name, line in lines.items():
            began = time.perf_counter()
            subprocess.run(line, check=True, capture_output=True, env=environment(), cwd=ROOT)
            taken[name].append((time.perf_counter() - began) * 1000)
    rows = [(name, *table.spread(each)) for name, each in taken.items()]
    columns = ("command", "median ms", "p95 ms")
    table.show(f"From start to end, {TIMES} times (bound: --help under 400 ms)", columns, rows)
