"""One run's story: every attempt with its time and what came of it, and who decided."""

import asyncio

import pytest

from bot.commands import Spelling
from bot.conversation import Conversation
from bot.runtime import Bot
from core.callers import Caller
from core.engine import Engine
from core.settings import Settings
from core.story import story
from tests.support.engines import both
from tests.support.sandbox import Answer

AWAY = Answer(429, headers={"Retry-After": "0"})
TEXT = {"text": "hello"}
ANN = Caller("telegram", "42")


def told(engine, run):
    return story(engine, engine.ledger.run(run)).splitlines()


@both
def test_a_run_of_several_attempts_tells_each(engine, sandbox):
    sandbox.slack.next(AWAY, AWAY, on="webhook")
    run = engine.run("slack.send", TEXT, ANN).run
    report = engine.ledger.run(run).report()
    assert [each.reason for each in report.tries] == ["too_fast", "too_fast", None]
    begins = [each.at for each in report.tries]
    assert begins == sorted(begins)
    assert report.at.timestamp() - 1 < begins[0].timestamp()
    assert begins[-1].timestamp() < report.settled_at.timestamp() + 1
    assert [set(each) for each in report.body()["tries"]] == [
        {"at", "ms", "reason"}, {"at", "ms", "reason"}, {"at", "ms"},
    ]  # fmt: skip
    lines = told(engine, run)
    assert lines[2].startswith("3 attempts, ")
    words = [line.partition(" ms: ")[2] for line in lines[3:6]]
    assert words[0].startswith("Slack is getting messages faster than it takes them")
    assert words[1:] == [words[0], "done"]


@both
def test_a_run_of_one_attempt_says_it_once(engine):
    run = engine.run("slack.send", TEXT, ANN).run
    entry = engine.ledger.run(run)
    assert (entry.attempts, entry.tries, "tries" in entry.report().body()) == (1, (), False)
    assert len(told(engine, run)) == 4


def test_what_is_kept_beside_a_database_that_took_nothing_still_fits(engine, sandbox):
    ledger = engine.ledger
    run = engine.accept("slack.send", TEXT, ANN).run
    ledger.keep(run, state="sent", at=1.0, attempts=3, ms=1.0, tries=[[0, 1, "x" * 200]] * 3)
    ledger.catch_up()
    assert (ledger.run(run).state, len(ledger.run(run).tries)) == ("sent", 3)


@pytest.mark.parametrize(("surface", "words"), [
    ("telegram", "telegram:42 was asked, and said yes."), ("http", "before."),
])  # fmt: skip
def test_a_repeat_names_the_run_before_and_who_said_yes(engine, surface, words):
    caller = Caller(surface, "42")
    engine.ledger.set_plan(str(caller), "pro")
    first, again = (engine.run("slack.send", TEXT, caller).run for _ in range(2))
    other = engine.run("slack.send", {"text": "other"}, caller).run
    line = told(engine, again)[-1]
    assert line.startswith(f"The same had gone out as run {first}, ")
    assert line.endswith(words)
    for run in (first, other):
        assert not told(engine, run)[-1].startswith("The same")


@both
def test_what_was_refused_is_repeated_by_nobody(engine, sandbox):
    engine.ledger.set_plan(str(ANN), "pro")
    sandbox.slack.next(Answer(404, "no_service"), on="webhook")
    assert engine.run("slack.send", TEXT, ANN).outcome == "refused"
    assert len(told(engine, engine.run("slack.send", TEXT, ANN).run)) == 4


PUBLIC = "https://levqor.example.com"


@pytest.mark.parametrize("public", [PUBLIC, None])
def test_where_an_address_is_set_an_ending_and_why_end_with_its_page(
    home, sandbox, cli, monkeypatch, public
):
    environ = {"LEVQOR_PUBLIC_URL": public} if public else {}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    printed = cli("run", "slack.send", "hello").out
    run = printed.splitlines()[0].rpartition(" ")[2]
    page = [f"{PUBLIC}/runs/{run}"] if public else []
    assert printed.splitlines()[1:] == page
    assert cli("why", run).out.splitlines()[4:] == page
    assert set(cli("run", "telegram.send", "other", "--output", "json").json) == {"status", "run"}
    with Engine.open(Settings(home, sandbox_urls=sandbox.settings(), environ=environ)) as engine:
        settled = engine.settled(engine.ledger.run(run))
        said = asyncio.run(_in_a_chat(engine, settled))
        assert said.splitlines() == [f"Slack: sent · run {run}", *page]


async def _in_a_chat(engine, settled):
    bot = Bot(engine)
    try:
        return Conversation(bot, "chat", Spelling(str, str)).ended(settled).text
    finally:
        await bot.finish()
