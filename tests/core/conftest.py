import asyncio
import threading

import pytest

from core.cli import main
from tests.support.asking import ADA, BOB
from tests.support.cli import Ran
from tests.support.sandbox import Sandbox


@pytest.fixture
def cli(capsys, monkeypatch, home, environ):
    """Run `levqor` in this process, on the sandbox as if they were the real services."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    def run(*args):
        status = main(["--home", str(home), *map(str, args)])
        printed = capsys.readouterr()
        return Ran(status, printed.out, printed.err)

    return run


@pytest.fixture
def pro(engine):
    """An engine for whose two callers the free plan's limit is lifted."""
    for caller in (ADA, BOB):
        engine.ledger.set_plan(str(caller), "pro")
    return engine


@pytest.fixture
def world():
    """A sandbox of its own with a loop for the bots beside it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    with Sandbox() as sandbox:
        yield sandbox, lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(20)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
