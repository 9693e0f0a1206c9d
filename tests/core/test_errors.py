"""An error is a value: made once, never changed, and made anew with other values."""

import inspect

import pytest

from core import errors
from core.errors import Fault, InvalidInput, LevqorError, NotSent, QuotaSpent, Unknown
from core.streams import NotPrinted

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, LevqorError) and kind is not LevqorError
]


def made(kind):
    if kind is errors.Stopping:
        return kind()
    if issubclass(kind, errors.UpstreamError):
        return kind("slow", "It was slow.", run="r1")
    return kind(message="It was slow.", run="r1")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["message", "fix", "run", "retry_after", "outcome", "args", "new"])
def test_nothing_of_an_error_is_changed_after_it_was_made(kind, name):
    error = made(kind)
    before = error.body(), error.args
    with pytest.raises(AttributeError, match="an error is a value"):
        setattr(error, name, "other")
    assert (error.body(), error.args) == before


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_made_anew_with_other_values(kind):
    error = made(kind)
    other = error.replace(message="It was ****.", retry_after=2.5)
    assert type(other) is kind
    assert (other.message, str(other), other.retry_after) == ("It was ****.",) * 2 + (2.5,)
    assert error.message != other.message
    assert {**other.body(), "message": error.message, "retry_after": 0} == {
        **error.body(),
        "retry_after": 0,
    }


def test_what_a_kind_has_of_its_own_is_kept():
    wrong = InvalidInput([Fault("to", "is required")], fix="Name one.")
    assert wrong.replace(fix=None).faults == wrong.faults
    spent = QuotaSpent(upgrade="/plans")
    assert spent.replace(run="r2").body()["upgrade"] == "/plans"
    lost = NotPrinted(BrokenPipeError(32, "Broken pipe"))
    assert lost.replace(run="r2").quiet


@pytest.mark.parametrize("kind", [LevqorError, NotSent])
def test_a_value_that_a_kind_has_not_is_a_mistake(kind):
    error = kind("slow")
    with pytest.raises(TypeError, match="has no fixx"):
        error.replace(fixx="Wait.")
    with pytest.raises(TypeError, match="has no fixx"):
        kind("slow", fixx="Wait.")


def test_a_raised_error_still_tells_where_it_came_from():
    with pytest.raises(Unknown) as caught:
        raise Unknown("slow") from ValueError("cause")
    caught.value.add_note("seen")
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.with_traceback(None).__traceback__ is None
