"""The page of benchmarks: what benchmarks.jsonl, which `make bench` adds to, holds, as tables."""

import json
import math
import statistics
from pathlib import Path
from typing import Any

from docs.contract_pages import table

FILE = Path(__file__).with_name("benchmarks.jsonl")
# Older runs are in the file alone.
SHOWN = 6


def benchmarks() -> str:
    """Every part with its method, and a column for each of the last runs."""
    lines = FILE.read_text("utf-8").splitlines()
    runs = [json.loads(line) for line in lines][-SHOWN:]
    parts = list(dict.fromkeys(name for run in reversed(runs) for name in run["parts"]))
    return "\n\n".join([_runs(runs), *(_part(name, runs) for name in parts)])


def _runs(runs: list[dict[str, Any]]) -> str:
    rows = [
        (
            run["at"],
            run["machine"],
            " → ".join(f"{load:g}" for load in run["load"]),
            f"{run['flush']:g} ms" if "flush" in run else "not measured",
            ", ".join(f"{name} {version}" for name, version in run["versions"].items()),
        )
        for run in runs
    ]
    heading = "## The runs\n\nLoad is how many processes wanted a processor, before and after; "
    heading += "flush is how long the disk takes to have 4 KB safe."
    return f"{heading}\n\n{table(('run', 'machine', 'load', 'flush', 'versions'), rows)}"


def _part(name: str, runs: list[dict[str, Any]]) -> str:
    found = [run["parts"].get(name, {"rows": []}) for run in runs]
    said = [part["method"] for part in found if "method" in part]
    title, _, method = said[-1].partition("\n\n")
    rows: dict[tuple[str, str], list[str]] = {}
    aims: dict[tuple[str, str], str] = {}
    # The order is the last run's.
    for number, part in reversed([*enumerate(found)]):
        for what, unit, repeats, aim in part["rows"]:
            rows.setdefault((what, unit), [""] * len(runs))[number] = _spread(repeats)
            aims.setdefault((what, unit), aim)
    aimed = any(aims.values())
    head = ("", "unit", *(["aim"] if aimed else []), *(run["at"] for run in runs))
    body = [(*key, *([aims[key]] if aimed else []), *cells) for key, cells in rows.items()]
    notes = [
        f"{run['at']}: {why}: {part[why]}."
        for run, part in zip(runs, found, strict=True)
        for why in ("skipped", "error")
        if why in part
    ]
    heading, _, rest = title.rstrip(".").partition(": ")
    more = f"{rest[:1].upper()}{rest[1:]}." if rest else ""
    text = " ".join(filter(None, (more, " ".join(method.split()))))
    return "\n\n".join(filter(None, (f"## {heading}", text, table(head, body), *notes)))


def _spread(repeats: list[float]) -> str:
    middle = statistics.median(repeats)
    return f"{_number(min(repeats))} / **{_number(middle)}** / {_number(max(repeats))}"


def _number(value: float) -> str:
    digits = 0 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 4)}f}"
