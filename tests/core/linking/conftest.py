"""A team on the ledger."""

import pytest

from tests.support.linking import Team


@pytest.fixture
def team(ledger, home):
    return Team(ledger, home)
