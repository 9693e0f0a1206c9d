"""What people in Slack do reaches a bot as signed HTTP."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from tests.support.sandbox.slack import signed
from tests.support.sandbox.slack_identity import SIGNING_SECRET


@pytest.fixture
def listening(world):
    """A bot's address that keeps what came and answers like the bolt app."""
    sandbox, run = world
    seen = []

    async def events(request):
        body = await request.text()
        good = SignatureVerifier(SIGNING_SECRET).is_valid_request(body, dict(request.headers))
        seen.append((good, dict(request.headers), body))
        if "slow" in body:
            await asyncio.sleep(5)
        return web.json_response({"text": "sending"}) if good else web.Response(status=401)

    async def start():
        app = web.Application()
        app.router.add_post("/slack/events", events)
        server = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await server.setup()
        site = web.TCPSite(server, "127.0.0.1", 0)
        await site.start()
        return server

    server = run(start())
    sandbox.slack.listens_at(f"http://127.0.0.1:{server.addresses[0][1]}/slack/events")
    yield sandbox, seen
    run(server.cleanup())


def test_a_command_over_http_is_signed(listening):
    sandbox, seen = listening
    done = sandbox.slack.command("/levqor-slack-send", "a=1 & b")
    assert (done.acked, done.status, done.ack) == (True, 200, {"text": "sending"})
    assert [good for good, _, _ in seen] == [True]
    assert "text=a%3D1+%26+b" in seen[0][2]


def test_an_events_redelivery_says_so(listening):
    sandbox, seen = listening
    first = sandbox.slack.event("app_home_opened")
    sandbox.slack.replay(first, retry=1)
    assert seen[1][1]["X-Slack-Retry-Num"] == "1"
    assert seen[1][2] == seen[0][2]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(b"text=forged", secret="wrong"),
        signed(b"text=forged", at=time.time() - 400),
    ],
)
def test_any_bytes_may_be_posted_with_any_signature(listening, headers):
    sandbox, seen = listening
    done = sandbox.slack.post(b"text=forged", headers)
    assert (done.acked, done.status) == (False, 401)
    assert [good for good, _, _ in seen] == [False]


def test_an_acknowledgement_after_three_seconds_is_none(listening):
    done = listening[0].slack.command("/levqor-slack-send", "slow")
    assert (done.acked, done.status) == (False, None)
    assert 2.9 < done.latency < 4.5


def test_many_people_at_once_each_get_their_own_answer(listening):
    sandbox, seen = listening
    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(lambda n: sandbox.slack.command("/x", str(n)), range(48)))
    assert all(one.acked for one in done)
    assert len({one.trigger_id for one in done}) == len(seen) == 48
