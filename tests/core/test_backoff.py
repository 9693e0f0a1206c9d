from itertools import islice

from core.backoff import backoffs


def test_waits_double_up_to_the_longest_and_are_spread():
    for given, full in zip(islice(backoffs(1.0, 5.0), 5), (1.0, 2.0, 4.0, 5.0, 5.0), strict=True):
        assert 0.7 * full <= given <= full
    assert len(set(islice(backoffs(1.0, 1.0), 10))) > 1
