import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.commands import QUESTIONS, Spelling
from bot.notifier import Notifier, encoded
from bot.runtime import Bot
from core import wording
from core.callers import Caller
from core.engine import Engine
from core.errors import Forbidden, InvalidInput, NotFound
from core.settings import Settings
from tests.support.engines import both
from tests.support.sandbox import Delay

ROOT = Path(__file__).parents[2]
ADA = Caller("slack", "T1:UADA")
BOB = Caller("telegram", "42")
SLASH = Spelling(action=lambda i: f"/{i.replace('.', '_')}", question=lambda w: f"/{w}")


def within(engine, story):
    """Run a coroutine function with a bot on this engine."""

    async def run():
        bot = Bot(engine)
        try:
            return await story(bot)
        finally:
            await bot.finish()

    return asyncio.run(run())


def test_help_lists_every_action_and_every_question_as_the_surface_spells_them(engine):
    async def story(bot):
        return await bot.commands.ask("help", "", ADA, SLASH)

    told = within(engine, story)
    for action_id in engine.action_ids():
        assert SLASH.action(action_id) in told
    for question in QUESTIONS:
        assert f"/{question.word}" in told


@pytest.mark.parametrize("about", ["/email_send", "email_send", "email.send"])
def test_help_on_an_action_names_its_fields_however_it_is_written(engine, about):
    async def story(bot):
        return await bot.commands.ask("help", about, ADA, SLASH)

    told = within(engine, story)
    assert told.startswith("Send an e-mail\n  /email_send to=… subject=… text\nto: ")
    assert "At most 200 characters." in told


@pytest.mark.parametrize(
    ("typed", "found"), [("/slack_send", "slack.send"), ("/health", "health"), ("/why", "why")]
)
def test_a_command_is_found_by_its_spelling(engine, typed, found):
    async def story(bot):
        return bot.commands.find(typed, SLASH)

    assert within(engine, story) == found


def test_a_misspelt_command_gets_the_nearest(engine):
    async def story(bot):
        bot.commands.find("/slack_sned", SLASH)

    with pytest.raises(NotFound) as caught:
        within(engine, story)
    assert caught.value.fix == "Did you mean /slack_send?"


def test_a_run_is_told_to_whoever_asked_for_it_and_to_nobody_else(engine):
    run = engine.run("slack.send", {"text": "hello"}, ADA).run

    async def story(bot, caller):
        return await bot.commands.ask("why", run, caller, SLASH)

    assert "Asked by slack:T1:UADA" in within(engine, lambda bot: story(bot, ADA))
    with pytest.raises(NotFound, match="no run of yours"):
        within(engine, lambda bot: story(bot, BOB))


def test_an_admin_may_see_every_run(home, sandbox):
    values = {**sandbox.settings(), "LEVQOR_ADMINS": "telegram:42"}
    with Engine.open(Settings(home, environ=values)) as engine:
        run = engine.run("slack.send", {"text": "hello"}, ADA).run
        told = within(engine, lambda bot: bot.commands.ask("why", run, BOB, SLASH))
        assert "Asked by slack:T1:UADA" in told
        assert "You are an admin" in within(
            engine, lambda bot: bot.commands.ask("whoami", "", BOB, SLASH)
        )


def ask(engine, rest, caller=ADA, **more):
    return within(engine, lambda bot: bot.commands.ask("runs", rest, caller, SLASH, **more))


@both
def test_runs_lists_the_latest_runs_of_the_person_who_asks(engine):
    mine = engine.run("slack.send", {"text": "one"}, ADA).run
    other = engine.run("slack.send", {"text": "two"}, BOB).run
    assert ask(engine, "") == f"Send a Slack message: sent, just now · run {mine}"
    assert ask(engine, "", BOB).endswith(f"run {other}")
    assert ask(engine, "", Caller("telegram", "43")) == "No runs yet."
    engine.ledger.person_add("ada", [str(ADA), str(BOB)], by="cli:me", plan="pro")
    assert [line[-10:] for line in ask(engine, "2").splitlines()] == [other, mine]
    assert ask(engine, "1", BOB).endswith(f"run {other}")


def test_all_runs_are_for_admins_in_private(engine):
    engine.run("slack.send", {"text": "one"}, ADA)
    engine.ledger.person_add("bob", [str(BOB)], by="cli:me", role="admin")
    assert ask(engine, "all", BOB).endswith(" · slack:T1:UADA")
    assert ask(engine, "", BOB) == "No runs yet."
    with pytest.raises(Forbidden, match="may not see the runs of others"):
        ask(engine, "all")
    with pytest.raises(Forbidden, match="Others can read this here"):
        ask(engine, "ALL 5", BOB, private=False)


@pytest.mark.parametrize("rest", ["0", "31", "-1", "ten", "1 2", "\N{ARABIC-INDIC DIGIT ONE}"])
def test_a_number_of_runs_that_is_none_is_refused(engine, rest):
    with pytest.raises(InvalidInput, match="runs takes a number from 1 to 30"):
        ask(engine, rest)


def test_why_without_an_id_says_what_is_missing(engine):
    with pytest.raises(InvalidInput):
        within(engine, lambda bot: bot.commands.ask("why", "", ADA, SLASH))


def test_usage_counts_ones_own_runs_and_an_admins_everybodys(home, sandbox):
    values = {**sandbox.settings(), "LEVQOR_ADMINS": "telegram:42", "LEVQOR_DEFAULT_PLAN": "pro"}
    with Engine.open(Settings(home, environ=values)) as engine:
        for caller in (ADA, ADA, BOB):
            engine.run("slack.send", {"text": "hello"}, caller)
        for caller, sent in ((ADA, 2), (BOB, 3)):
            told = within(engine, lambda bot, who=caller: bot.commands.ask("usage", "", who, SLASH))
            assert f"slack: {sent} sent" in told


def test_usage_tells_what_is_left_today(engine):
    engine.run("slack.send", {"text": "hello"}, ADA)
    told = within(engine, lambda bot: bot.commands.ask("usage", "", ADA, SLASH))
    assert "slack.send: 1 of 1 used, free again in " in told
    assert "email.send: 0 of 1 used" in told


def test_an_asker_is_told_once_and_then_forgotten(engine):
    told = []

    async def answer(where, settled):
        told.append((where, settled.outcome))

    async def story(bot):
        where = {"url": "x"}
        accepted = await bot.accept(
            "slack.send", {"text": "hi"}, ADA, key="slack:1", reply_to=encoded(where)
        )
        assert engine.ledger.run(accepted.run).reply_to == '{"url":"x"}'
        await Notifier(bot, "slack", outcome=answer, lost=answer, direct=answer).follow(
            accepted, where
        )
        return accepted.run

    run = within(engine, story)
    assert told == [({"url": "x"}, "sent")]
    assert engine.ledger.run(run).reply_to is None


def test_an_asker_who_cannot_be_reached_does_not_end_anything(engine):
    async def answer(where, settled):
        raise ConnectionError("SECRET")

    async def story(bot):
        accepted = await bot.accept("slack.send", {"text": "hi"}, ADA, reply_to=encoded({}))
        await Notifier(bot, "slack", outcome=answer, lost=answer, direct=answer).follow(
            accepted, {}
        )
        return accepted.run

    run = within(engine, story)
    assert engine.ledger.run(run).state == "sent"
    assert engine.ledger.run(run).reply_to is None


DIES = """
import json, os, signal, sys, time
from pathlib import Path
from core import wording
from core.callers import Caller
from core.engine import Engine
from core.settings import Settings
engine = Engine.open(Settings(Path(sys.argv[1]), sandbox_urls=json.loads(sys.argv[2])))
caller = Caller("slack", "T1:UADA")
engine.ledger.set_plan(str(caller), "pro")
engine.accept("slack.send", {"text": "a"}, caller, reply_to='{"n":"never started"}')
engine.start(engine.accept("slack.send", {"text": "b"}, caller, reply_to='{"n":"on its way"}'))
time.sleep(0.5)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_after_a_crash_the_next_bot_tells_every_asker(home, sandbox):
    sandbox.slack.always(Delay(5))
    subprocess.run(
        [sys.executable, "-c", DIES, str(home), json.dumps(sandbox.settings())],
        cwd=ROOT, check=False, timeout=60,
    )  # fmt: skip
    told, all_told = {}, asyncio.Event()

    async def answer(where, settled):
        told[where["n"]] = (settled.outcome, wording.settled(settled))
        if len(told) == 2:
            all_told.set()

    async def story(bot):
        Notifier(bot, "telegram", outcome=answer, lost=answer, direct=answer).start()
        await asyncio.sleep(0.3)
        assert told == {}, "another surface's askers are not ours to tell"
        Notifier(bot, "slack", outcome=answer, lost=answer, direct=answer).start()
        await asyncio.wait_for(all_told.wait(), 20)
        await asyncio.sleep(0.3)

    with Engine.open(Settings(home, sandbox_urls=sandbox.settings())) as engine:
        within(engine, story)
        assert engine.ledger.claim_unnotified("slack") == []
    assert {name: outcome for name, (outcome, _) in told.items()} == {
        "never started": "not_sent", "on its way": "unknown",
    }  # fmt: skip
    assert "may or may not" in told["on its way"][1]
    assert "Please send it again." in told["never started"][1]


def test_health_lists_further_accounts_below_their_service(home, environ):
    settings = Settings(home, environ={**environ, "SLACK_BOT_TOKEN__ACME": "xoxb-0123456789"})

    async def story(bot):
        return await bot.commands.ask("health", "", ADA, SLASH)

    with Engine.open(settings) as engine:
        first, *lines = within(engine, story).splitlines()
    assert first.endswith(
        "5 of 5 services are set up; none is checked yet. Slack (acme) is not set up."
    )
    assert lines[-1] == "To check now: /health live"
    titles = [line.partition(":")[0] for line in lines if "not checked" in line or "acme" in line]
    assert titles[0] == "Slack"
    assert titles[1].startswith("Slack (acme) is not set up. SLACK_WEBHOOK_URL__ACME is missing")
