"""The API of an engine, and tokens for it."""

import pytest

from core.scopes import Scope
from tests.support.web import connecting, served


@pytest.fixture
def web(engine):
    with served(engine) as web:
        yield web


@pytest.fixture
def token(engine):
    return engine.ledger.token_new("ops", plan="pro")


@pytest.fixture
def prometheus(engine):
    return engine.ledger.token_new("prometheus", scope=Scope.of("metrics,live,openapi"))


@pytest.fixture
def connect(web):
    """Open connections to the server, byte by byte."""
    with connecting(web.address) as connect:
        yield connect
