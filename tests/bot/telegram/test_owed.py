"""What is no run is answered too, whenever the bot ends and however slow Telegram is."""

import contextlib
import sqlite3

import pytest

from bot.conversation import GONE
from bot.telegram.answers import PAIRED, RUN
from core.callers import Caller
from core.engine import Engine
from core.ledger import Ledger, Owed
from core.ledger.owed import PRESS
from core.settings import Settings
from tests.support.bot import Program
from tests.support.holding import held
from tests.support.sandbox import Answer
from tests.support.telegram import Silent, free_port, living, pair, settings_for
from tests.support.waiting import wait_for

READY = "telegram: takes messages"
RESTARTED = "Levqor was started again, and cannot tell whether you got its answer to this."

# Who wrote what while Telegram took none of the answers, and what may come in the end: the
# answer itself where the message came again, else that it is lost and nothing was sent.
WROTE = {
    51: ("/health", ("Slack", RESTARTED)),
    52: ("/email_send to=nobody hi", ("Something in the input is not right", RESTARTED)),
    53: ("/nonsense", ("There is no", RESTARTED)),
    54: ("/cancel", ("There is no form open", RESTARTED)),
    55: ("/slack_send", ("/slack_send, 1 of", RESTARTED)),
    56: ("hi", ("Levqor reads commands", RESTARTED)),
    57: ("/start {code}", ("You are paired", "Levqor knows you as telegram:57")),
}


@pytest.fixture(params=["poll", "webhook"])
def way(request, sandbox):
    """Settings and arguments for polling, or for a webhook."""
    if request.param == "poll":
        return sandbox.settings(), ["--no-http"]
    sandbox.telegram.updates.retry_seconds = 0.05
    address = f"127.0.0.1:{free_port()}"
    hook = {"LEVQOR_TELEGRAM": "webhook", "TELEGRAM_WEBHOOK_URL": f"http://{address}"}
    return {**sandbox.settings(), **hook}, ["--http", address]


@pytest.fixture
def code(home, sandbox):
    """A pairing code; everybody but 57 is paired."""
    with Engine.open(Settings(home, sandbox_urls=sandbox.settings())) as engine:
        for user in (42, *WROTE):
            if user != 57:
                pair(engine, user)
        return engine.ledger.pair_code("telegram")[0]


def owed(home):
    with contextlib.closing(sqlite3.connect(home / "levqor.db")) as db:
        return db.execute("SELECT count(*) FROM owed").fetchone()[0]


@pytest.mark.parametrize("end", ["kill -9", "SIGTERM"])
def test_whoever_wrote_is_told_after_the_end_and_others_are_not_held_up(
    home, sandbox, way, code, end
):
    values, args = way
    bob = sandbox.telegram.user(42)
    # The sandbox brings one post at a time.
    wrote = WROTE if "--no-http" in args else {user: WROTE[user] for user in (51, 57)}
    people = {user: sandbox.telegram.user(user) for user in wrote}
    with Program(home, values, *args) as bot:
        bot.until(READY)
        sandbox.telegram.always(Silent(tuple(wrote)), on="sendMessage")
        for user, (text, _) in wrote.items():
            people[user].says(text.format(code=code))
        bob.says("/whoami")
        bob.waits(seconds=40)
        if end == "kill -9":
            wait_for(lambda: not sandbox.telegram.updates.pending, 60)
            bot.kill()
            assert owed(home) == len(wrote)
        else:
            assert bot.terminate(40) == 0
    assert not any(person.conversation for person in people.values())
    sandbox.telegram.always(None, on="sendMessage")
    with Program(home, values, *args) as bot:
        for user, (_, answers) in wrote.items():
            told = people[user].waits(seconds=40)[0].text
            assert told.startswith(answers), (user, told)
        wait_for(lambda: owed(home) == 0)
        wait_for(lambda: not sandbox.telegram.updates.pending)
        assert bot.terminate() == 0
    with Ledger.open(home) as ledger:
        assert ledger.runs() == []
        assert "57" in ledger.paired("telegram")
    assert sandbox.slack.received == []


def test_a_sigterm_gives_an_answer_that_is_on_its_way_the_time_a_run_has(home, sandbox, code):
    ada = sandbox.telegram.user(51)
    with Program(home, sandbox.settings(), "--no-http") as bot:
        bot.until(READY)
        sandbox.telegram.next(Silent((51,)), on="sendMessage")
        ada.says("/whoami")
        wait_for(lambda: sandbox.telegram.calls("sendMessage"))
        assert bot.terminate(40) == 0
        assert [said.text[:7] for said in ada.conversation] == ["You are"]
    assert owed(home) == 0


def test_an_answer_that_comes_late_is_owed_no_more(home, sandbox):
    with living(settings_for(home, sandbox)) as bot:
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        sandbox.telegram.next(Silent((42,)), on="sendMessage")
        ada.says("/whoami")
        wait_for(lambda: sandbox.telegram.updates.confirmed == [1000])
        assert owed(home) == 1
        ada.waits(seconds=40)
        wait_for(lambda: owed(home) == 0)


@pytest.mark.parametrize("mode", ["poll", "webhook"])
def test_an_answer_that_can_be_neither_given_nor_written_down_keeps_its_message_waiting(
    home, sandbox, mode
):
    """And a form's answer that comes again is not taken for the next field's."""
    port = free_port()
    sandbox.telegram.updates.retry_seconds = 0.05
    hook = {"LEVQOR_TELEGRAM": "webhook", "TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{port}"}
    settings = settings_for(home, sandbox, **(hook if mode == "webhook" else {}))
    with living(settings, http=port) as bot:
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        ada.says("/email_send")
        ada.waits()
        wait_for(lambda: sandbox.telegram.updates.confirmed == [1000])
        with held(home):
            # Telegram takes none of them, and no hang ends in ten seconds.
            sandbox.telegram.always(Answer(502, body="Bad Gateway"), on="sendMessage")
            ada.says("ann@example.com")
            tries = len(sandbox.telegram.calls("sendMessage")) + 3
            wait_for(lambda: len(sandbox.telegram.calls("sendMessage")) > tries)
            wait_for(lambda: came_again(sandbox, mode), 60)
            assert sandbox.telegram.updates.confirmed == [1000]
        sandbox.telegram.always(None, on="sendMessage")
        ada.waits(2, seconds=60)
        wait_for(lambda: sandbox.telegram.updates.confirmed == [1000, 1001], 60)
        assert "/email_send, 2 of 3" in ada.conversation[1].text
        assert len(ada.conversation) == 2


def came_again(sandbox, mode):
    if mode == "webhook":
        return [number for number, _ in sandbox.telegram.updates.deliveries].count(1001) > 1
    return sum(one.form.get("offset") == "1001" for one in sandbox.telegram.calls("getUpdates")) > 2


# What a bot that has gone owed, and what the next one says.
LEFT = {
    "telegram:1:1": (PAIRED, "You are paired: Levqor knows you as telegram:42."),
    "telegram:1:2": ("", RESTARTED),
    "telegram:1:3": (f"{PRESS}yes:telegram:42", GONE),
    "telegram:1:4": (f"{RUN}{{run}}", "Slack: sent"),
    "telegram:1:5": (f"{RUN}0000000000", None),
}


@pytest.mark.parametrize("key", LEFT)
def test_what_a_bot_left_unsaid_is_said_by_the_next(home, sandbox, key):
    kind, answer = LEFT[key]
    settings = settings_for(home, sandbox)
    with Engine.open(settings) as engine:
        pair(engine, 42)
        run = engine.run("slack.send", {"text": "hi"}, Caller("telegram", "42")).run
        engine.ledger.owe(Owed(key, kind.format(run=run), '{"chat":42}'), "telegram")
    ada = sandbox.telegram.user(42)
    ada.meets()
    with living(settings):
        wait_for(lambda: owed(home) == 0)
        told = [one.text for one in ada.waits(1 if answer else 0)]
    assert [text.startswith(answer) for text in told] == [True] * bool(answer), told
