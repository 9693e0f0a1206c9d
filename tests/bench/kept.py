"""The runs of the bench that are kept: one line of JSON each, oldest first, and on what."""

import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import psutil

from core import __version__
from tests.bench.measured import median
from tests.support.cli import ROOT
from tests.support.postgres import binaries

FILE = ROOT / "docs/benchmarks.jsonl"
LIBRARIES = (
    "requests", "apprise", "slack_sdk", "slack_bolt", "fastapi", "uvicorn", "pydantic", "psycopg",
)  # fmt: skip


def beginning():
    """When, on what machine, and what else it does then."""
    return {
        "at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": machine(),
        "versions": versions(),
        "load": os.getloadavg()[0],
        "flush": round(flush(), 2),
    }


def flush():
    """Median milliseconds that the disk takes to have 4 KB safe."""
    taken = []
    with tempfile.TemporaryFile() as file:
        for _ in range(50):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    return median(taken)


def machine():
    """The machine in a few words; nothing of them names it."""
    cpu = ""
    if (info := Path("/proc/cpuinfo")).exists():
        cpu = info.read_text().partition("model name")[2].partition(": ")[2].partition("\n")[0]
    memory = psutil.virtual_memory().total / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cpu or platform.machine()}, {cores} cores, {memory:.0f} GB, {platform.system()}"


def versions():
    """What was measured."""
    found = {"Levqor": commit(), "Python": platform.python_version()}
    found["SQLite"] = sqlite3.sqlite_version
    if (folder := binaries()) is not None:
        said = subprocess.run(
            [folder / "postgres", "-V"], check=True, capture_output=True, text=True
        )
        found["PostgreSQL"] = said.stdout.split()[2]
    return found | {name: version(name) for name in LIBRARIES}


def commit():
    """The release, and the commit where this is a checkout."""
    done = subprocess.run(
        ["git", "rev-parse", "--short=10", "HEAD"],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return " ".join(filter(None, (__version__, done.stdout.strip())))


def add(run):
    """Keep a run, and write the page anew."""
    run["load"] = [round(run["load"], 2), round(os.getloadavg()[0], 2)]
    with FILE.open("a", encoding="utf-8") as file:
        file.write(json.dumps(run, ensure_ascii=False) + "\n")
    subprocess.run([sys.executable, ROOT / "docs/generate.py"], check=True)
