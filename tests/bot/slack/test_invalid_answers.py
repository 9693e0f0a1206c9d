"""A gateway that answers nonsense in Slack's place: said, waited for, and nothing falls."""

import asyncio

import pytest

from bot import check
from bot.slack.api import Api, InvalidAnswer, SlackApiError, Unreachable
from bot.slack.profile import profile_name
from bot.slack.settings import SlackSettings
from core.sandbox.slack import TEAM
from core.settings import Settings
from tests.support.nonsense import NONSENSE
from tests.support.sandbox import Answer
from tests.support.sandbox.slack_payloads import Exchange
from tests.support.slack import at_work, settings_for
from tests.support.waiting import wait_for

SAYS = "slack: Answers come that are not Slack's; trying again."
CONNECTED = "connected (Socket Mode)"
VIEW = {"type": "home", "blocks": []}
CALLS = {
    "auth.test": lambda api: api.who_am_i(),
    "apps.connections.open": lambda api: api.open_socket("xapp-1"),
    "users.info": lambda api: api.user("U1", 5.0),
    "views.open": lambda api: api.open_view("1.2", VIEW),
    "views.publish": lambda api: api.publish_home("U1", VIEW),
    "chat.postMessage": lambda api: api.message("U1", "hi"),
}
# What comes back from these is not looked at beyond its `ok`, or by whoever asked.
TAKEN = ("users.info", "views.open", "views.publish", "chat.postMessage")
USERS = {
    "a word": "x",
    "a list": [],
    "nothing known": {},
    "a team of a strange type": {"team_id": ["T1"]},
    "teams of a strange type": {"team_id": "T1", "enterprise_user": {"teams": 7}},
    "teams that are no names": {"team_id": "T1", "enterprise_user": {"teams": [{}, []]}},
    "an organisation that is a word": {"team_id": "T1", "enterprise_user": "x"},
}


@pytest.mark.parametrize("call", CALLS)
def test_no_call_trips_over_nonsense(home, sandbox, call):
    settings = settings_for(home, sandbox)

    async def ask():
        api = Api(settings)
        try:
            return await CALLS[call](api)
        except (SlackApiError, Unreachable) as error:
            return error
        finally:
            await api.close()

    for name, nonsense in NONSENSE.items():
        sandbox.slack.next(nonsense, on=call)
        said = asyncio.run(ask())
        taken = call in TAKEN and isinstance(nonsense.json, dict) and nonsense.json["ok"]
        assert taken or isinstance(said, Unreachable), (name, said)


@pytest.mark.parametrize(
    "url", ["http://slack.example/x", "ws://slack.example/x", "wss://", "x", 7]
)
def test_a_socket_is_opened_to_slack_or_to_this_computer_alone(home, sandbox, url):
    settings = settings_for(home, sandbox)

    async def ask():
        api = Api(settings)
        try:
            await api.open_socket("xapp-1")
        finally:
            await api.close()

    sandbox.slack.next(Answer(json={"ok": True, "url": url}), on="apps.connections.open")
    with pytest.raises(InvalidAnswer):
        asyncio.run(ask())


@pytest.mark.parametrize("call", ["auth.test", "apps.connections.open"])
def test_the_check_says_nonsense_in_one_line(home, sandbox, call):
    settings = settings_for(home, sandbox)
    for name, nonsense in NONSENSE.items():
        sandbox.slack.next(nonsense, on=call)
        found = asyncio.run(check.look(settings))
        wrong = [one.what for one in found if one.good is False]
        assert wrong in (["Answers come that are not Slack's."], ["Slack cannot be reached."]), name
        assert any(one.what.startswith("Telegram") for one in found)


@pytest.mark.parametrize("call", ["auth.test", "apps.connections.open"])
@pytest.mark.parametrize("name", ["ok alone", "a list", "a page called JSON"])
def test_nonsense_at_the_start_is_said_and_waited_for(home, sandbox, call, name):
    sandbox.slack.next(NONSENSE[name], on=call)
    with at_work(home, sandbox) as slack:
        assert any(line.startswith(SAYS) for line in slack.said)
        wait_for(lambda: slack.health[:2] == (True, CONNECTED))
        assert slack.send("hello").acked


@pytest.mark.parametrize("name", USERS)
def test_a_person_described_strangely_is_a_stranger(home, sandbox, name):
    with at_work(home, sandbox) as slack:
        sandbox.slack.next(Answer(json={"ok": True, "user": USERS[name]}), on="users.info")
        said = slack.send("hello").ack["text"]
        assert "Levqor does not answer guests." in said
        # What no Slack said is not remembered.
        assert "sending" in slack.send("hello").ack["text"]


@pytest.mark.parametrize("name", USERS)
def test_a_person_described_strangely_has_no_name_to_offer(home, sandbox, name):
    own = settings_for(home, sandbox).of(SlackSettings)
    answer = Answer(json={"ok": True, "user": USERS[name]})
    sandbox.slack.next(answer, Answer(200, "[]"), Answer(502), on="users.info")
    assert [profile_name(own, f"{TEAM}:U1") for _ in range(3)] == [None] * 3


def test_without_a_bot_token_slack_is_not_asked_for_a_name(home, sandbox):
    settings = Settings(home, environ={"SLACK_API_URL": sandbox.settings()["SLACK_API_URL"]})
    assert profile_name(settings.of(SlackSettings), f"{TEAM}:U1") is None
    assert sandbox.slack.received == []


def test_nonsense_in_place_of_an_answer_stops_nobody(home, sandbox):
    with at_work(home, sandbox) as slack:
        slack.unlimited()
        for call in ("views.open", "views.publish", "chat.postMessage", "users.info"):
            sandbox.slack.next(*list(NONSENSE.values())[:6], on=call)
        for _ in range(7):
            slack.people.command("/levqor-email-send", "")
            slack.ask("help")
        assert "sending" in slack.send("hello").ack["text"]
        assert slack.health[:2] == (True, CONNECTED)


ODD = [
    {}, {"type": "x"}, {"command": "/levqor"}, {"command": "/levqor", "user_id": 7, "team_id": []},
    {"command": 7, "user_id": "U1", "team_id": "T1", "text": "help"},
    {"type": "block_actions"}, {"type": "block_actions", "user": "x", "team": 7, "actions": []},
    {"type": "block_actions", "user": {"id": "U1"}, "team": {"id": "T1"}, "actions": [7]},
    {"type": "view_submission"}, {"type": "view_submission", "user": {}, "view": 7},
    {"type": "view_submission", "view": {"callback_id": "form:slack.send", "state": []}},
    {"type": "view_submission", "view": {"callback_id": "form:nothing", "id": "V1"}},
    {"type": "event_callback", "event": 7}, {"type": "event_callback", "event": {}},
    {"type": "event_callback", "event": {"type": "app_home_opened", "user": {}}},
    {"type": "event_callback", "event": {"type": "app_home_opened", "user": "U1", "tab": []}},
]  # fmt: skip


@pytest.mark.parametrize("http", [False, True], ids=["socket", "HTTP"])
@pytest.mark.parametrize("kind", ["slash_commands", "interactive", "events_api"])
def test_odd_payloads_are_acknowledged_and_passed_over(home, sandbox, http, kind):
    with at_work(home, sandbox, http=http) as slack:
        for payload in ODD:
            done = slack.people.replay(Exchange(kind, payload))
            assert done.acked, payload
        assert "sending" in slack.send("hello").ack["text"]
        assert slack.health[0] is True
