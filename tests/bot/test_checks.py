"""The bot checks each service that is set up by itself, one bot of many."""

import asyncio
import time

import pytest

from bot.checks import AGAIN_MINUTES, LONGEST_MINUTES, ServiceChecks, next_check
from bot.runtime import Bot
from core.engine import Engine
from core.ledger import ProbeStreak
from core.ledger.records import DAY
from core.ledger.status import HOLDS_SECONDS
from core.settings import Settings
from tests.support.engines import both
from tests.support.sandbox import Answer
from tests.support.waiting import wait_for

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("verdict", "lasted", "minutes"),
    [
        ("ok", 0.0, AGAIN_MINUTES),
        ("ok", 86400.0, 5),
        ("attention", 86400.0, 5),
        ("failing", 0.0, AGAIN_MINUTES),
        ("failing", 120.0, 5),
        ("failing", 600.0, 10),
        ("unreachable", 1200.0, 20),
        ("failing", 86400.0, LONGEST_MINUTES),
    ],
)
def test_what_is_well_is_checked_every_few_minutes_and_what_fails_ever_less_often(
    verdict, lasted, minutes
):
    streak = ProbeStreak("slack", verdict, None, NOW - lasted, NOW, 5.0)
    wait = next_check(streak, 5) - NOW
    assert 0.9 * minutes * 60 <= wait <= 1.1 * minutes * 60
    assert next_check(streak, 5) == NOW + wait


def test_what_was_never_checked_is_due_and_no_two_services_are_due_together():
    assert next_check(None, 5) <= NOW
    names = ("slack", "slack/acme", "notion", "sheets", "telegram", "email")
    due = {next_check(ProbeStreak(name, "ok", None, 0.0, NOW, 5.0), 5) for name in names}
    assert len(due) == len(names)


def looked(engine, checks=None):
    """What one look of a bot finds."""

    async def look():
        bot = Bot(engine)
        found = await (checks or ServiceChecks)(bot).look()
        await bot.finish()
        return {name: str(health.verdict) for name, health in found.items()}

    return asyncio.run(look())


def age(ledger, seconds):
    """Let every check be so much older."""
    sql = "UPDATE probes SET at = at - :seconds, since = since - :seconds - 3600"
    ledger.store.write(lambda db: db.execute(sql, {"seconds": seconds}))


@both
def test_of_several_bots_one_checks_what_is_due_and_another_once_it_has_gone(
    home, environ, ledger, sandbox
):
    settings = Settings(home, sandbox_urls=environ)
    with Engine.open(settings) as first, Engine.open(settings) as second:
        found = looked(first)
        assert found.keys() == {"slack", "notion", "sheets", "telegram", "email"}
        assert set(found.values()) <= {"ok", "attention"}
        assert ledger.probes("slack")[0].verdict == found["slack"]
        age(ledger, 3600)
        assert looked(second) == {}
        assert looked(first).keys() == found.keys()
        # What anybody has just checked is not due, whoever asks.
        assert looked(first) == {}
        first.close()
        assert looked(second) == {}
        age(ledger, 3600)
        sandbox.slack.always(Answer(404, body="no_service"))
        assert looked(second)["slack"] == "failing"
    assert [probe.verdict for probe in ledger.probes("slack", 2)] == ["failing", found["slack"]]
    assert all(not service.writes for service in sandbox.services)


@both
def test_what_is_not_set_up_is_not_checked_and_zero_minutes_check_nothing(home, environ, ledger):
    some = {name: value for name, value in environ.items() if not name.startswith("RESEND")}
    with Engine.open(Settings(home, environ=some)) as engine:
        assert "email" not in looked(engine)
        age(ledger, 3600)
        (home / ".env").write_text("LEVQOR_CHECK_MINUTES=0\n")
        (home / ".env").chmod(0o600)
        engine.refresh()
        assert looked(engine) == {}
    assert ledger.probes("email") == []


def test_where_nothing_can_be_written_the_bot_does_not_check_without_end(
    home, environ, ledger, sandbox
):
    ledger.probed("slack", "ok", None, 5.0)
    age(ledger, 3600)
    with Engine.open(Settings(home, sandbox_urls=environ)) as engine:

        async def look_twice():
            bot = Bot(engine)
            checks = ServiceChecks(bot)
            # The lease is taken before.
            await bot.call(engine.ledger.lease, "checks", 60.0)
            ledger.store.write(lambda db: db.execute("DROP TABLE checks"))
            found = await checks.look()
            probes = len(sandbox.slack.received)
            again = await checks.look()
            await bot.finish()
            return found, again, probes

        found, again, probes = asyncio.run(look_twice())
    assert found["slack"].verdict in ("ok", "attention")
    assert again == {}
    assert 0 < probes == len(sandbox.slack.received)


def test_a_service_that_breaks_and_recovers_is_seen_by_a_bot_that_only_runs(
    home, environ, ledger, sandbox
):
    async def live():
        with Engine.open(Settings(home, sandbox_urls=environ)) as engine:
            bot = Bot(engine)
            bot.spawn(ServiceChecks(bot, minute=0.02).run())
            await asyncio.to_thread(wait_for, lambda: verdict() in ("ok", "attention"), 60)
            sandbox.slack.always(Answer(404, body="no_service"))
            await asyncio.to_thread(wait_for, lambda: verdict() == "failing", 60)
            sandbox.slack.clear()
            await asyncio.to_thread(wait_for, lambda: verdict() in ("ok", "attention"), 60)
            await bot.finish()

    def verdict():
        return next((probe.verdict for probe in ledger.probes("slack")), None)

    asyncio.run(live())


@both
def test_how_long_which_verdict_held_is_kept_by_day_and_only_as_far_as_somebody_looked(ledger):
    midnight = time.time() // DAY * DAY - 3 * DAY

    def check(verdict, before):
        """A check now, where the one before was at that time."""
        ledger.store.write(lambda db: db.execute("UPDATE probes SET at = :at", {"at": before}))
        ledger.probed("slack", verdict, None, 5.0)

    ledger.probed("slack", "ok", None, 5.0)
    check("failing", midnight - 600)
    check("ok", midnight + 12 * 3600)
    days = ledger.checks_by_day("slack", 5)
    assert [day.day for day in days] == sorted({day.day for day in days})
    assert days[0].seconds == {"ok": 600.0}
    assert days[1].seconds == {"failing": HOLDS_SECONDS, "ok": HOLDS_SECONDS - 600}
    assert [day.seconds for day in days[2:]] == [{}, {}, {}]
    assert [day.seconds for day in ledger.checks_by_day("notion", 2)] == [{}, {}]
    ledger.prune(1)
    assert ledger.probes("slack", 9)
    assert ledger.checks_by_day("slack", 5) == days
