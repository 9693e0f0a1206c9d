"""What the worst input of each length costs where text is read: it grows as the length does."""

from tests.bench import table
from tests.support.hostile import KINDS, hostile, readers

SIZES = (64, 128, 256)
SHOWN = 15


def main():
    """Print the readers that take longest."""
    rows = []
    for reader in readers():
        worst = max(KINDS, key=lambda kind, reader=reader: reader.seconds(hostile(kind, 8 * 1024)))
        taken = [reader.seconds(hostile(worst, size * 1024)) * 1000 for size in SIZES]
        rows.append((taken[-1], (reader.name, ascii(worst[0]), *(f"{ms:.0f}" for ms in taken))))
    slowest = [row for _, row in sorted(rows, reverse=True)[:SHOWN]]
    columns = ("reader", "repeated", *(f"{size} KB, ms" for size in SIZES))
    table.show(f"Hostile input: the slowest {SHOWN} of {len(rows)} readers", columns, slowest)
