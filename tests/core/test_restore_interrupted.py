"""A restore that is killed, or whose COMMIT was lost: whole or not at all, and once."""

import contextlib
import random
import shutil
import signal
import subprocess

import pytest

from core.home_key import key_check
from core.ledger import Ledger
from core.ledger.restore import opened
from tests.support import engines
from tests.support.cli import command, environment, levqor
from tests.support.journal import finish
from tests.support.postgres_proxy import PostgresProxy
from tests.support.restoring import dump, fill, made
from tests.support.waiting import wait_for

LARGE = 3000


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A backup that takes a while to restore."""
    folder = tmp_path_factory.mktemp("large")
    with Ledger.open(folder / "home") as ledger:
        fill(ledger, random.Random(1), LARGE)
        ledger.backup(folder / "copy.db")
    return folder / "copy.db"


@engines.both
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=lambda n: n.name)
def test_a_restore_that_is_killed_half_way_leaves_nothing(home, large, database, number):
    key_check(home)
    env = environment(**({"LEVQOR_DATABASE_URL": database} if database else {}))
    half_way = (lambda: _copying(database)) if database else (lambda: _written(home))
    child = subprocess.Popen(
        command("--home", home, "restore", large), env=env, stderr=subprocess.PIPE
    )
    wait_for(half_way, 60)
    child.send_signal(number)
    _, said = child.communicate(timeout=60)
    assert child.returncode == (-9 if number == signal.SIGKILL else 130), said
    wait_for(lambda: not (database and _copying(database)), 60)
    with Ledger.open(home, database) as ledger:
        assert set(map(len, dump(ledger).values())) == {0}
    ran = levqor("--home", home, "restore", large, "--output", "json", env=env)
    assert ran.json["rows"]["runs"] == LARGE


@engines.shared
@pytest.mark.parametrize("way", ["before", "after", "delayed"])
def test_a_restore_whose_commit_was_lost_is_one_restore(
    home, elsewhere, cluster, database, tmp_path, way
):
    file = made(elsewhere, tmp_path / "copy.db", lambda ledger: finish(ledger, "sent"))
    shutil.copy(elsewhere / "levqor.key", home)
    with PostgresProxy(cluster.port) as proxy:
        with Ledger.open(home, proxy.url(database)) as ledger:
            proxy.cut(way, "'restored'")
            with opened(file, key_check(home)) as given:
                assert given.restore(ledger).rows["runs"] == 1
        assert proxy.cuts == [way]
    with Ledger.open(home, database) as ledger:
        assert len(ledger.runs()) == 1


def _written(home):
    with contextlib.suppress(FileNotFoundError):
        return (home / "levqor.db-wal").stat().st_size > 100_000
    return False


def _copying(url):
    import psycopg

    with psycopg.connect(url) as db:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY %' AND state = 'active'"
        row = db.execute(f"{sql} AND datname = current_database()").fetchone()
        return row[0] > 0
