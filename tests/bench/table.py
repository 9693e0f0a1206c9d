"""Numbers in columns."""

import statistics

from core.cli.output import aligned


def spread(taken):
    """Median and 95th percentile of milliseconds, as text."""
    return f"{statistics.median(taken):.2f}", f"{statistics.quantiles(taken, n=20)[-1]:.2f}"


def show(title, columns, rows):
    """Print a titled table."""
    print(title)
    for line in aligned([columns, *rows]):
        print(f"  {line}")
    print()
