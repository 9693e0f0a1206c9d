"""`python -m tests.chaos --seconds N --seed S`: everything goes wrong, and nothing may be lost.

Prints a summary as JSON. Exit status 0: every promise was kept; 1: one was broken, and the
summary holds its seed and the whole story of the run.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from tests.chaos.rounds import Log, chaos


def main(argv: list[str] | None = None) -> int:
    """Run it."""
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
    sys.exit(main())
