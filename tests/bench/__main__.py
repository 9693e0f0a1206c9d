"""`make bench`: every part, then the page of the manual. `python -m tests.bench PART…`: those.

Each part runs in a process of its own: one that breaks or hangs takes nothing with it. What a
run of every part finds is added to docs/benchmarks.jsonl, of which docs/running/benchmarks.md is
made; a run of some parts prints only, unless `--keep` is given too. `--huge` measures a database
of ten million runs as well.
"""

import argparse
import importlib
import inspect
import json
import os
import subprocess
import sys
import time
import traceback

from tests.bench import kept
from tests.bench.measured import Measured, Skipped, show

PARTS = (
    "runs", "load", "acknowledging", "replies", "quota", "starting", "pages", "engines", "bot",
    "tray", "held", "hostile",
)  # fmt: skip
HUGE = "LEVQOR_BENCH_HUGE"
PART_SECONDS = 1800


def main():
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART")
    parser.add_argument("--keep", action="store_true", help="add what was found to the page")
    parser.add_argument("--huge", action="store_true", help="ten million runs too")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.huge:
        os.environ[HUGE] = "1"
    if asked.here:
        return alone(asked.parts[0])
    run = kept.beginning()
    run["parts"] = {name: apart(name) for name in asked.parts or PARTS}
    if asked.keep or not asked.parts:
        kept.add(run)
    return int(any("error" in found for found in run["parts"].values()))


def apart(name):
    """What a part found, run in a process of its own."""
    print(f"{name}:", flush=True)
    began, here = time.monotonic(), [sys.executable, "-m", "tests.bench", "--here", name]
    child = subprocess.Popen(here, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        out, _ = child.communicate(timeout=PART_SECONDS)
    except BaseException as error:
        os.killpg(child.pid, 15)
        child.wait()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        out = json.dumps({"rows": [], "error": f"it took longer than {PART_SECONDS} s"})
    fallback = {"rows": [], "error": f"it ended with status {child.returncode}"}
    found = json.loads(out) if out.strip() else fallback
    show([Measured(*row) for row in found["rows"]])
    for why in ("skipped", "error"):
        if why in found:
            print(f"  {why}: {found[why]}")
    return found | {"seconds": round(time.monotonic() - began)}


def alone(name):
    """Measure one part in this process, and print what it found as JSON."""
    found, out = {"rows": []}, sys.stdout
    sys.stdout = sys.stderr
    try:
        part = importlib.import_module(f"tests.bench.{name}")
        found["method"] = inspect.getdoc(part)
        for row in part.measure():
            rounded = [float(f"{value:.4g}") for value in row.repeats]
            found["rows"].append(row._replace(repeats=rounded))
    except Skipped as why:
        found["skipped"] = str(why)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - what was measured until then is kept
        traceback.print_exc()
        found["error"] = (
            f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        )
    out.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
