"""The worst text of each length, where text is read: what it costs grows as the length does.

The slowest readers of all, each with what is worst for it.
"""

from tests.bench.measured import REPEATS, Measured
from tests.support.hostile import KINDS, hostile, readers

SIZES = (64, 128, 256)
SHOWN = 5


def measure():
    """Find the slowest readers, then measure them."""
    worst = {
        reader: max(KINDS, key=lambda kind, reader=reader: reader.seconds(hostile(kind, 8 * 1024)))
        for reader in readers()
    }
    most = SIZES[-1] * 1024
    slowest = sorted(worst, key=lambda reader: -reader.seconds(hostile(worst[reader], most)))
    for reader in slowest[:SHOWN]:
        for size in SIZES:
            text = hostile(worst[reader], size * 1024)
            taken = [reader.seconds(text) * 1000 for _ in range(REPEATS)]
            yield Measured(f"{reader.name}, {size} KB of {worst[reader][0]!a}", "ms", taken)
