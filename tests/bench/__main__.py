"""`make bench`: every measurement, or those named: `python -m tests.bench runs starting`."""

import importlib
import pkgutil
import sys
from pathlib import Path

NO_BENCH = ("__main__", "server", "table")


def main(wanted):
    """Run every module of this folder that has a `main`."""
    here = [one.name for one in pkgutil.iter_modules([str(Path(__file__).parent)])]
    for name in [one for one in here if one not in NO_BENCH]:
        if not wanted or name in wanted:
            importlib.import_module(f"tests.bench.{name}").main()


main(sys.argv[1:])
