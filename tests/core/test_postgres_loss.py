"""PostgreSQL is away, or says no: a sentence with its fix, nothing sent, and it heals by itself."""

import contextlib
import os
import shutil
import threading
import time

import psutil
import psycopg
import pytest

from core.callers import Caller
from core.engine import Engine
from core.errors import LedgerError
from core.ledger import Ledger
from core.ledger.postgres import Lease
from core.ledger.postgres_connection import Pool
from core.settings import Settings
from tests.support.asking import HELLO
from tests.support.disk import small_disk
from tests.support.holding import rows_held
from tests.support.journal import accept, die, order
from tests.support.postgres import Bouncer, Cluster, needed
from tests.support.postgres_proxy import PostgresProxy
from tests.support.rawserver import certificate
from tests.support.waiting import wait_for

pytestmark = pytest.mark.xdist_group("loss")

PATIENCE = 1.0
# psycopg waits two seconds for a server that does not answer, and this machine is busy.
A_LITTLE = 8.0
SECRET = "PASSWORDCANARY"
WRITER = Caller("cli", "writer")


@pytest.fixture(scope="module")
def server():
    """A server of this file's own, to be stopped and broken."""
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


def grant(server, name):
    server.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO member, guarded", name)
    server.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO member, guarded", name)


def end_backends(server, name):
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    )


def as_user(url, user):
    return url.replace("levqor@", f"{user}@", 1)


def alter(server, setting, value, **more):
    """Change a setting of the server, in force once this returns; it may be read-only."""
    options = "-c default_transaction_read_only=off"
    with psycopg.connect(server.url(), autocommit=True, options=options) as db:
        db.execute(f"ALTER SYSTEM SET {setting} = '{value}'")
        db.execute("SELECT pg_reload_conf()")
    wait_for(lambda: server.execute(f"SHOW {setting}") == [(value,)], 30)


class Away:
    """An engine whose database goes away."""

    def __init__(self, engine, sandbox):
        self.engine, self.sandbox, self.sent = engine, sandbox, 0
        engine.ledger.set_plan(str(WRITER), "pro")
        self.works()

    def works(self):
        """Whether a run is sent."""
        try:
            outcome = self.engine.run("slack.send", HELLO, WRITER).outcome
        except LedgerError:
            outcome = None
        self.sent += outcome == "sent"
        return outcome == "sent"

    def refused(self, reason, *words):
        """The database cannot be used: said with what to do, in time, and nothing is sent."""
        began = time.monotonic()
        with pytest.raises(LedgerError) as caught:
            self.engine.accept("slack.send", HELLO, WRITER, patience=PATIENCE)
        assert time.monotonic() - began < PATIENCE + A_LITTLE
        said = caught.value
        assert said.reason == f"ledger_{reason}"
        assert (said.http, said.outcome) == (503, "not_sent")
        assert "The PostgreSQL database t" in said.message
        assert said.fix
        for word in words:
            assert word in said.message + said.fix
        assert SECRET not in str(said.body())

    def heals(self):
        """It is used again without a restart, and only what was said to be sent was sent."""
        wait_for(self.works, 60)
        assert len(self.sandbox.slack.received) == self.sent


@pytest.fixture
def away(home, sandbox):
    """Open an engine on a database that is going to be lost."""
    with contextlib.ExitStack() as stack:

        def start(**urls):
            environ = {**sandbox.settings(), **urls}
            engine = stack.enter_context(Engine.open(Settings(home, environ=environ)))
            return Away(engine, sandbox)

        yield start


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_is_stopped_is_waited_for(away, server, base, mode):
    lost = away(LEVQOR_DATABASE_URL=server.url(base))
    server.stop(mode)
    try:
        lost.refused("unreachable", "cannot be reached", "Start it")
    finally:
        server.start()
    lost.heals()


def test_a_run_whose_turn_comes_while_the_server_is_away_is_not_sent(away, server, base):
    lost = away(LEVQOR_DATABASE_URL=server.url(base))
    waiting = lost.engine.accept("slack.send", HELLO, WRITER)
    server.stop()
    try:
        out = lost.engine.start(waiting)
        assert out.result(60).outcome == "not_sent"
        assert lost.engine.ledger.kept() == [waiting.run]
    finally:
        server.start()
    lost.heals()
    assert lost.engine.ledger.run(waiting.run).state == "not_sent"
    assert lost.engine.unwritten() is None


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_is_restarted_is_not_noticed(away, server, base, mode):
    lost = away(LEVQOR_DATABASE_URL=server.url(base))
    server.stop(mode)
    server.start()
    lost.heals()
    assert lost.sent == 2


def test_a_server_that_became_read_only_is_left_and_asked_again(away, server, base):
    lost = away(LEVQOR_DATABASE_URL=server.url(base))
    alter(server, "default_transaction_read_only", "on")
    try:
        lost.refused("readonly", "is read-only now", "host=one,two")
        lost.refused("readonly")
    finally:
        alter(server, "default_transaction_read_only", "off")
    lost.heals()


def test_of_two_servers_the_one_that_may_be_written_to_is_used(away, server, base, home):
    """The first becomes read-only, as a primary that was replaced does: the other takes over."""
    with Cluster() as other:
        other.execute(f"CREATE DATABASE {base}")
        Ledger.open(home, other.url(base)).close()
        both = f"postgresql://levqor@127.0.0.1:{server.port},127.0.0.1:{other.port}/{base}"
        lost = away(LEVQOR_DATABASE_URL=both)
        alter(server, "default_transaction_read_only", "on")
        try:
            lost.engine.ledger.set_plan(str(WRITER), "pro")
            assert other.execute("SELECT caller, plan FROM callers", base) == [(str(WRITER), "pro")]
        finally:
            alter(server, "default_transaction_read_only", "off")
        lost.engine.close()


def test_a_server_behind_a_pooler_heals_like_any_other(away, server, base):
    with Bouncer(server) as bouncer:
        lost = away(LEVQOR_DATABASE_URL=bouncer.url(base))
        server.stop()
        try:
            lost.refused("unreachable")
        finally:
            server.start()
        lost.heals()
        lost.engine.close()


def test_a_pooler_that_goes_and_comes_is_waited_for(away, server, base):
    bouncer = Bouncer(server)
    lost = away(LEVQOR_DATABASE_URL=bouncer.url(base))
    bouncer.stop()
    lost.refused("unreachable")
    bouncer.start()
    try:
        lost.heals()
    finally:
        lost.engine.close()
        bouncer.stop()


def test_a_password_that_was_changed_is_read_from_its_file_without_a_restart(
    away, server, base, tmp_path
):
    file = tmp_path / "url"

    def write(password):
        file.write_text(as_user(server.url(base), f"guarded:{password}"))
        file.chmod(0o600)

    write(SECRET)
    lost = away(LEVQOR_DATABASE_URL_FILE=str(file))
    server.execute(f"ALTER ROLE guarded PASSWORD '{SECRET}2'")
    try:
        assert lost.works(), "who is connected stays so"
        end_backends(server, base)
        lost.refused("password", "refused the user or the password", "LEVQOR_DATABASE_URL")
        write(f"{SECRET}2")
        assert lost.engine.refresh()
        lost.heals()
    finally:
        server.execute(f"ALTER ROLE guarded PASSWORD '{SECRET}'")


def test_a_certificate_for_another_name_is_refused_until_there_is_a_right_one(
    away, server, base, tmp_path
):
    def serve(host):
        folder = tmp_path / host
        folder.mkdir(exist_ok=True)
        public, _ = certificate(folder, host)
        for file in (public, folder / "key.pem"):
            there = server.data / file.name
            shutil.copy(file, there)
            owner = server.data.stat()
            os.chown(there, owner.st_uid, owner.st_gid)
            there.chmod(0o600)
        server.execute("SELECT pg_reload_conf()")
        return public

    trusted = serve("127.0.0.1")
    for setting, value in (
        ("ssl_cert_file", "certificate.pem"), ("ssl_key_file", "key.pem"), ("ssl", "on"),
    ):  # fmt: skip
        alter(server, setting, value)
    with contextlib.ExitStack() as stack:
        stack.callback(alter, server, "ssl", "off")
        url = f"{server.url(base)}?sslmode=verify-full&sslrootcert={trusted}"
        lost = away(LEVQOR_DATABASE_URL=url)
        tls = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
        assert server.execute(f"{tls} WHERE datname = '{base}'") == [(True,)]
        # Cut within TLS, it is a lost connection and no wrong certificate.
        end_backends(server, base)
        lost.heals()
        own = trusted.read_bytes(), (trusted.parent / "key.pem").read_bytes()
        serve("db.example.com")
        end_backends(server, base)
        wait_for(lambda: not lost.works(), 30)
        lost.refused("tls", "its TLS certificate", "sslrootcert=/path/ca.crt")
        for name, content in zip(("certificate.pem", "key.pem"), own, strict=True):
            (server.data / name).write_bytes(content)
        server.execute("SELECT pg_reload_conf()")
        lost.heals()
        lost.engine.close()


def test_a_server_without_tls_is_not_spoken_to_under_a_name_of_another_machine(home, server, base):
    url = f"postgresql://levqor@db.example.com:{server.port}/{base}?hostaddr=127.0.0.1"
    with pytest.raises(LedgerError) as caught:
        Ledger.open(home, url)
    assert caught.value.reason == "ledger_tls"
    assert "on db.example.com cannot be trusted" in caught.value.message


def test_a_disk_without_space_is_said_and_nothing_is_accepted(away, server):
    with small_disk(server.folder / "small", "40m") as disk:
        owner = server.data.stat()
        os.chown(disk, owner.st_uid, owner.st_gid)
        server.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
        try:
            server.execute("CREATE DATABASE tsmall TABLESPACE small")
            lost = away(LEVQOR_DATABASE_URL=server.url("tsmall"))
            filler = disk / "filler"
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * 4096)
            # What room there is in its pages goes first.
            wait_for(lambda: not lost.works(), 60)
            lost.refused("full", "has no disk space left", "Free some space")
            filler.unlink()
            lost.heals()
            lost.engine.close()
        finally:
            server.execute("DROP DATABASE IF EXISTS tsmall WITH (FORCE)")
            server.execute("DROP TABLESPACE small")


def test_a_server_that_takes_no_more_clients_is_waited_for(away, server, base):
    lost = away(LEVQOR_DATABASE_URL=as_user(server.url(base), "member"))
    end_backends(server, base)
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                member = as_user(server.url(), "member")
                stack.callback(psycopg.connect(member).close)
        lost.refused("busy", "takes no more connections", "max_connections", "pgbouncer")
    lost.heals()


def test_a_user_without_rights_is_told_which_are_missing(away, server, base):
    lost = away(LEVQOR_DATABASE_URL=as_user(server.url(base), "member"))
    server.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM member", base)
    lost.refused("rights", "does not let this user use its tables", "owner of the database")
    grant(server, base)
    lost.heals()


def test_a_database_that_is_gone_is_missed_by_name(away, server, base):
    lost = away(LEVQOR_DATABASE_URL=server.url(base))
    # Who is connected to it would keep it from being renamed, and comes again at once.
    server.execute(f"ALTER DATABASE {base} CONNECTION LIMIT 0")
    end_backends(server, base)
    wait_for(lambda: _renamed(server, base, f"{base}_away"), 60)
    lost.refused("missing", f"The PostgreSQL database {base}", "does not exist", "createdb")
    wait_for(lambda: _renamed(server, f"{base}_away", base), 60)
    lost.heals()


def _renamed(server, old, new):
    end_backends(server, old)
    try:
        server.execute(f"ALTER DATABASE {old} RENAME TO {new}")
    except psycopg.errors.ObjectInUse:
        return False
    return True


@pytest.mark.parametrize(("user", "name", "reason", "word"), [
    ("nobody", "{base}", "password", "knows no such user"),
    ("stranger", "{base}", "refused", "pg_hba.conf"),
    ("guarded:wrong", "{base}", "password", "refused the user or the password"),
    ("levqor", "notthere", "missing", "createdb"),
    ("member", "postgres", "rights", "owner of the database"),
])  # fmt: skip
def test_what_is_wrong_with_the_address_is_said_at_the_start(
    home, server, base, user, name, reason, word
):
    url = as_user(server.url(name.format(base=base)), user)
    with pytest.raises(LedgerError) as caught:
        Ledger.open(home, url)
    assert caught.value.reason == f"ledger_{reason}"
    assert word in caught.value.message + caught.value.fix


def lines(server):
    """This process's connections to the server."""
    every = psutil.Process().net_connections("tcp")
    return [each for each in every if each.raddr and each.raddr.port == server.port]


def test_a_server_that_hangs_keeps_nobody_longer_than_they_wait(away, server, base):
    lost = away(LEVQOR_DATABASE_URL=server.url(base))
    main = psutil.Process(int((server.data / "postmaster.pid").read_text().split()[0]))
    still = [main, *main.children(recursive=True)]
    for process in still:
        process.suspend()
    try:
        lost.refused("unreachable")
        # Nor is it any longer where more ask than there are connections.
        errors = []

        def ask():
            began = time.monotonic()
            with pytest.raises(LedgerError) as caught:
                lost.engine.accept("slack.send", HELLO, WRITER, patience=PATIENCE)
            errors.append((time.monotonic() - began, caught.value))

        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert max(seconds for seconds, _ in errors) < PATIENCE + A_LITTLE
        assert {said.reason for _, said in errors} <= {"ledger_unreachable", "ledger_busy"}
        # An error that somebody keeps, keeps no connection.
        wait_for(lambda: len(lines(server)) <= 1, 30)
    finally:
        for process in still:
            process.resume()
    lost.heals()


def test_an_outage_leaves_no_connection_behind(home, server, base):
    with Ledger.open(home, server.url(base)) as ledger:
        server.stop("immediate")
        try:
            for reserved in (True, False) * 5:
                with pytest.raises(LedgerError):
                    ledger.store._patiently(lambda db: db.now(), 0.1, reserved=reserved)
        finally:
            server.start()
        ledger.store.owner()
        assert len(lines(server)) <= 2
    assert lines(server) == []


def test_who_cannot_become_an_owner_tries_again_with_the_same_thread(home, server, base):
    with Ledger.open(home, server.url(base)) as ledger:
        server.execute("ALTER TABLE bots RENAME TO bots_away", base)
        for _ in range(5):
            with pytest.raises(LedgerError):
                ledger.store.owner()
        names = [each.name for each in threading.enumerate()]
        assert names.count("levqor-lease") == 1
        server.execute("ALTER TABLE bots_away RENAME TO bots", base)
        assert ledger.store.owner()
    wait_for(lambda: "levqor-lease" not in [each.name for each in threading.enumerate()], 30)


def test_a_lease_is_kept_up_while_all_who_ask_wait(home, server, base):
    """More callers than connections, each held up by another transaction."""
    with Ledger.open(home, server.url(base), lease=Lease(4, 0.3, 6)) as ledger:
        accept(ledger)
        me, errors = ledger.store.owner(), []

        def ask(number):
            with pytest.raises(LedgerError) as caught:
                ledger.accept(order(caller=f"cli:{number}"), patience=7.0)
            errors.append(caught.value.reason)

        with rows_held(home, server.url(base)):
            threads = [threading.Thread(target=ask, args=(n,)) for n in range(40)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert set(errors) == {"ledger_locked", "ledger_busy"}
        assert ledger.store.owner() == me
        assert server.execute("SELECT count(*) FROM bots WHERE dead = 0", base) == [(1,)]
        lapsed = "SELECT held > since FROM bots"
        assert server.execute(lapsed, base) == [(False,)], "it never ended in between"


def test_a_connection_whose_time_is_up_is_lent_to_nobody_else(server):
    with contextlib.closing(Pool(server.url())) as pool:
        with pool.connection(0.2, wait=5) as late, pytest.raises(psycopg.OperationalError):
            late.raw.execute("SELECT pg_sleep(30)")
        for _ in range(3):
            with pool.connection(0.01, wait=5) as late:
                late.now()
                time.sleep(1.01)  # about when it is cut off
            with pool.connection(5, wait=5) as other:
                other.now()
                time.sleep(0.02)
                other.now()


def test_what_a_dead_bot_left_is_settled_over_a_slow_line(home, server, base, counts):
    with Ledger.open(home, server.url(base)) as bot:
        for number in range(counts(100, 1400)):
            accept(bot, caller=f"cli:{number}")
        die(bot)
    with PostgresProxy(server.port) as proxy, Ledger.open(home, proxy.url(server.url(base))) as far:
        proxy.lag = 0.02
        assert len(far.recover()) == counts(100, 1400)
        proxy.lag = 0.0
