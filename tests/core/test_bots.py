"""Which bots run on a database, what they differ in, and where a person sees it."""

import contextlib
import os
import sqlite3
import time

import pytest

from core import __version__
from core.engine import Engine
from core.errors import LedgerError
from core.health import HealthChecker, bots
from core.settings import Settings
from core.wording import health_lines
from tests.core.test_cli_tables import ESCAPE
from tests.support.cli import levqor, on_terminal
from tests.support.engines import both, shared
from tests.support.waiting import wait_for

CANARY = "canary-5b1d77"


@pytest.fixture
def start(home, environ):
    """Start a bot on the one database; each its own settings."""
    with contextlib.ExitStack() as stack:

        def start(**more):
            engine = stack.enter_context(
                Engine.open(Settings(home, sandbox_urls={**environ, **more}))
            )
            engine.announce()
            return engine

        yield start


def said(engine):
    return "\n".join(health_lines(HealthChecker(engine).report()))


@both
def test_each_bot_is_listed_until_it_ends(start, open_ledger, database):
    with open_ledger() as ledger:
        assert bots(ledger).bots == ()
        one = start()
        [only] = bots(ledger).bots
        assert only.bot.endswith(f":{os.getpid()}")
        assert (only.version, only.reads) == (__version__, ())
        assert only.since.timestamp() == pytest.approx(time.time(), abs=60)
        start()
        assert len(bots(ledger).bots) == 2
        one.close()
        assert len(bots(ledger).bots) == 1


@both
def test_settings_that_differ_are_named_and_their_values_are_not(start, database):
    one = start(LEVQOR_UPGRADE_URL=f"/{CANARY}", LEVQOR_HOME="/one")
    two = start(LEVQOR_HOME="/two", LEVQOR_ADMINS=f"telegram:{CANARY}")
    report = bots(one.ledger)
    assert report.settings_that_differ == ("LEVQOR_ADMINS", "LEVQOR_UPGRADE_URL")
    assert "Settings differ between the bots: LEVQOR_ADMINS, LEVQOR_UPGRADE_URL" in said(two)
    kept = one.ledger.store.read(lambda db: repr(db.execute("SELECT * FROM bots").fetchall()))
    assert CANARY not in kept + repr(report) + said(one)


@both
def test_versions_that_differ_are_said(start, database):
    one, two = start(), start()
    assert "Versions differ" not in said(one)
    change = "UPDATE bots SET version = '0.0.9' WHERE owner = :owner"
    owner = {"owner": two.ledger.store.owner()}
    one.ledger.store.write(lambda db: db.execute(change, owner))
    assert f"Versions differ: {_label()} {__version__}, {_label()} 0.0.9" in said(one)


def _label():
    return f"{os.uname().nodename}:{os.getpid()}"


@both
def test_one_takes_a_lease_and_the_others_see_who_has_it(start, database):
    one, two = start(), start()
    assert one.ledger.lease("parrot 1f", 30) == 1
    assert two.ledger.lease("parrot 1f", 30) is None
    assert one.ledger.lease("parrot 1f", 30) == 1
    assert two.ledger.lease("telegram 2f", 30) == 1
    one.ledger.lease("prune", 30)
    assert [bot.reads for bot in bots(two.ledger).bots] == [("parrot",), ("telegram",)]
    assert said(one).endswith(f"Bots: {_label()} (reads parrot), {_label()} (reads Telegram)")
    one.ledger.release("parrot 1f")
    assert two.ledger.lease("parrot 1f", 30) == 2
    two.close()
    assert one.ledger.lease("parrot 1f", 30) == 3


def test_where_one_bot_runs_alone_health_says_nothing_of_bots(start):
    one = start()
    assert "Bots:" not in said(one)
    assert "bots" not in HealthChecker(one).report().body()
    start()
    assert "Bots:" in said(one)
    assert len(HealthChecker(one).report().body()["bots"]["bots"]) == 2


@shared
def test_on_a_shared_database_one_bot_is_listed_and_none_is_said(start, database):
    one = start()
    assert f"Bots: {_label()}" in said(one)
    sender = start()
    one.close()
    sender.ledger.store.write(lambda db: db.execute("UPDATE bots SET label = NULL"))
    assert "No bot runs. Start one with: levqor-bot" in said(sender)


@both
def test_of_an_interface_the_bot_that_reads_it_is_shown_and_no_other(start, database):
    one, two = start(), start()
    one.ledger.inbound("parrot", ok=True, verdict="takes messages")
    two.ledger.inbound("parrot", ok=True, verdict="stands by")
    one.ledger.lease("parrot 1f", 30)
    assert "Interface parrot: takes messages" in said(two)
    two.ledger.inbound("parrot", ok=False, verdict="cannot write")
    assert "Interface parrot: cannot write" in said(one)


def test_killed_bots_leave_no_rows_in_a_home(start, home):
    one = start()
    rows = "INSERT INTO bots VALUES ('gone', 'old:1', '0', '{}', 0, 0, 1e15, 0)"
    one.ledger.store.write(lambda db: db.execute(rows))
    assert len(bots(one.ledger).bots) == 1
    two = start()
    with contextlib.closing(sqlite3.connect(home / "levqor.db")) as db:
        left = {owner for (owner,) in db.execute("SELECT owner FROM bots")}
    assert left == {one.ledger.store.owner(), two.ledger.store.owner()}


@both
def test_the_command_shows_them_as_text_and_as_json(start, home, database):
    env = {} if database is None else {"LEVQOR_DATABASE_URL": database}
    empty = levqor("--home", home, "bots", env=env)
    assert (empty.status, empty.out) == (0, "No bot runs. Start one with: levqor-bot\n")
    one = start()
    start(LEVQOR_ADMINS="telegram:42")
    one.ledger.lease("telegram 1f", 30)
    shown = levqor("--home", home, "bots", env=env)
    assert shown.out.splitlines()[0].split() == ["BOT", "VERSION", "STARTED", "READS"]
    # Between the two: how long it runs, in as many words as that takes.
    bot, *_, reads = shown.out.splitlines()[1].split()
    assert (bot, reads) == (_label(), "Telegram")
    assert "Settings differ between the bots: LEVQOR_ADMINS" in shown.out
    body = levqor("--home", home, "bots", "--output", "json", env=env).json
    assert [bot["reads"] for bot in body["bots"]] == [["telegram"], []]
    assert body["settings_that_differ"] == ["LEVQOR_ADMINS"]
    narrow = ESCAPE.sub("", on_terminal("--home", home, "bots", env=env, columns=60).out)
    assert _label() in narrow
    assert max(map(len, narrow.splitlines())) <= 60


@shared
def test_a_bot_that_was_declared_dead_owns_nothing_until_it_goes_on_under_a_new_name(
    open_ledger, database
):
    with open_ledger() as ledger:
        was = ledger.store.owner()
        ledger.check_lease()
        ledger.store.write(lambda db: db.execute("UPDATE bots SET dead = 1"))
        with pytest.raises(LedgerError) as told:
            ledger.check_lease()
        assert told.value.reason == "ledger_lease"
        assert ledger.lease("sample", 60) is None
        wait_for(lambda: ledger.store.owner() != was, 60)
        ledger.check_lease()
        assert ledger.lease("sample", 60) is not None


@shared
def test_another_key_and_a_broken_transaction_change_nothing(open_ledger, database):
    with open_ledger() as ledger:
        ledger.check_key("a")
        with pytest.raises(LedgerError) as told:
            ledger.check_key("b")
        assert told.value.reason == "ledger_key"
        for address in (None, "postgresql://levqor@nowhere.invalid/another"):
            ledger.store.use(address)

        def half(db):
            db.execute("UPDATE meta SET value = 'x'")
            with contextlib.suppress(Exception):
                db.execute("SELECT 1 FROM nowhere")

        with pytest.raises(LedgerError):
            ledger.store.write(half, patience=0.5)
        assert ledger._key_check() == "a"
