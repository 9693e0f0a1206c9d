"""What tests of the bot share: HTTP with some settings; Telegram at work, and who may use it."""

import pytest

from core.engine import Engine
from core.settings import Settings
from tests.support.telegram import living, settings_for
from tests.support.web import served


@pytest.fixture
def bot(home, sandbox):
    with living(settings_for(home, sandbox)) as bot:
        yield bot


@pytest.fixture
def ada(bot, sandbox):
    bot.pair(42)
    return sandbox.telegram.user(42)


@pytest.fixture
def serve(home, sandbox, request):
    """Serve with some more settings."""

    def start(hooks=(), at="127.0.0.1", **environ):
        settings = Settings(
            home, sandbox_urls=sandbox.settings(), environ={**environ, "PATH": "/bin"}
        )
        engine = Engine.open(settings)
        request.addfinalizer(engine.close)
        context = served(engine, hooks, at=at)
        web = context.__enter__()
        request.addfinalizer(lambda: context.__exit__(None, None, None))
        return web

    return start
