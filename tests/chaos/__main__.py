"""`python -m tests.chaos --seconds N --seed S`: everything goes wrong, and nothing may be lost.

Prints a summary as JSON. Exit status 0: every promise was kept; 1: one was broken, and the
summary holds its seed and the whole story of the run.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.chaos.midnight import seconds_to_midnight
from tests.chaos.rounds import Log, chaos
from tests.support.clock import Clock


def main(argv: list[str]) -> int:
    """Run it, once more as a program whose clock may be set: all it starts has that clock too."""
    if "SKEW" not in os.environ:
        with tempfile.TemporaryDirectory(prefix="levqor-clock-") as folder:
            Path(folder).chmod(0o755)
            clock = Clock(Path(folder), seconds_to_midnight() - 60)
            line = [sys.executable, "-m", "tests.chaos", *argv]
            return subprocess.call(line, env={**os.environ, **clock.environ})
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--bots", type=int, default=3)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--log", type=Path, help="one line for each event")
    given = parser.parse_args(argv)
    # Connections that break are what this is about.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    with (given.log or Path("/dev/null")).open("w") as file:
        result = chaos(given.seconds, given.seed, given.bots, given.database, Log(file))
    print(json.dumps(result.body(), indent=1))  # noqa: T201 - its answer
    return 1 if result.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
