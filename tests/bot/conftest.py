"""What the tests of Telegram share: a bot at work, and somebody whom it lets in."""

import pytest

from tests.support.telegram import living, settings_for


@pytest.fixture
def bot(home, sandbox):
    with living(settings_for(home, sandbox)) as bot:
        yield bot


@pytest.fixture
def ada(bot, sandbox):
    bot.pair(42)
    return sandbox.telegram.user(42)
