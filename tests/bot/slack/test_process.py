"""The real `levqor-bot`, with Slack on: under load, killed, held up, ended."""

import random
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.ledger import Ledger
from tests.support.bot import Program
from tests.support.canary import CANARIES, assert_clean, secrets
from tests.support.sandbox import Answer, Delay
from tests.support.waiting import wait_for

CONNECTED = "slack: connected"


@pytest.fixture
def environ(sandbox):
    return {**sandbox.settings(), **sandbox.slack.socket_settings(), "LEVQOR_TELEGRAM": "off"}


def person(number):
    return f"U{number:010d}"


def type_at_once(sandbox, words, threads=16):
    """Everybody types at once; what became of each."""

    def one(number, text):
        return sandbox.slack.command("/levqor-slack-send", text, user=person(number))

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(len(words)), words))


@pytest.mark.timeout(120)
def test_two_hundred_slow_commands_are_each_acknowledged_in_time(home, sandbox, environ):
    sandbox.slack.always(Delay(8.0), on="webhook")
    with Program(home, environ, "--no-http") as bot:
        bot.until(CONNECTED)
        done = type_at_once(sandbox, [f"number {n}" for n in range(200)])
        assert all(one.acked and "sending, run" in one.ack["text"] for one in done)
        mail = sandbox.slack.command(
            "/levqor-email-send", "to=delivered@resend.dev subject=now At once.", user=person(999)
        )
        assert "E-mail: sent" in mail.waits(1)[0]["text"]


@pytest.mark.timeout(900)
def test_killed_at_any_moment_it_sends_nothing_twice_and_tells_everyone(
    home, sandbox, environ, counts
):
    rounds = counts(20, 200)
    rng = random.Random(4711)
    sandbox.slack.always(Delay(0.02), on="webhook")
    asked, arrived = [], {}
    stop = threading.Event()

    def type_on():
        number = 0
        while not stop.is_set():
            text = f"message {number:05d}"
            done = sandbox.slack.command("/levqor-slack-send", text, user=person(number))
            asked.append((text, done))
            number += 1
            if not done.acked:
                time.sleep(0.02)

    typist = threading.Thread(target=type_on)
    typist.start()
    try:
        for _ in range(rounds):
            with Program(home, environ, "--no-http") as bot:
                bot.until(CONNECTED)
                time.sleep(rng.uniform(0.0, 0.25))
            # The sandbox forgets what came ten thousand requests ago.
            arrived |= {id(one): one for one in sandbox.slack.calls("webhook")}
    finally:
        stop.set()
        typist.join(30)
    with Program(home, environ, "--no-http") as bot:
        bot.until(CONNECTED)
        with Ledger.open(home) as ledger:
            wait_for(lambda: not any(run.open or run.reply_to for run in ledger.runs(10**6)), 30)
            states = {run.run: run.state for run in ledger.runs(10**6)}
    # What broke off before its end was never read by Slack.
    arrived |= {id(one): one for one in sandbox.slack.calls("webhook")}
    read = [request.json for request in arrived.values()]
    posted = [message["text"] for message in read if message]
    assert len(posted) == len(set(posted)), "a message was sent twice"
    acknowledged = [(text, done) for text, done in asked if done.acked]
    assert len(acknowledged) > rounds
    untold = [text for text, done in acknowledged if not done.replies]
    assert untold == []
    for text, done in acknowledged:
        run = done.ack["text"].rpartition(" ")[2]
        state = states[run]
        assert f"{run}" in done.replies[-1]["text"]
        assert (text in posted) or state != "sent"
        if state == "not_sent":
            assert text not in posted
    # Whoever got no acknowledgement was shown Slack's own error; if their run was journaled
    # all the same, they were told of it.
    assert sum(bool(done.replies) for _, done in asked) == len(states)


def test_a_ledger_held_by_another_process_never_freezes_the_loop(home, sandbox, environ):
    with Program(home, environ, "--no-http") as bot:
        bot.until(CONNECTED)
        assert sandbox.slack.command("/levqor", "help").acked
        other = sqlite3.connect(home / "levqor.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        try:
            with ThreadPoolExecutor(2) as pool:
                held = pool.submit(sandbox.slack.command, "/levqor-slack-send", "hello")
                for _ in range(5):
                    assert sandbox.slack.command("/levqor", "help").acked
                # None of them waited for what waits for the ledger.
                assert not held.done()
                done = held.result()
            # It could not be journaled, so it was not taken; the person hears so in time.
            assert done.acked
            assert "run" not in done.ack["text"].split("\n", maxsplit=1)[0]
        finally:
            time.sleep(max(0.0, began + 4.0 - time.monotonic()))
            other.execute("ROLLBACK")
            other.close()
        assert sandbox.slack.calls("webhook") == []
        wait_for(lambda: "sending" in sandbox.slack.command("/levqor-slack-send", "b").ack["text"])


def test_a_start_says_how_the_way_in_is_doing_and_nothing_else(home, sandbox, environ):
    with Program(home, environ, "--no-http") as bot:
        bot.until(CONNECTED)
        assert bot.terminate() == 0
        assert bot.said == "slack: connected (Socket Mode)\n"


def test_a_refused_token_ends_the_program_with_status_3_and_one_line(home, sandbox, environ):
    sandbox.slack.always(
        Answer(200, json={"ok": False, "error": "invalid_auth"}), on="apps.connections.open"
    )
    with Program(home, environ, "--no-http") as bot:
        assert bot.wait() == 3
    assert bot.said.splitlines()[-1].startswith("Slack refuses SLACK_APP_TOKEN (invalid_auth).")
    assert "Traceback" not in bot.said


def test_what_is_out_is_settled_and_told_before_the_program_ends(home, sandbox, environ):
    sandbox.slack.next(Delay(1.0), on="webhook")
    with Program(home, environ, "--no-http") as bot:
        bot.until(CONNECTED)
        done = sandbox.slack.command("/levqor-slack-send", "hello")
        wait_for(lambda: sandbox.slack.calls("webhook"))
        with ThreadPoolExecutor(1) as pool:
            ended = pool.submit(bot.terminate)
            time.sleep(0.2)
            late = sandbox.slack.command("/levqor-slack-send", "too late", user=person(1))
            assert "Levqor is stopping; nothing was sent." in late.ack["text"]
            assert ended.result() == 0
    assert "Slack: sent" in done.replies[0]["text"]


def test_nothing_that_was_typed_is_printed_or_kept(home, sandbox, environ):
    hidden = f"{CANARIES['text']} payload"
    with Program(home, environ, "--no-http") as bot:
        bot.until(CONNECTED)
        sandbox.slack.command("/levqor-slack-send", hidden).waits(1)
        sandbox.slack.command("/levqor-slack-send", f"channell={CANARIES['channel']} {hidden}")
        sandbox.slack.command("/levqor-email-send", "", user=person(1))
        wait_for(lambda: sandbox.slack.views.last)
        sandbox.slack.submit_view(
            {"to": CANARIES["to"], "subject": CANARIES["subject"], "text": hidden}, user=person(1)
        )
        sandbox.slack.always(Answer(500, CANARIES["echo"]), on="webhook")
        sandbox.slack.command("/levqor-slack-send", hidden, user=person(2)).waits(1)
        sandbox.slack.drop_sockets()
        sandbox.slack.waits_for_sockets(1)
        assert bot.terminate() == 0
    wanted = [*CANARIES.values(), *secrets(environ), f"{sandbox.slack.url}/response/"]
    assert_clean(bot.said, home, canaries=wanted)


def test_slack_over_http_needs_http(home, sandbox):
    environ = {**sandbox.settings(), **sandbox.slack.http_settings(), "LEVQOR_TELEGRAM": "off"}
    with Program(home, environ, "--no-http") as bot:
        assert bot.wait() == 3
    assert "/slack/events is where the platform posts, but HTTP is off." in bot.said


def test_a_process_serves_slack_over_http(home, sandbox):
    environ = {**sandbox.settings(), **sandbox.slack.http_settings(), "LEVQOR_TELEGRAM": "off"}
    with Program(home, environ, "--http", "127.0.0.1:0") as bot:
        bot.until("slack: waiting for Slack at /slack/events")
        address = bot.said.partition("listening on http://")[2].split()[0].rstrip(".")
        sandbox.slack.listens_at(f"http://{address}/slack/events")
        assert "Slack: sent" in sandbox.slack.command("/levqor-slack-send", "a").waits(1)[0]["text"]


DOWN = Answer(503)


def looking(sandbox):
    """Somebody's question that takes long, whose answer Slack does not take now."""
    sandbox.resend.always(Delay(1.5))
    asked = sandbox.slack.command("/levqor", "health live")
    assert asked.ack["text"] == "Looking. The answer follows."
    wait_for(lambda: sandbox.slack.calls("response_url"))
    return asked


def test_a_sigterm_gives_a_late_answer_the_time_a_run_has(home, sandbox, environ):
    # One, two and five seconds later.
    sandbox.slack.next(DOWN, DOWN, DOWN, on="response_url")
    with Program(home, environ, "--no-http") as bot:
        bot.until(CONNECTED)
        asked = looking(sandbox)
        assert bot.terminate(40) == 0
        assert "Slack" in asked.waits(1)[0]["text"]


def test_a_late_answer_a_killed_bot_owed_is_asked_for_again(home, sandbox, environ):
    sandbox.slack.always(DOWN, on="response_url")
    with Program(home, environ, "--no-http") as bot:
        bot.until(CONNECTED)
        asked = looking(sandbox)
        bot.kill()
    sandbox.slack.always(None, on="response_url")
    with Program(home, environ, "--no-http"):
        (told,) = asked.waits(1, seconds=40)
        assert told["text"].startswith("Levqor was started again, perhaps before it answered")
