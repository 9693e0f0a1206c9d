"""The bot reports what broke and what works again: once, to the first target that works."""

import asyncio
import json

import pytest

from bot.alerts import CALLER, NOTE, Alerts
from bot.runtime import Bot
from core.callers import Caller
from core.engine import Engine, targets
from core.sandbox.notion.schema import DATABASE
from core.sandbox.slack import CHANNELS
from core.sandbox.telegram import GROUP
from core.settings import Settings
from tests.support.engines import both
from tests.support.running import Quiet
from tests.support.sandbox import Answer

ADMIN = Caller("cli", "root")
GENERAL, _ = CHANNELS
FAILING = "no_service"


@pytest.fixture
def open_bot(home, environ):
    """Open the engine of one more bot."""
    more = {"LEVQOR_ALERTS": "ops,ops-chat,ops-mail"}
    return lambda: Engine.open(Settings(home, environ={**environ, **more}))


@pytest.fixture
def engine(open_bot):
    """A bot's engine; the team has three places where it wants to be told."""
    with open_bot() as engine:
        for name, action, where in (
            ("ops", "telegram.send", {"chat_id": str(GROUP)}),
            ("ops-chat", "slack.send", {"channel": GENERAL}),
            ("ops-mail", "email.send", {"to": "delivered@resend.dev"}),
        ):
            targets.add(engine, name, action, where, None, by=ADMIN)
        yield engine


def checked(ledger, name, verdict, reason=None, *, lasts=True):
    """Checks that found a service so: two in a row, or one alone."""
    ledger.probed(name, verdict, reason, 5.0)
    if lasts:
        ledger.store.write(lambda db: db.execute("UPDATE probes SET since = since - 100"))


def look(*engines):
    """One look of each bot, in turn."""

    async def one(engine):
        bot = Bot(engine)
        await Alerts(bot).look()
        await bot.finish()

    for engine in engines:
        asyncio.run(one(engine))


def texts(service):
    return [request.json["text"] for request in service.writes]


@both
def test_a_service_that_breaks_and_recovers_is_reported_once_by_one_of_two_bots(
    engine, open_bot, ledger, sandbox
):
    with open_bot() as other:
        checked(ledger, "slack", "ok")
        look(engine, other)
        assert texts(sandbox.telegram) == []
        checked(ledger, "slack", "failing", FAILING, lasts=False)
        look(engine, other)
        assert texts(sandbox.telegram) == []
        checked(ledger, "slack", "failing", FAILING)
        look(engine, other, engine)
        (text,) = texts(sandbox.telegram)
        assert text.startswith("Levqor alert: Slack is failing: ")
        engine.close()
        look(other)
        assert len(texts(sandbox.telegram)) == 1
        checked(ledger, "slack", "ok")
        look(other, other)
        assert texts(sandbox.telegram)[1:] == ["Levqor alert: Slack works again."]
    assert sandbox.slack.writes == []
    runs = ledger.runs()
    assert [(run.test, run.state, run.caller) for run in runs] == [(True, "sent", str(CALLER))] * 2
    assert ledger.quota(str(CALLER), ["telegram.send"])[0].used == 0
    assert ledger.usage(2) == []


@both
def test_what_changes_together_is_reported_together(engine, ledger, sandbox):
    look(engine)
    checked(ledger, "slack", "failing", FAILING)
    checked(ledger, "notion", "unreachable", "timed_out_before")
    ledger.inbound("telegram", ok=False, verdict="is not connected", fix="Wait.")
    ledger.inbound("slack", ok=False, verdict="lost its connection", fix="Wait.")
    age = "UPDATE inbound SET since = since - 100 WHERE surface = 'slack'"
    ledger.store.write(lambda db: db.execute(age))
    ledger.token_new("ci", expires=3 * 86400.0)
    ledger.token_new("later", expires=30 * 86400.0)
    look(engine, engine)
    (text,) = texts(sandbox.telegram)
    head, *lines = text.split("\n")
    assert head == "Levqor alert: 4 changes"
    assert [line.split(":")[0].split(" expires")[0] for line in lines] == [
        "• Slack is failing", "• Notion is failing", "• Interface Slack", "• The token ci",
    ]  # fmt: skip
    assert "levqor token rotate ci" in text


@both
def test_the_first_target_whose_service_works_is_told_and_a_failure_to_tell_is_no_news(
    engine, ledger, sandbox
):
    look(engine)
    checked(ledger, "telegram", "failing", "unauthorized")
    sandbox.slack.always(Answer(200, body='{"ok":false,"error":"channel_not_found"}'))
    look(engine)
    assert texts(sandbox.telegram) == []
    (mail,) = [request.json for request in sandbox.resend.writes]
    assert mail["to"] == ["delivered@resend.dev"] or mail["to"] == "delivered@resend.dev"
    assert mail["subject"].startswith("Levqor alert: Telegram is failing")
    look(engine, engine)
    assert len(sandbox.resend.writes) == 1
    assert {run.action: run.state for run in ledger.runs()}["slack.send"] != "sent"


@both
def test_what_could_not_be_told_is_told_later_and_what_has_passed_is_not(engine, ledger, sandbox):
    look(engine)
    for service in ("telegram", "slack", "email"):
        checked(ledger, service, "unreachable", "timed_out_before")
    look(engine)
    assert ledger.runs() == []
    checked(ledger, "telegram", "ok")
    look(engine, engine)
    (text,) = texts(sandbox.telegram)
    assert "Telegram" not in text
    assert "Slack is failing" in text


@both
def test_after_a_crash_an_alert_that_was_sent_is_not_sent_again(engine, open_bot, ledger, sandbox):
    look(engine)
    checked(ledger, "slack", "failing", FAILING)
    look(engine)
    assert len(texts(sandbox.telegram)) == 1
    told = json.loads(ledger.note(NOTE))
    # What stands there while an alert is on its way, and where its bot dies over it.
    key = ledger.store.read(lambda db: db.execute("SELECT key FROM runs").fetchone()[0])
    left = {**told, "told": {}, "news": told["told"], "key": key.split(":")[1]}
    assert ledger.replace_note(NOTE, ledger.note(NOTE), json.dumps(left))
    engine.close()
    with open_bot() as other:
        look(other, other)
    assert len(texts(sandbox.telegram)) == 1
    assert json.loads(ledger.note(NOTE)) == told


@both
def test_an_alert_of_a_bot_that_died_before_it_was_sent_is_sent_by_another(
    engine, open_bot, ledger, sandbox
):
    checked(ledger, "slack", "failing", FAILING)
    left = json.dumps({"told": {}, "news": {"slack": "x"}, "key": "0123456789abcdef", "tries": 1})
    assert ledger.replace_note(NOTE, None, left)
    engine.close()
    with open_bot() as other:
        look(other, other)
    assert len(texts(sandbox.telegram)) == 1
    assert json.loads(ledger.note(NOTE))["key"] == ""


def look_twice(engine):
    """Two looks of one bot, one right after the other; what it said."""

    async def twice():
        bot = Quiet(engine)
        alerts = Alerts(bot)
        await alerts.look()
        await alerts.look()
        await bot.finish()
        return bot.said

    return asyncio.run(twice())


@both
def test_an_alert_that_no_target_took_is_said_and_not_tried_again_at_once(engine, ledger, sandbox):
    look(engine)
    checked(ledger, "notion", "failing", FAILING)
    for service in (sandbox.telegram, sandbox.slack, sandbox.resend):
        service.always(Answer(403, json={"ok": False, "error": "not_in_channel"}))
    (said,) = look_twice(engine)
    assert said.startswith("An alert was not sent to ops-mail: ")
    assert len(ledger.runs()) == 3
    sandbox.clear()
    left = ledger.note(NOTE)
    assert ledger.replace_note(NOTE, left, json.dumps({**json.loads(left), "after": 0.0}))
    look(engine)
    assert len(texts(sandbox.telegram)) == 1


def test_a_name_in_the_setting_that_is_no_target_is_said_once_and_the_others_told(
    engine, ledger, sandbox
):
    targets.remove(engine, "ops", by=ADMIN)
    look(engine)
    checked(ledger, "notion", "failing", FAILING)
    assert look_twice(engine) == [
        "LEVQOR_ALERTS names what is no target: ops. Add it: levqor target add"
    ]
    assert texts(sandbox.slack)[0].startswith("Levqor alert: Notion is failing")


@both
def test_nothing_is_reported_anew_while_a_report_is_on_its_way(engine, ledger, sandbox):
    checked(ledger, "slack", "failing", FAILING)
    left = json.dumps({"told": {}, "news": {"slack": "x"}, "key": "0123456789abcdef", "tries": 1})
    assert ledger.replace_note(NOTE, None, left)
    values = {"target": "ops", "text": "Levqor alert: on its way"}
    accepted = engine.accept("telegram.send", values, CALLER, key="alert:0123456789abcdef:ops")
    look(engine)
    assert (ledger.note(NOTE), texts(sandbox.telegram)) == (left, [])
    engine.start(accepted).result()
    look(engine)
    assert json.loads(ledger.note(NOTE))["told"] == {"slack": "x"}
    assert texts(sandbox.telegram) == ["Levqor alert: on its way"]


def test_a_fix_that_names_a_setting_with_its_value_is_reported_whole_to_any_target(
    home, environ, ledger, sandbox
):
    with Engine.open(Settings(home, environ={**environ, "LEVQOR_ALERTS": "board"})) as engine:
        targets.add(engine, "board", "notion.create", {"database_id": DATABASE.id}, None, by=ADMIN)
        look(engine)
        fix = "Set LEVQOR_TELEGRAM=poll."
        ledger.inbound("telegram", ok=False, verdict="no address", fix=fix)
        ledger.store.write(lambda db: db.execute("UPDATE inbound SET since = since - 100"))
        look(engine)
        assert [(run.action, run.state) for run in ledger.runs()] == [("notion.create", "sent")]
    assert fix in str(sandbox.notion.writes[-1].json)


def test_what_no_text_could_hold_is_shortened_to_what_it_holds(engine, ledger, sandbox):
    for number in range(40):
        ledger.token_new(f"{'t' * 30}-{number}", expires=86400.0)
    look(engine)
    (text,) = texts(sandbox.telegram)
    assert len(text) <= 3000
    assert text.endswith("• and 30 more: levqor health")


def test_without_targets_nobody_is_told_and_nothing_is_written(home, environ, ledger):
    with Engine.open(Settings(home, sandbox_urls=environ)) as engine:
        checked(ledger, "slack", "failing", FAILING)
        look(engine)
    assert ledger.note(NOTE) is None
    assert ledger.runs() == []
