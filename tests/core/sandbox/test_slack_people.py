"""The bot's side of Slack, driven through the real libraries: Socket Mode and signed HTTP."""

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from core.sandbox.slack import BOT_TOKEN
from tests.support.sandbox import slack_identity
from tests.support.sandbox.slack_identity import APP_TOKEN, SIGNING_SECRET
from tests.support.sandbox.slack_samples import HOME, MODAL
from tests.support.waiting import wait_for

ASK = {
    "text": "Send again?",
    "blocks": [
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "action_id": "again",
                    "value": "run-1",
                    "text": {"type": "plain_text", "text": "Send again"},
                }
            ],
        }
    ],
}


def bolt(base):
    app = AsyncApp(client=AsyncWebClient(BOT_TOKEN, base_url=base), signing_secret=SIGNING_SECRET)

    @app.command("/levqor-slack-send")
    async def send(ack, command, respond, client):
        if not command["text"]:
            await ack()
            await client.views_open(trigger_id=command["trigger_id"], view=MODAL)
            return
        await ack(f"sending {command['text']}")
        await respond({"text": "sent", **({} if command["text"] != "ask" else ASK)})

    @app.view("send")
    async def submitted(ack, view):
        said = view["state"]["values"]["text"]["value"]["value"]
        if said == "bad":
            await ack(response_action="errors", errors={"text": "too bad"})
        else:
            await ack()

    @app.action("again")
    async def again(ack, body, respond):
        await ack()
        await respond(f"again {body['actions'][0]['value']}", replace_original=True)

    @app.event("app_home_opened")
    async def home(event, client):
        await client.views_publish(user_id=event["user"], view=HOME)

    return app


@pytest.fixture
def connected(world):
    sandbox, run = world

    async def connect():
        app = bolt(f"{sandbox.slack.url}/api/")
        handler = AsyncSocketModeHandler(app, APP_TOKEN, ping_interval=0.2)
        await handler.connect_async()
        return handler

    handlers = [run(connect())]
    sandbox.slack.waits_for_sockets(1)
    yield sandbox, run, connect, handlers
    for handler in handlers:
        run(handler.close_async())


def test_a_command_over_a_socket_is_acknowledged_and_answered(connected):
    sandbox = connected[0]
    done = sandbox.slack.command("/levqor-slack-send", "hello")
    assert (done.acked, done.ack) == (True, {"text": "sending hello"})
    assert done.latency < 3
    assert done.waits(1)[0]["text"] == "sent"


def test_a_command_nobody_knows_is_not_acknowledged(world):
    sandbox, _ = world
    done = sandbox.slack.command("/levqor-slack-send", "hello")
    assert (done.acked, done.ack) == (False, None)


def test_a_modal_is_opened_filled_in_and_closed(connected):
    sandbox = connected[0]
    sandbox.slack.command("/levqor-slack-send")
    wait_for(lambda: sandbox.slack.views.last)
    refused = sandbox.slack.submit_view({"value": "bad"})
    assert refused.ack == {"response_action": "errors", "errors": {"text": "too bad"}}
    assert sandbox.slack.views.last is not None
    assert sandbox.slack.submit_view().acked
    assert sandbox.slack.views.last is None


def test_a_modal_takes_no_value_it_does_not_ask_for(connected):
    sandbox = connected[0]
    sandbox.slack.command("/levqor-slack-send")
    wait_for(lambda: sandbox.slack.views.last)
    with pytest.raises(ValueError, match="the view asks for no colour"):
        sandbox.slack.submit_view({"colour": "red"})


def test_a_button_of_a_reply_is_pressed(connected):
    sandbox = connected[0]
    (reply,) = sandbox.slack.command("/levqor-slack-send", "ask").waits(1)
    pressed = sandbox.slack.click(reply, "Send again")
    assert pressed.acked
    assert pressed.waits(1)[0]["text"] == "again run-1"


def test_an_event_publishes_a_home_tab(connected):
    sandbox = connected[0]
    assert sandbox.slack.event("app_home_opened", tab="home").acked
    wait_for(lambda: slack_identity.PERSON in sandbox.slack.views.homes)


def test_envelopes_go_to_one_socket_each_in_turn(connected):
    sandbox, run, connect, handlers = connected
    handlers.append(run(connect()))
    sandbox.slack.waits_for_sockets(2)
    for number in range(4):
        assert sandbox.slack.command("/levqor-slack-send", str(number)).acked
    assert sorted(ack.connection for ack in sandbox.slack.socket.acks) == [1, 1, 2, 2]


@pytest.mark.parametrize("way", ["disconnect", "drop_sockets"])
def test_a_bot_whose_socket_ends_comes_back(connected, way):
    sandbox = connected[0]
    getattr(sandbox.slack, way)()
    wait_for(lambda: sandbox.slack.socket.opened >= 2)
    # The library may come back twice, and then ends a socket that was in use.
    wait_for(lambda: sandbox.slack.command("/levqor-slack-send", "hello").acked)


def test_a_replayed_command_carries_the_same_trigger(connected):
    sandbox = connected[0]
    first = sandbox.slack.command("/levqor-slack-send", "hello")
    again = sandbox.slack.replay(first)
    assert again.trigger_id == first.trigger_id
    assert len(first.waits(2)) == 2


def test_the_eleventh_socket_is_one_too_many(world):
    sandbox, run = world

    async def story():
        async with aiohttp.ClientSession() as session:
            sockets = [await session.ws_connect(sandbox.slack.socket_url()) for _ in range(11)]
            hellos = [await socket.receive_json() for socket in sockets]
            for socket in sockets:
                await socket.close()
            return hellos

    hellos = run(story())
    assert [hello.get("num_connections") for hello in hellos[:3]] == [1, 2, 3]
    assert hellos[10] == {"type": "disconnect", "reason": "too_many_websockets"}


def test_a_socket_ticket_is_good_once(world):
    sandbox, run = world

    async def story():
        url = sandbox.slack.socket_url()
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(url):
                pass
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await session.ws_connect(url)

    run(story())


def test_the_library_reads_a_refusal(world):
    sandbox, run = world

    async def story():
        client = AsyncWebClient(BOT_TOKEN, base_url=f"{sandbox.slack.url}/api/")
        await client.views_open(trigger_id="t", view=MODAL)

    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        run(story())
