"""What every test may use: an empty home, the sandbox, an engine; and no way out."""

import collections
import os
import signal
import socket
from pathlib import Path

import pytest

from core.connectors import CONNECTORS
from core.engine import Engine
from core.interfaces import declared
from core.ledger import Ledger
from core.settings import Settings
from core.settings.names import sections
from tests.support import postgres
from tests.support.sandbox import Sandbox

SPECS = Path(os.environ.get("LEVQOR_SPECS") or Path(__file__).parents[2] / "shared" / "specs")
SOAK = bool(os.environ.get("LEVQOR_SOAK"))
# Whatever is set on this machine must not decide a test.
_SET_PREFIXES = tuple(
    {
        setting.name.partition("_")[0] + "_"
        for _, settings in sections(CONNECTORS, declared())
        for setting in settings
    }
)
_CONNECT = socket.socket.connect


def _loopback_only(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        host = str(address[0])
        assert host.startswith("127.") or host in ("::1", "localhost"), f"a way out: {host}"
    return _CONNECT(self, address)


def pytest_configure():
    # Not a double: a fence. A test that reaches for the network fails where it does.
    socket.socket.connect = _loopback_only
    # A shell that starts a job in the background has it ignore Ctrl-C, and children inherit
    # that: the tests that press Ctrl-C would wait for ever.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _clean_environment(request, tmp_path_factory):
    if request.node.get_closest_marker("online"):
        yield
        return
    kept = {name: os.environ.pop(name) for name in list(os.environ) if _is_ours(name)}
    # Where a test names no home, none of this user's own may be touched.
    os.environ["XDG_DATA_HOME"] = str(tmp_path_factory.getbasetemp() / "data")
    yield
    for name in [name for name in os.environ if _is_ours(name)]:
        del os.environ[name]
    os.environ.update(kept)


def _is_ours(name):
    return name.startswith(_SET_PREFIXES)


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture(scope="session")
def _sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox):
    _sandbox.clear()
    yield _sandbox
    _sandbox.clear()


def pytest_generate_tests(metafunc):
    mark = metafunc.definition.get_closest_marker("databases")
    if mark and "database" in metafunc.fixturenames:
        metafunc.parametrize("database", mark.args, indirect=True)


@pytest.fixture(scope="session")
def cluster():
    postgres.needed()
    with postgres.Cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def bouncer(cluster):
    with postgres.Bouncer(cluster) as bouncer:
        yield bouncer


@pytest.fixture
def database(request):
    """The shared database's address, or None for SQLite; see tests/support/engines.py."""
    engine = getattr(request, "param", "sqlite")
    request.node.user_properties.append(("database", engine))
    if engine == "sqlite":
        yield None
        return
    server = request.getfixturevalue("cluster" if engine == "postgres" else "bouncer")
    with request.getfixturevalue("cluster").database() as name:
        yield server.url(name)


def pytest_terminal_summary(terminalreporter):
    """Say how many tests ran on each of the ledger's engines."""
    counts = collections.Counter(
        dict(report.user_properties)["database"]
        for report in terminalreporter.stats.get("passed", [])
        if report.when == "call" and "database" in dict(report.user_properties)
    )
    if counts:
        line = ", ".join(f"{engine} {count}" for engine, count in sorted(counts.items()))
        terminalreporter.write_line(f"Passed with a database: {line}")


@pytest.fixture
def environ(sandbox, database):
    """What leads to the sandbox, and to the shared database where there is one."""
    urls = sandbox.settings()
    return urls if database is None else {**urls, "LEVQOR_DATABASE_URL": database}


@pytest.fixture
def settings(home, environ):
    return Settings(home, sandbox_urls=environ)


@pytest.fixture
def open_ledger(home, database):
    """Open the ledger, once more each time; whoever opens it closes it."""
    return lambda: Ledger.open(home, database)


@pytest.fixture
def ledger(open_ledger):
    with open_ledger() as ledger:
        yield ledger


@pytest.fixture
def engine(settings):
    with Engine.open(settings) as engine:
        yield engine


@pytest.fixture
def specs():
    if not SPECS.is_dir():
        pytest.skip(f"no vendors' specs at {SPECS}; LEVQOR_SPECS may name their folder")
    return SPECS


@pytest.fixture
def counts():
    """Pick a count: `counts(short, soak)`."""
    return lambda short, soak: soak if SOAK else short
