"""A real `levqor-bot` while another program holds the database, and HTTP callers press on."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.ledger import Ledger
from tests.support.bot import Program
from tests.support.holding import Callers, held
from tests.support.waiting import wait_for

# People who type a command in the same moment.
AT_ONCE = 8


@pytest.fixture(params=["slack over HTTP", "slack over a socket"])
def bot(request, home, sandbox):
    """A bot that was just started: nobody has asked it for anything."""
    http_settings = sandbox.slack.http_settings()
    over_http = request.param == "slack over HTTP"
    chosen = http_settings if over_http else sandbox.slack.socket_settings()
    environ = {**sandbox.settings(), **chosen, "LEVQOR_TELEGRAM": "off"}
    with Program(home, environ, "--http", "127.0.0.1:0") as bot:
        bot.until("slack: waiting for Slack" if over_http else "slack: connected")
        if over_http:
            sandbox.slack.listens_at(f"http://{bot.address}/slack/events")
        yield bot


@pytest.mark.timeout(180)
def test_slack_is_acknowledged_in_time_and_http_callers_are_told_to_come_later(
    bot, home, sandbox, counts
):
    with Ledger.open(home) as ledger:
        token = ledger.token_new("ops", plan="pro")
    seconds = counts(6, 30)
    typed = []

    def type_at(number):
        return sandbox.slack.command("/levqor-slack-send", "Hello", user=f"U{number:010d}")

    with (
        held(home) as release,
        Callers(bot.address, token) as callers,
        ThreadPoolExecutor(AT_ONCE) as people,
    ):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            typed += people.map(type_at, range(len(typed), len(typed) + AT_ONCE))
        wait_for(lambda: callers.answers)
        # All this came while the database was held.
        assert sandbox.slack.calls("webhook") == []
        assert [one.ack["text"].split("\n")[0] for one in typed if one.acked] == [
            f"Not sent. The database {home / 'levqor.db'} is held by another program."
        ] * len(typed)
        told = list(callers.answers)
        assert {status for status, _ in told} == {503}
        for _, body in told:
            assert body["error"] in ("ledger_error", "busy")
            assert body["outcome"] == "not_sent"
            assert body["retry_after"] > 0
        release()
        # Whoever types now is served at once.
        done = sandbox.slack.command("/levqor-slack-send", "After", user="U0123456789")
        assert "sending, run" in done.ack["text"]
        assert "Slack: sent" in done.waits(1)[0]["text"]
    # What health had to note waited, and nothing waited for it.
    over_http = sandbox.slack.events_url is not None
    words = "Slack reaches /slack/events" if over_http else "connected (Socket Mode)"
    with Ledger.open(home) as ledger:
        # On a busy machine it adds that answers are slow.
        wait_for(lambda: any(way.verdict.startswith(words) for way in ledger.inbounds()))


def test_a_command_that_comes_just_before_the_database_is_free_is_taken(bot, home, sandbox):
    with held(home) as release, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(sandbox.slack.command, "/levqor-slack-send", "Hello")
        time.sleep(0.2)
        release()
        assert "sending, run" in asked.result().ack["text"]
        assert "Slack: sent" in asked.result().waits(1)[0]["text"]
