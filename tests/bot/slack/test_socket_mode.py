"""Socket Mode: connecting, coming back, and saying in words how it is."""

import asyncio
import time
from dataclasses import replace

import pytest

from bot.runtime import Bot
from bot.slack.api import Api, SlackApiError, Unreachable
from bot.slack.connection_status import ConnectionStatus
from bot.slack.socket_mode import Timing
from tests.support.running import Quiet
from tests.support.sandbox import Answer, Delay, Hang, Sandbox
from tests.support.slack import QUICK, at_work, settings_for
from tests.support.waiting import wait_for

CONNECTED = "connected (Socket Mode)"
REVOKED = Answer(200, json={"ok": False, "error": "token_revoked"})


@pytest.fixture
def slack(home, sandbox):
    with at_work(home, sandbox) as working:
        yield working


@pytest.mark.parametrize("way", ["disconnect", "drop_sockets"])
def test_a_line_that_ends_is_replaced_and_commands_go_on(slack, sandbox, way):
    socket, before = sandbox.slack.socket, sandbox.slack.socket.opened
    getattr(slack.people, way)()
    wait_for(lambda: socket.opened > before and socket.connections == 1)
    assert slack.send("hello").acked
    wait_for(lambda: slack.health[:2] == (True, CONNECTED))


def test_a_token_revoked_meanwhile_is_said_and_slack_taken_up_again(slack, sandbox):
    sandbox.slack.always(REVOKED, on="apps.connections.open")
    slack.people.drop_sockets()
    refused = "Slack refuses SLACK_APP_TOKEN (token_revoked). Not connected since"
    wait_for(lambda: slack.health[1].startswith(refused))
    ok, _, fix = slack.health
    assert not ok
    assert "App-Level Tokens" in fix
    sandbox.slack.always(None, on="apps.connections.open")
    wait_for(lambda: slack.health[:2] == (True, CONNECTED))
    assert slack.send("hello").acked


def test_an_address_that_has_expired_is_not_tried_twice(slack, sandbox):
    stale = Answer(200, json={"ok": True, "url": f"{sandbox.slack.url}/link?ticket=old"})
    sandbox.slack.next(stale, on="apps.connections.open")
    slack.people.drop_sockets()
    # The one that was dropped may still be counted.
    wait_for(lambda: slack.send("hello").acked)
    assert sandbox.slack.socket.connections == 1


def test_ten_other_connections_are_said_and_slack_is_not_worn_out(slack, sandbox):
    sandbox.slack.socket.limit = 0
    before = len(sandbox.slack.calls("apps.connections.open"))
    slack.people.drop_sockets()
    full = "Slack takes ten connections with one app token, and all are in use."
    wait_for(lambda: slack.health[1].startswith(full))
    ok, _, fix = slack.health
    assert not ok
    assert fix == "Stop the other levqor-bot, or give each an app of its own."
    time.sleep(1.5)
    assert len(sandbox.slack.calls("apps.connections.open")) - before <= 4
    sandbox.slack.socket.limit = 10
    wait_for(lambda: slack.health[:2] == (True, CONNECTED))
    assert slack.send("hello").acked


@pytest.mark.parametrize("way", ["disconnect", "drop_sockets"])
def test_a_slack_that_hangs_up_at_once_is_not_asked_without_end(home, sandbox, way):
    with at_work(home, sandbox, timing=replace(QUICK, steady=60.0)) as slack:
        before = len(sandbox.slack.calls("apps.connections.open"))
        until = time.monotonic() + 2.0
        while time.monotonic() < until:
            getattr(slack.people, way)()
            time.sleep(0.01)
        assert len(sandbox.slack.calls("apps.connections.open")) - before <= 4
        assert any(line.startswith("slack: Slack hangs up at once") for line in slack.said)
        wait_for(lambda: slack.send("hello").acked)
        wait_for(lambda: slack.health[:2] == (True, CONNECTED))


def test_a_bot_token_revoked_meanwhile_is_said_by_health_and_to_who_asks(home, sandbox):
    with at_work(home, sandbox, timing=replace(QUICK, watch=0.1)) as slack:
        for call in ("auth.test", "users.info"):
            sandbox.slack.always(REVOKED, on=call)
        wait_for(lambda: not slack.health[0])
        assert slack.health[1] == "Slack refuses SLACK_BOT_TOKEN (token_revoked)"
        assert slack.health[2].endswith("Bot User OAuth Token. Then start levqor-bot again.")
        assert "Slack refuses SLACK_BOT_TOKEN (token_revoked)." in slack.send("hello").ack["text"]
        for call in ("auth.test", "users.info"):
            sandbox.slack.always(None, on=call)
        wait_for(lambda: slack.health[:2] == (True, CONNECTED))
        assert "sending" in slack.send("hello").ack["text"]


def test_a_second_process_on_the_app_token_is_said_once_it_stays(slack, home, sandbox):
    other = home.parent / "other"
    other.mkdir()
    with at_work(other, sandbox) as second:
        wait_for(lambda: not second.health[0])
        _, verdict, fix = second.health
        assert verdict == (
            f"{CONNECTED}, but another process uses the same app token: some commands go to it"
        )
        assert fix == "Stop the other levqor-bot, or give each an app of its own."
    assert slack.health[:2] == (True, CONNECTED)


def test_both_processes_say_so_and_one_that_ends_is_forgotten(home, sandbox):
    timing = Timing(connect=1.0, ping=0.5, look=0.05, renew=0.3, crowd=0.2, linger=0.05)
    other = home.parent / "other"
    other.mkdir()
    with at_work(home, sandbox, timing=timing) as first:
        with at_work(other, sandbox, timing=timing) as second:
            wait_for(lambda: not first.health[0])
            wait_for(lambda: not second.health[0])
        wait_for(lambda: first.health[:2] == (True, CONNECTED), seconds=30)


def test_a_line_is_renewed_from_time_to_time(home, sandbox):
    timing = Timing(ping=0.5, look=0.05, renew=0.3, crowd=5.0, linger=0.05)
    before = sandbox.slack.socket.opened
    with at_work(home, sandbox, timing=timing) as slack:
        wait_for(lambda: sandbox.slack.socket.opened >= before + 3)
        assert slack.health[:2] == (True, CONNECTED)


def test_a_renewal_that_fails_leaves_the_old_line_at_work(home, sandbox):
    timing = Timing(ping=0.5, look=0.05, renew=0.3, crowd=5.0, linger=0.05)
    with at_work(home, sandbox, timing=timing) as slack:
        sandbox.slack.always(REVOKED, on="apps.connections.open")
        wait_for(lambda: len(sandbox.slack.calls("apps.connections.open")) >= 3)
        assert slack.health[:2] == (True, CONNECTED)
        assert slack.send("hello").acked


def test_what_came_over_an_old_line_is_acknowledged_over_it(home, sandbox):
    sandbox.slack.next(Delay(0.5), on="users.info")
    timing = Timing(ping=0.5, look=0.05, renew=0.3, crowd=5.0, linger=1.0)
    with at_work(home, sandbox, timing=timing) as slack:
        done = slack.send("hello")
        assert done.acked
        assert done.latency > 0.4


def test_what_a_stranger_may_have_written_is_not_repeated_and_nothing_said_twice(engine):
    async def story():
        bot = Quiet(engine)
        status = ConnectionStatus(bot)
        status.crowded(crowded=False)
        status.up(CONNECTED)
        for name in ("/old", "/old", "/x\x1b[2J", "/" + "x" * 40):
            status.unknown(name)
        status.foreign("x\n.example")
        status.unverified()
        await asyncio.to_thread(wait_for, engine.ledger.inbounds)
        await bot.finish()
        return bot.said

    assert [line.split(".")[0] for line in asyncio.run(story())] == [
        f"slack: {CONNECTED}", f"slack: {CONNECTED}; your Slack app still has /old, which is gone",
    ]  # fmt: skip


# What is not Slack's fault


def test_slow_acknowledgements_are_said(engine):
    async def story():
        bot = Bot(engine)
        waits = []
        bot.on_acknowledged.append(lambda surface, seconds: waits.append((surface, seconds)))
        status = ConnectionStatus(bot)
        status.up(CONNECTED)
        for seconds in [2.0] * 20:
            status.acknowledged(seconds)
        slow = await told(ok=False)
        for seconds in [0.1] * 100:
            status.acknowledged(seconds)
        later = await told(ok=True)
        await bot.finish()
        return waits, slow, later

    async def told(*, ok):
        """What health knows, which is written beside the acknowledgements."""
        await asyncio.to_thread(
            wait_for, lambda: [way.ok for way in engine.ledger.inbounds()] == [ok]
        )
        return engine.ledger.inbounds()[0]

    waits, slow, later = asyncio.run(story())
    assert waits[0] == ("slack", 2.0)
    assert (slow.ok, slow.verdict) == (
        False, f"{CONNECTED}, but answers are slow: Slack gives up after three seconds",
    )  # fmt: skip
    assert (later.ok, later.verdict) == (True, CONNECTED)


FOREIGN = ["https://slack.com.evil.example/x", "", "https://[slack.com/x", "https://slack.com:x/"]


def test_an_answer_goes_to_slack_and_nowhere_else(home, sandbox):
    settings = settings_for(home, sandbox)

    async def story(url):
        api = Api(settings)
        try:
            await api.respond(url, {"text": "hello"})
        finally:
            await api.close()

    with Sandbox() as elsewhere:
        for url in (f"{elsewhere.url}/slack/response/x", *FOREIGN):
            with pytest.raises(SlackApiError, match="foreign_url"):
                asyncio.run(story(url))
        assert elsewhere.received == []
    with pytest.raises(SlackApiError, match="response_url_refused"):
        asyncio.run(story(f"{sandbox.slack.url}/response/unknown"))


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.0.0.2", "[::1]"])
def test_this_computer_is_one_host_however_it_is_spelt(home, sandbox, host):
    api_url = sandbox.settings()["SLACK_API_URL"].replace("127.0.0.1", host)

    async def story():
        api = Api(settings_for(home, sandbox, SLACK_API_URL=api_url))
        try:
            await api.respond(f"{sandbox.slack.url}/response/unknown", {"text": "hello"})
        finally:
            await api.close()

    with pytest.raises(SlackApiError, match="response_url_refused"):
        asyncio.run(story())


def ask_for_answers_at(sandbox, url, slack):
    """Send by a command whose answer is wanted there, and wait for what comes."""
    real, sandbox.slack.url = sandbox.slack.url, url
    try:
        assert slack.send("hello").acked
    finally:
        sandbox.slack.url = real
    wait_for(lambda: sandbox.slack.messages)


def test_an_answer_wanted_at_what_is_no_address_comes_as_a_message(home, sandbox):
    with at_work(home, sandbox) as slack:
        ask_for_answers_at(sandbox, "https://[slack.com/", slack)
    assert "Slack: sent" in sandbox.slack.messages[0]["text"]


def test_answers_wanted_at_another_host_are_said_and_come_as_messages(home, sandbox):
    with at_work(home, sandbox) as slack:
        ask_for_answers_at(sandbox, "https://slack-gateway.example:8443/slack", slack)
        wait_for(lambda: slack.health[2])
        ok, verdict, fix = slack.health
    assert "Slack: sent" in sandbox.slack.messages[0]["text"]
    place = "slack-gateway.example:8443"
    assert ok
    assert verdict == f"{CONNECTED}; answers are wanted at {place}, which is not in SLACK_API_URL"
    assert fix == (
        f"Write that host into SLACK_API_URL as it is spelt there ({place}). "
        "Until then people get their answers as direct messages."
    )


def test_a_call_is_bounded_in_time(home, sandbox):
    settings = settings_for(home, sandbox)
    sandbox.slack.next(Hang(5), on="users.info")

    async def story():
        api = Api(settings)
        try:
            await api.user("U1", 0.2)
        finally:
            await api.close()

    with pytest.raises(Unreachable):
        asyncio.run(story())
