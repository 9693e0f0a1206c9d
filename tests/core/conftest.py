import asyncio
import contextlib
import threading

import pytest

from core import connectors
from core.cli import main
from core.engine import Engine
from core.ledger import Ledger
from core.ledger.accept import accept
from core.settings import Settings
from tests.support.accounts import NOTION, SLACK, of_acme
from tests.support.asking import ADA, BOB
from tests.support.cli import Ran
from tests.support.journal import NOW, order
from tests.support.losing import SECRET, Away, grant
from tests.support.postgres import Cluster, needed
from tests.support.sandbox import Sandbox
from tests.support.sending import Direct


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
def notion(sandbox):
    """Notion's connector with a way out of its own."""
    with Direct(connectors.notion.CONNECTOR, sandbox) as direct:
        yield direct


@pytest.fixture
def sheets(sandbox):
    """Google Sheets' connector with a way out of its own."""
    with Direct(connectors.sheets.CONNECTOR, sandbox) as direct:
        yield direct


@pytest.fixture
def pro(engine):
    """An engine for whose two callers the free plan's limit is lifted."""
    for caller in (ADA, BOB):
        engine.ledger.set_plan(str(caller), "pro")
    return engine


@pytest.fixture
def acme():
    """The services' side of a second account."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def two(home, environ, acme):
    """An engine with two accounts of Slack and of Notion."""
    values = {**environ, **of_acme(acme, *SLACK, *NOTION)}
    with Engine.open(Settings(home, environ=values)) as engine:
        yield engine


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


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL of the module's own, to be stopped and broken."""
    needed()
    with Cluster(settings={"max_connections": "30"}) as server:
        server.execute("CREATE ROLE member LOGIN")
        server.execute(f"CREATE ROLE guarded LOGIN PASSWORD '{SECRET}'")
        hba = server.data / "pg_hba.conf"
        hba.write_text(
            "host all guarded 127.0.0.1/32 scram-sha-256\nhost all stranger 127.0.0.1/32 reject\n"
            + hba.read_text()
        )
        server.execute("CREATE ROLE stranger LOGIN")
        server.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture
def base(home, server):
    """A database with its tables, which `member` and `guarded` may use and do not own."""
    with server.database() as name:
        Ledger.open(home, server.url(name)).close()
        grant(server, name)
        yield name


@pytest.fixture
def away(home, sandbox):
    """Open an engine on a database that is going to be lost."""
    with contextlib.ExitStack() as stack:

        def start(**urls):
            environ = {**sandbox.settings(), **urls}
            engine = stack.enter_context(Engine.open(Settings(home, environ=environ)))
            return Away(engine, sandbox)

        yield start


@pytest.fixture
def elsewhere(tmp_path):
    """Another home, empty, with the key of the first."""
    folder = tmp_path / "elsewhere"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def urls(sandbox):
    """Where the services are, and nothing else of what they need."""
    return {k: v for k, v in sandbox.settings().items() if k.endswith("_API_URL")}


@pytest.fixture
def secrets(sandbox):
    return sandbox.settings()


@pytest.fixture
def take(ledger):
    """Accept in a transaction of the ledger's, as `Runs.accept` does."""

    def take(*, again=False, plan="pro", **more):
        request = order(**{"at": NOW, **more})
        owner = ledger.store.owner()
        return ledger.store.write(lambda db: accept(db, request, owner, plan, again=again))

    return take
