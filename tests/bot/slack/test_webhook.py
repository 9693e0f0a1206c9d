"""Slack over HTTP: what is not surely Slack's is refused before anything else."""

import asyncio
import http.client
import json
import re
import time
from urllib.parse import urlencode, urlsplit

import pytest

from bot import slack as package
from bot.declaration import Startup
from bot.runtime import HookRequest
from bot.slack.webhook import MOST_FIELDS, WebhookReceiver, read
from core.errors import NotConfigured
from core.sandbox.slack import TEAM
from core.settings import Settings
from tests.support.canary import assert_clean
from tests.support.sandbox.slack import signed
from tests.support.sandbox.slack_identity import PERSON, SIGNING_SECRET
from tests.support.slack import at_work
from tests.support.waiting import wait_for

FORM = "application/x-www-form-urlencoded"
CANARY = "canary-text-Zeisig4711"


@pytest.fixture
def slack(home, sandbox):
    with at_work(home, sandbox, http=True) as working:
        yield working


def command(slack, text=CANARY):
    done = slack.send(text)
    return urlencode(done.payload).encode()


def post(slack, body, headers, content_type=FORM):
    return slack.people.post(body, {"Content-Type": content_type, **headers})


BODY = urlencode({"command": "/levqor-slack-send", "text": CANARY, "user_id": "U1"}).encode()


FORGERIES = {
    "unsigned": dict,
    "another secret": lambda: signed(BODY, secret="0" * 32),
    "another body": lambda: signed(BODY + b"x"),
    "too old": lambda: signed(BODY, at=time.time() - 310),
    "from the future": lambda: signed(BODY, at=time.time() + 400),
    "a word for a time": lambda: {**signed(BODY), "X-Slack-Request-Timestamp": "soon"},
    "no end of a time": lambda: {**signed(BODY), "X-Slack-Request-Timestamp": "9" * 400},
    "before time began": lambda: {**signed(BODY), "X-Slack-Request-Timestamp": "-1"},
    "no ASCII": lambda: {**signed(BODY), "X-Slack-Signature": "v0=\u00e9"},
    "no signature": lambda: {**signed(BODY), "X-Slack-Signature": ""},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_or_expired_request_is_refused_and_nothing_of_it_kept(
    slack, sandbox, home, forgery, capfd, caplog
):
    done = post(slack, BODY, FORGERIES[forgery]())
    assert (done.status, done.ack) == (401, None)
    assert sandbox.slack.calls("webhook") == []
    assert slack.engine.ledger.runs() == []
    seen = "".join(capfd.readouterr()) + caplog.text
    assert_clean(seen, home, canaries=[CANARY])


def test_an_empty_secret_opens_no_door(home, sandbox):
    forged = signed(BODY, secret="")
    with at_work(home, sandbox, http=True) as slack:
        assert post(slack, BODY, forged).status == 401
    with pytest.raises(ValueError, match="must not be empty"):
        WebhookReceiver("")


def test_without_any_secret_there_is_no_surface(home, sandbox):
    settings = Settings(home, sandbox_urls=sandbox.settings())
    assert package.build(Startup(settings)) is None


def test_a_secret_without_a_bot_token_is_refused_in_words(home, sandbox):
    urls = {**sandbox.settings(), "SLACK_SIGNING_SECRET": SIGNING_SECRET}
    del urls["SLACK_BOT_TOKEN"]
    settings = Settings(home, sandbox_urls=urls)
    with pytest.raises(NotConfigured, match="SLACK_BOT_TOKEN is missing"):
        package.build(Startup(settings))


def test_a_replayed_request_is_answered_with_the_first_run(slack, sandbox):
    body = command(slack)
    first = slack.engine.ledger.runs(1)[0].run
    for _ in range(3):
        done = post(slack, body, signed(body))
        assert f"run {first}" in done.ack["text"]
    assert len(slack.engine.ledger.runs()) == 1
    wait_for(lambda: sandbox.slack.calls("webhook"))
    assert len(sandbox.slack.calls("webhook")) == 1


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", FORM),
        (b"\xff\xfe", FORM),
        (b"payload=nonsense", FORM),
        (b"payload=%5B%5D", FORM),
        (b"payload=" + b"[" * 20000, FORM),
        (b"&".join(b"a%d=1" % n for n in range(MOST_FIELDS + 1)), FORM),
        (b"[1]", "application/json"),
        (b"{", "application/json"),
        (b"{}", "application/json"),
        (b'{"type":"event_callback"}', "application/json"),
        (b'{"type":"event_callback","event":[]}', "application/json"),
        (b'{"type":"view_submission","view":{}}', "application/json"),
        (b'{"type":"block_actions","actions":[]}', "application/json"),
        (b'{"type":"block_actions","actions":[{"action_id":"again"}]}', "application/json"),
        (b'{"type":"block_actions","actions":[{"action_id":"other"}]}', "application/json"),
        (b'{"type":"view_closed","view":{"callback_id":"again"}}', "application/json"),
        (b"ssl_check=1&token=x", FORM),
        (b"command=%2Flevqor-slack-send", FORM),
        (b"command=%2Flevqor-slack-send&text=x&team_id=T1&user_id=U1", FORM),
    ],
)
def test_a_signed_request_that_makes_no_sense_harms_nothing(slack, sandbox, body, content_type):
    done = post(slack, body, signed(body), content_type)
    assert done.status in (200, 400, 401, 500)
    assert slack.engine.ledger.runs() == []
    assert "sending" in slack.send("hello").ack["text"]


def test_a_fault_of_our_own_is_acknowledged_at_once_and_said(slack, capfd):
    # A command without its trigger cannot come from Slack, and trips whoever reads it.
    fields = {"command": "/levqor-slack-send", "user_id": PERSON, "team_id": TEAM, "text": CANARY}
    body = urlencode(fields).encode()
    done = post(slack, body, signed(body))
    assert done.status == 200
    assert done.latency < 3
    assert done.ack["text"].startswith("Levqor made a mistake of its own")
    assert CANARY not in "".join(capfd.readouterr())


def test_an_oversize_body_is_refused(slack):
    body = b"text=" + b"x" * 300_000
    assert post(slack, body, signed(body)).status == 413


def test_slacks_challenge_is_answered(slack):
    body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"}).encode()
    done = post(slack, body, signed(body), "application/json")
    assert (done.status, done.ack) == (200, {"challenge": "abc"})


def test_slacks_certificate_check_is_answered_when_it_is_signed(slack):
    body = b"ssl_check=1&token=x"
    assert post(slack, body, signed(body)).status == 200
    assert post(slack, body, {}).status == 401


def test_health_says_whether_slack_has_been_here(slack):
    assert slack.health[:2] == (True, "waiting for Slack at /slack/events")
    slack.send("hello")
    assert slack.health[:2] == (True, "Slack reaches /slack/events")


LOOKS_SIGNED = set(FORGERIES) - {"unsigned", "no ASCII", "no signature"}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_post_that_is_not_slacks_is_counted_and_turns_no_words_of_health(slack, forgery):
    """Anybody may post one; before Slack has come it may also be Slack's, of another secret."""
    post(slack, BODY, FORGERIES[forgery]())
    ok, verdict, fix = slack.health
    assert ok
    assert verdict.startswith("waiting for Slack at /slack/events")
    assert ("a post came whose signature is not valid" in verdict) == (forgery in LOOKS_SIGNED)
    assert ("SLACK_SIGNING_SECRET" in (fix or "")) == (forgery in LOOKS_SIGNED)
    slack.send("hello")
    good = (True, "Slack reaches /slack/events", None)
    assert slack.health == good
    since = inbound(slack).since
    for _ in range(3):
        post(slack, BODY, FORGERIES[forgery]())
    assert slack.health == good
    assert inbound(slack).since == since
    assert counted(slack) == 4.0


def inbound(slack):
    [way] = [way for way in slack.engine.ledger.inbounds() if way.surface == "slack"]
    return way


def counted(slack):
    """What the metrics say of posts without Slack's valid signature."""
    token = slack.engine.ledger.token_new("metrics", admin=True)
    line = http.client.HTTPConnection(urlsplit(slack.people.events_url).netloc)
    line.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})
    page = line.getresponse().read().decode()
    line.close()
    found = re.search(r'(?m)^levqor_unsigned_posts_total{surface="slack"} (.*)$', page)
    return float(found[1])


def test_before_slack_was_asked_who_we_are_a_request_is_put_off():
    receiver = WebhookReceiver(SIGNING_SECRET)
    headers = {name.lower(): text for name, text in signed(BODY).items()}
    said = asyncio.run(receiver.answer(HookRequest(BODY, headers)))
    assert (said.status, said.headers) == (503, {"retry-after": "5"})


def test_a_form_is_read_as_it_was_typed():
    body = urlencode({"text": "the payload= & more", "command": "/x"}).encode()
    assert read(body, {"content-type": FORM}) == {"text": "the payload= & more", "command": "/x"}
