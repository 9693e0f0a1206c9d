"""PostgreSQL is away, or says no: a sentence with its fix, nothing sent, and it heals by itself."""

import contextlib
import os
import shutil

import psycopg
import pytest

from core.errors import LedgerError
from core.ledger import Ledger
from tests.support.asking import HELLO
from tests.support.disk import small_disk
from tests.support.losing import SECRET, WRITER, alter, as_user, end_backends, grant
from tests.support.postgres import Bouncer, Cluster
from tests.support.rawserver import certificate
from tests.support.waiting import wait_for

pytestmark = pytest.mark.xdist_group("loss")


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
