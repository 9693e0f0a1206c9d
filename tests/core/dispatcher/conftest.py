"""A dispatcher on the engine's ledger, whose deliveries end as they are told to."""

from dataclasses import replace

import pytest

from core.engine.dispatcher import Dispatcher
from tests.support.asking import ADA
from tests.support.dispatching import Ways


@pytest.fixture
def ways():
    ways = Ways()
    yield ways
    ways.open.set()


@pytest.fixture
def told():
    return []


@pytest.fixture
def dispatching(pro, ways, told):
    """Make a dispatcher on the engine's ledger."""
    made = []

    def make(ledger=pro.ledger, ended=lambda job, settled: told.append((job, settled)), **more):
        made.append(Dispatcher(
            ledger, ways, pro.connectors, restore=pro.settled, ended=ended, **more
        ))  # fmt: skip
        return made[-1]

    yield make
    ways.open.set()
    for each in made:
        each.close(0)


@pytest.fixture
def dispatcher(dispatching):
    return dispatching()


@pytest.fixture
def job(pro):
    """Accept a run of Ada's; what `more` makes of it."""
    numbers = iter(range(1000))

    def job(**more):
        accepted = pro.accept("slack.send", {"text": f"n{next(numbers)}"}, ADA)
        return replace(accepted.job, **more)

    return job
