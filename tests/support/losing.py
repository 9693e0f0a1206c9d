"""An engine whose PostgreSQL goes away or says no, and what makes a server do that."""

import time

import psycopg
import pytest

from core.callers import Caller
from core.errors import LedgerError
from tests.support.asking import HELLO
from tests.support.waiting import wait_for

PATIENCE = 1.0
# psycopg waits two seconds for a server that does not answer, and this machine is busy.
A_LITTLE = 8.0
SECRET = "PASSWORDCANARY"
WRITER = Caller("cli", "writer")


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
