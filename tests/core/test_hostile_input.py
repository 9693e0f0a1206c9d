"""However long and odd an input is, reading it costs no more than its length."""

import pytest

from tests.support.hostile import KINDS, hostile, readers

KB = 1024


def cost(reader, kind, size):
    """The least of two tries: what else the machine does is no fault of the reader."""
    text = hostile(kind, size)
    return min(reader.seconds(text) for _ in range(2))


@pytest.mark.parametrize("reader", readers(), ids=lambda reader: reader.name)
def test_the_work_grows_no_faster_than_the_input(reader):
    taken = {}
    for kind in KINDS:
        taken[kind] = reader.seconds(hostile(kind, 4 * KB))
        # What is bad enough to be seen here would not end at 256 KB.
        if taken[kind] > 0.02:
            assert cost(reader, kind, 8 * KB) < 3 * max(cost(reader, kind, 4 * KB), 0.01), kind
    for kind in sorted(KINDS, key=taken.__getitem__)[-2:]:
        # Four times the length may cost four times as much; by the square it would be 16.
        assert cost(reader, kind, 256 * KB) < 8 * max(cost(reader, kind, 64 * KB), 0.01), kind
