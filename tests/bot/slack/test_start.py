"""Before Slack is served: its two tokens, where the app is installed, and whether it is there."""

import asyncio
import os
import socket as sockets

import pytest

from bot.runtime import Bot
from bot.slack.surface import Slack
from core.engine import Engine
from core.errors import NotConfigured
from tests.support.sandbox import Answer
from tests.support.slack import QUICK, at_work, settings_for
from tests.support.waiting import wait_for

CONNECTED = "connected (Socket Mode)"
REFUSED = Answer(200, json={"ok": False, "error": "invalid_auth"})


@pytest.fixture
def slack(home, sandbox):
    with at_work(home, sandbox) as working:
        yield working


def started(home, sandbox, seconds=20, **more):
    """Start the surface alone; what it raises comes out."""
    settings = settings_for(home, sandbox, **more)

    async def life(engine):
        bot = Bot(engine)
        surface = Slack(settings, QUICK)
        try:
            async with asyncio.timeout(seconds):
                await surface.start(bot)
        finally:
            await surface.pause()
            await surface.stop()
            await bot.finish()

    with Engine.open(settings) as engine:
        asyncio.run(life(engine))


def test_before_serving_slack_is_asked_about_both_tokens(slack, sandbox):
    asked = [request.call for request in sandbox.slack.received]
    # Who there is is asked meanwhile.
    assert [call for call in asked if call != "users.list"] == [
        "auth.test",
        "apps.connections.open",
    ]
    assert slack.health == (True, CONNECTED, None)


@pytest.mark.parametrize(
    ("call", "setting"),
    [("auth.test", "SLACK_BOT_TOKEN"), ("apps.connections.open", "SLACK_APP_TOKEN")],
)
def test_a_refused_token_is_one_clear_line_and_no_loop(home, sandbox, call, setting):
    sandbox.slack.always(REFUSED, on=call)
    with pytest.raises(NotConfigured) as refused:
        started(home, sandbox)
    assert refused.value.exit == 3
    assert refused.value.message == f"Slack refuses {setting} (invalid_auth)."
    assert f"Copy {setting} again: api.slack.com/apps" in refused.value.fix
    assert len(sandbox.slack.calls(call)) == 1


def test_socket_mode_that_is_switched_off_is_said(home, sandbox):
    off = Answer(200, json={"ok": False, "error": "socket_mode_disabled"})
    sandbox.slack.always(off, on="apps.connections.open")
    with pytest.raises(NotConfigured) as refused:
        started(home, sandbox)
    assert refused.value.fix.startswith("Switch Socket Mode on")


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(503, "<html>"),
        Answer(200, "not json", headers={"content-type": "application/json"}),
        Answer(200, json={"ok": False, "error": "internal_error"}),
        Answer(429, json={"ok": False, "error": "ratelimited"}, headers={"retry-after": "1"}),
    ],
    ids=["down", "no JSON", "internal", "flood"],
)
def test_an_unreachable_slack_is_waited_for(home, sandbox, trouble):
    sandbox.slack.next(trouble, on="auth.test")
    sandbox.slack.next(trouble, on="apps.connections.open")
    with at_work(home, sandbox) as slack:
        assert slack.send("hello").acked
        assert slack.health[:2] == (True, CONNECTED)


def test_a_slack_that_is_not_there_at_all_is_said_in_words(home, sandbox):
    with sockets.create_server(("127.0.0.1", 0)) as taken:
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}/api/"
    settings = settings_for(home, sandbox, SLACK_API_URL=nowhere)
    seen = []

    async def life(engine):
        bot = Bot(engine)
        surface = Slack(settings, QUICK)
        starting = asyncio.ensure_future(surface.start(bot))
        await asyncio.to_thread(wait_for, engine.ledger.inbounds)
        seen.extend(engine.ledger.inbounds())
        starting.cancel()
        await asyncio.wait([starting])
        await surface.pause()
        await surface.stop()
        await bot.finish()

    with Engine.open(settings) as engine:
        asyncio.run(life(engine))
    assert not seen[0].ok
    assert seen[0].verdict.startswith("Slack cannot be reached; trying again. Not connected since")
    assert seen[0].fix == "Check this machine's connection to slack.com."


def test_an_app_of_a_whole_organisation_is_refused_in_words(home, sandbox):
    me = {"ok": True, "team_id": "E0123456789", "user_id": "U1", "is_enterprise_install": True}
    sandbox.slack.always(Answer(200, json=me), on="auth.test")
    with pytest.raises(NotConfigured, match="Levqor serves one workspace"):
        started(home, sandbox)


def test_the_environment_of_other_slack_programs_does_not_matter(home, sandbox):
    # A clean-up after every test takes these away again.
    os.environ |= {
        "SLACK_CLIENT_ID": "1.2",
        "SLACK_CLIENT_SECRET": "s",
        "SLACK_SIGNING_SECRET": "0" * 32,
        "SLACK_BOT_TOKEN": "xoxb-another",
        "SLACK_APP_TOKEN": "xapp-another",
        "SLACK_VERIFICATION_TOKEN": "v",
    }
    with at_work(home, sandbox) as slack:
        assert "Slack: sent" in slack.send("hello").waits(1)[0]["text"]
        slack.people.command("/levqor-email-send", "")
        wait_for(lambda: slack.people.views.last)
