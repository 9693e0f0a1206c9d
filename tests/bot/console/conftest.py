"""Somebody at the bot's console."""

import pytest

from tests.support.bot_console import Person


@pytest.fixture
def person():
    someone = Person("--sandbox", "--console", "--no-http")
    someone.until("levqor> ")
    yield someone
    someone.leaves()
