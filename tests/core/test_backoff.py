"""How long is waited between attempts, and which failure is tried again at all."""

from itertools import islice

import pytest

from core.backoff import backoff, backoffs
from core.errors import Certainty, NotSent, Refused, Unknown
from core.outbound.retry import may_repeat, next_wait


def test_waits_double_up_to_the_longest_and_are_spread():
    for given, full in zip(islice(backoffs(1.0, 5.0), 5), (1.0, 2.0, 4.0, 5.0, 5.0), strict=True):
        assert 0.7 * full <= given <= full
    assert len(set(islice(backoffs(1.0, 1.0), 10))) > 1


def test_waits_begin_with_a_second_and_end_with_a_minute_where_nothing_else_is_said():
    for given, full in zip(islice(backoffs(), 8), (1, 2, 4, 8, 16, 32, 60, 60), strict=True):
        assert 0.7 * full <= given <= full


def test_failures_without_end_are_waited_for_no_longer_than_the_longest():
    assert backoff(5000, first=1.0, longest=60.0, jitter=0.0) == 60.0


@pytest.mark.parametrize(
    ("error", "repeated"),
    [
        (NotSent("x"), True),
        (Refused("x"), False),
        (Unknown("x", certainty=Certainty.MAYBE_DONE), False),
        (Unknown("x", certainty=Certainty.REPEATABLE), True),
    ],
    ids=["not sent", "refused", "unknown", "unknown and keyed"],
)
@pytest.mark.parametrize("named", [None, 0.0, 12.5])
def test_only_what_cannot_send_twice_is_tried_again_until_the_last_attempt(error, repeated, named):
    error = error.replace(retry_after=named)
    assert may_repeat(error) is repeated
    assert next_wait(error, 3, 3) is None
    assert next_wait(error, 4, 3) is None
    assert (next_wait(error, 2, 3) is not None) is repeated
    if repeated and named is not None:
        assert next_wait(error, 1, 3) == named


@pytest.mark.parametrize(("made", "most"), [(1, 0.5), (2, 1.0), (3, 2.0), (10, 8.0)])
def test_a_wait_that_no_service_names_is_any_part_of_one_that_doubles(made, most):
    waits = [next_wait(NotSent("x"), made, 20) for _ in range(400)]
    assert max(waits) <= most
    # All 400 in one half of it happen once in 10^120 times.
    assert min(waits) < most / 2 < max(waits)
