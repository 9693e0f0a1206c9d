"""What a part of the bench found, and how it is told."""

from __future__ import annotations

import math
import statistics
from typing import NamedTuple

from core.cli.output import aligned

REPEATS = 5


class Measured(NamedTuple):
    """One thing that was measured, once in each repeat."""

    what: str
    unit: str
    repeats: list[float]
    aim: str = ""


class Skipped(Exception):
    """This machine cannot do a part, or the rest of one; the text says why."""


def median(values):
    """The median."""
    return statistics.median(values)


def percentile(values, share):
    """The value that so large a share of them does not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def number(value):
    """A number in three digits, or all that stand before the point."""
    digits = 0 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 4)}f}"


def spread(repeats):
    """The least, the median and the most of some repeats."""
    return " / ".join(map(number, (min(repeats), median(repeats), max(repeats))))


def show(rows):
    """Print what was measured."""
    table = [("what", "unit", "min / median / max", "aim")]
    table += [(row.what, row.unit, spread(row.repeats), row.aim) for row in rows]
    for line in aligned(table):
        print(f"  {line}", flush=True)
