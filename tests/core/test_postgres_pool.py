"""Connections, threads and the lease hold while a PostgreSQL hangs, fails or is slow."""

import contextlib
import sys
import threading
import time

import psutil
import psycopg
import pytest

from core.errors import LedgerError
from core.ledger import Ledger
from core.ledger.postgres import Lease
from core.ledger.postgres_connection import Pool
from tests.support.asking import HELLO
from tests.support.holding import rows_held
from tests.support.journal import accept, die, order
from tests.support.losing import A_LITTLE, PATIENCE, WRITER
from tests.support.postgres_proxy import PostgresProxy
from tests.support.waiting import wait_for

pytestmark = pytest.mark.xdist_group("loss")


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
    with Ledger.open(home, server.url(base), lease=Lease(4, 0.01, 6)) as ledger:
        server.execute("ALTER TABLE bots RENAME TO bots_away", base)
        for _ in range(5):
            with pytest.raises(LedgerError):
                ledger.store.owner()
        names = [each.name for each in threading.enumerate()]
        assert names.count("levqor-lease") == 1
        server.execute("ALTER TABLE bots_away RENAME TO bots", base)
        assert ledger.store.owner()
        (until,) = server.execute("SELECT until FROM bots", base)
        wait_for(lambda: server.execute("SELECT until FROM bots", base) > [until])
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


def test_who_was_declared_dead_while_it_stops_begins_under_no_other_name(home, server, base):
    beats = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    ledger = Ledger.open(home, server.url(base), lease=Lease(60, 1.0, 90))
    store, me = ledger.store, ledger.store.owner()

    def waits():
        frame = sys._current_frames().get(store._living.ident)
        return frame is None or frame.f_code.co_name == "_live"

    def last(_):
        # Its beat learns of it, and waits until the last is said.
        another.commit()
        wait_for(waits)

    with psycopg.connect(server.url(base)) as another:
        another.execute("UPDATE bots SET dead = 1")
        wait_for(lambda: server.execute(beats) == [(1,)])
        store.close(last)
    wait_for(lambda: not store._living.is_alive())
    assert server.execute("SELECT owner, dead FROM bots", base) == [(me, 1)]


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
