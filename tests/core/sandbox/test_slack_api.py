"""What the sandbox's Web API takes and refuses on the bot's side."""

import time

import pytest
import requests

from core.sandbox.slack import BOT_TOKEN
from tests.support.sandbox import slack_identity
from tests.support.sandbox.slack_identity import APP_TOKEN
from tests.support.sandbox.slack_samples import HOME, MODAL


@pytest.fixture
def api(sandbox):
    headers = {"Authorization": f"Bearer {BOT_TOKEN}"}

    def call(method, token=None, **body):
        chosen = {"Authorization": f"Bearer {token}"} if token else headers
        return requests.post(f"{sandbox.slack.url}/api/{method}", json=body, headers=chosen).json()

    return call


def test_scopes_are_in_a_header(sandbox):
    url = f"{sandbox.slack.url}/api/auth.test"
    answer = requests.post(url, headers={"Authorization": f"Bearer {BOT_TOKEN}"})
    # In small letters, as Slack writes it: its own SDK for Python looks it up as it stands.
    (scopes,) = [text for name, text in answer.headers.items() if name == "x-oauth-scopes"]
    assert "commands" in scopes.split(",")


def test_sockets_open_with_an_app_token_only(api):
    assert api("apps.connections.open")["error"] == "not_allowed_token_type"
    assert api("apps.connections.open", token="xapp-1-wrong")["error"] == "invalid_auth"
    assert api("apps.connections.open", token=APP_TOKEN)["url"].startswith("ws://127.0.0.1:")


def test_a_trigger_opens_one_view_within_three_seconds(sandbox, api):
    views = sandbox.slack.views
    views.trigger("t")
    assert api("views.open", trigger_id="t", view=MODAL)["ok"] is True
    assert api("views.open", trigger_id="t", view=MODAL)["error"] == "exchanged_trigger_id"
    assert api("views.open", trigger_id="u", view=MODAL)["error"] == "invalid_trigger_id"
    views._triggers["old"] = time.monotonic() - 3.1
    assert api("views.open", trigger_id="old", view=MODAL)["error"] == "expired_trigger_id"


def title(text):
    return {**MODAL, "title": {"type": "plain_text", "text": text}}


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (
            title("x" * 25),
            "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]",
        ),
        (title(""), "[ERROR] must be more than 0 characters [json-pointer:/view/title/text]"),
        (
            {**MODAL, "submit": None},
            "[ERROR] must define `submit` to use an `input` block in modals [json-pointer:/view]",
        ),
        (
            {**MODAL, "private_metadata": "x" * 3001},
            "[ERROR] must be less than 3001 characters [json-pointer:/view/private_metadata]",
        ),
        (
            {**MODAL, "blocks": [{"type": "divider"}] * 101},
            "[ERROR] no more than 100 items allowed [json-pointer:/view/blocks]",
        ),
        (HOME, '[ERROR] must be "modal" [json-pointer:/view/type]'),
    ],
)
def test_a_view_slack_could_not_show_is_refused(sandbox, api, view, message):
    sandbox.slack.views.trigger("t")
    answer = api("views.open", trigger_id="t", view=view)
    assert answer["error"] == "invalid_arguments"
    assert message in answer["response_metadata"]["messages"]


def test_a_view_is_updated_by_its_id_unless_it_changed_meanwhile(sandbox, api):
    sandbox.slack.views.trigger("t")
    view = api("views.open", trigger_id="t", view=MODAL)["view"]
    args = {"view_id": view["id"], "view": title("Sending"), "hash": view["hash"]}
    assert api("views.update", **args)["view"]["title"]["text"] == "Sending"
    assert api("views.update", **args)["error"] == "hash_conflict"
    assert api("views.update", view_id="V0", view=MODAL)["error"] == "not_found"


def test_people_guests_and_strangers_are_told_apart(api):
    assert api("users.info", user=slack_identity.PERSON)["user"]["is_restricted"] is False
    assert api("users.info", user=slack_identity.GUEST)["user"]["is_restricted"] is True
    assert (
        api("users.info", user=slack_identity.STRANGER)["user"]["team_id"]
        == slack_identity.OTHER_TEAM
    )
    assert api("users.info", user="X1")["error"] == "user_not_found"


def test_a_message_to_a_person_is_a_direct_message(sandbox, api):
    posted = api("chat.postMessage", channel=slack_identity.PERSON, text="hello")
    assert posted["channel"] == f"D{slack_identity.PERSON[1:]}"
    assert sandbox.slack.messages[0]["text"] == "hello"


def test_a_response_url_takes_five_posts(sandbox):
    done = sandbox.slack.command("/x")
    answers = [requests.post(done.response_url, json={"text": str(n)}) for n in range(6)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 200, 404]
    assert answers[5].json() == {"ok": False, "error": "used_url"}
    assert [reply["text"] for reply in done.replies] == ["0", "1", "2", "3", "4"]


def test_a_response_url_ends(sandbox):
    done = sandbox.slack.command("/x")
    sandbox.slack.expire(done.response_url)
    answer = requests.post(done.response_url, json={"text": "late"})
    assert (answer.status_code, answer.json()["error"]) == (404, "expired_url")
