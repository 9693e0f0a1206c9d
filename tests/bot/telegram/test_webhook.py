"""Telegram posts updates to an address of ours."""

import http.client
import json
import sqlite3

import pytest
import requests

from bot.declaration import Startup
from bot.telegram import build
from bot.telegram.webhook import WebhookSecret
from core.callers import Caller
from core.engine import Engine
from core.errors import NotConfigured, Unauthorized
from core.sandbox.telegram import BOT_ID
from core.settings import Settings
from tests.support.sandbox import DropBefore
from tests.support.telegram import free_port, living, settings_for
from tests.support.waiting import wait_for

SECRET = "X-Telegram-Bot-Api-Secret-Token"
UPDATE = {
    "update_id": 1,
    "message": {
        "message_id": 1, "date": 1, "text": "/slack_send hi",
        "chat": {"id": 42, "type": "private"},
        "from": {"id": 42, "is_bot": False, "first_name": "Ada"},
        "entities": [{"type": "bot_command", "offset": 0, "length": 11}],
    },
}  # fmt: skip


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def settings(home, sandbox, port):
    sandbox.telegram.updates.retry_seconds = 0.05
    return settings_for(
        home,
        sandbox,
        LEVQOR_TELEGRAM="webhook",
        TELEGRAM_WEBHOOK_URL=f"http://127.0.0.1:{port}",
    )


@pytest.fixture
def bot(settings, port):
    with living(settings, http=port) as bot:
        bot.pair(42)
        yield bot


def post(port, path, body, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def texts(sandbox):
    return [one.json["text"] for one in sandbox.slack.writes]


def test_a_command_comes_through_the_webhook_and_is_answered(sandbox, bot):
    ada = sandbox.telegram.user(42)
    ada.says("/slack_send hi")
    ada.waits(until=lambda said: "· run" in said.text)
    assert texts(sandbox) == ["hi"]
    wait_for(lambda: sandbox.telegram.updates.deliveries == [(1000, 200)])
    (asked,) = sandbox.telegram.calls("setWebhook")
    assert len(asked.form["secret_token"]) == 64
    assert json.loads(asked.form["allowed_updates"]) == ["message", "callback_query"]
    assert "drop_pending_updates" not in asked.form
    assert bot.health == (True, "takes messages at its webhook on 127.0.0.1", None)


@pytest.mark.parametrize("headers", [{}, {SECRET: "wrong"}, {SECRET: ""}, {SECRET: "ü"}])
def test_a_wrong_secret_is_refused_and_nothing_is_done(home, sandbox, bot, port, headers):
    path = WebhookSecret(home, str(BOT_ID)).path
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    wait_for(lambda: bot.health[0])
    before = bot.health
    for _ in range(3):
        assert post(port, path, json.dumps(UPDATE), sent) == 403
    assert bot.health == before
    assert bot.engine.ledger.runs() == []
    assert texts(sandbox) == []


def test_another_homes_secret_is_a_wrong_one(tmp_path, home, bot, port):
    other = WebhookSecret(tmp_path, str(BOT_ID))
    mine = WebhookSecret(home, str(BOT_ID))
    assert (other.path, other.token) != (mine.path, mine.token)
    assert post(port, mine.path, json.dumps(UPDATE), {SECRET: other.token}) == 403


def test_bots_with_one_key_file_have_one_webhook_and_make_no_key_of_their_own(tmp_path):
    key = tmp_path / "shared.key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    homes = [tmp_path / name for name in ("one", "two")]
    secrets = [WebhookSecret(home, str(BOT_ID), str(key)) for home in homes]
    assert len({(secret.path, secret.token) for secret in secrets}) == 1
    assert secrets[0].ours(f"https://levqor.example.com{secrets[1].path}")
    for home in homes:
        environ = {"LEVQOR_KEY_FILE": str(key)}
        with Engine.open(Settings(home, environ=environ)) as engine:
            stranger = Caller("http", "192.0.2.7", known=False)
            engine.log_rejection(Unauthorized(), stranger, "192.0.2.7")
        assert not (home / "levqor.key").exists()
    tags = [json.loads((home / "logs/connectors.log").read_text())["ip"] for home in homes]
    assert tags[0] == tags[1]


@pytest.mark.parametrize("body", ["", "{", "[]", '"?"', '{"update_id": "?"}', "[" * 5000])
def test_what_is_no_update_is_taken_and_does_no_harm(home, bot, port, body):
    secret = WebhookSecret(home, str(BOT_ID))
    assert post(port, secret.path, body, {SECRET: secret.token}) == 200
    assert bot.engine.ledger.runs() == []


def test_the_same_post_twice_is_one_run(home, sandbox, bot, port):
    ada = sandbox.telegram.user(42)
    ada.says("/slack_send hi")
    ada.waits(until=lambda said: "· run" in said.text)
    secret = WebhookSecret(home, str(BOT_ID))
    again = json.dumps({"update_id": 1000, "message": sandbox.telegram.messages.history[0].json})
    for _ in range(3):
        assert post(port, secret.path, again, {SECRET: secret.token}) == 200
    assert texts(sandbox) == ["hi"]
    assert len(ada.conversation) == 1


def test_a_message_that_cannot_be_journaled_is_brought_again(sandbox, bot):
    ledger = bot.engine.ledger
    good, ledger.store._reader = ledger.store._reader, sqlite3.connect(":memory:")
    ada = sandbox.telegram.user(42)
    ada.says("/slack_send hi")
    wait_for(lambda: (1000, 503) in sandbox.telegram.updates.deliveries)
    assert sandbox.telegram.updates.confirmed == []
    broken, ledger.store._reader = ledger.store._reader, good
    broken.close()
    ada.waits(until=lambda said: "· run" in said.text)
    assert texts(sandbox) == ["hi"]


def test_a_post_before_telegram_was_met_is_for_later(home, sandbox, settings, port):
    sandbox.telegram.always(DropBefore(), on="getMe")
    secret = WebhookSecret(home, str(BOT_ID))
    with living(settings, http=port, ready=False) as bot:
        wait_for(lambda: bot.health[1] == "cannot reach Telegram")
        assert post(port, secret.path, json.dumps(UPDATE), {SECRET: secret.token}) == 503
        sandbox.telegram.always(None, on="getMe")
        wait_for(lambda: bot.health[0])


def set_webhook(sandbox, url):
    base = f"{sandbox.telegram.url}/bot{sandbox.telegram.token}"
    assert requests.post(f"{base}/setWebhook", json={"url": url}, timeout=10).json()["ok"]


def test_a_foreign_webhook_is_never_replaced(sandbox, settings, port):
    set_webhook(sandbox, "http://127.0.0.1:1/theirs")
    with living(settings, http=port, ready=False) as bot:
        wait_for(lambda: "leaves that alone" in bot.health[1])
        assert len(sandbox.telegram.calls("setWebhook")) == 1


def test_an_address_telegram_does_not_take_is_said(home, sandbox, port):
    settings = settings_for(
        home,
        sandbox,
        LEVQOR_TELEGRAM="webhook",
        TELEGRAM_WEBHOOK_URL="https://levqor.example.com:9999",
    )
    with living(settings, http=port, ready=False) as bot:
        wait_for(lambda: "TELEGRAM_WEBHOOK_URL" in bot.health[1])
        assert bot.health[1] == "Telegram does not take the address in TELEGRAM_WEBHOOK_URL"
        assert len(sandbox.telegram.calls("setWebhook")) >= 1


def test_a_webhook_that_somebody_takes_away_is_said_and_not_fought_over(sandbox, settings, port):
    with living(settings, http=port) as bot:
        asked = len(sandbox.telegram.calls("setWebhook"))
        set_webhook(sandbox, "")
        wait_for(lambda: bot.health[1] == "another program gets this bot's messages now")
        assert bot.health[2] == "Stop the other program, then start levqor-bot again."
        looked = len(sandbox.telegram.calls("getWebhookInfo"))
        wait_for(lambda: len(sandbox.telegram.calls("getWebhookInfo")) > looked + 2)
        assert len(sandbox.telegram.calls("setWebhook")) == asked + 1  # its own, and ours before


def test_an_own_webhook_is_taken_away_when_polling_is_chosen(home, sandbox, settings, port):
    ada = sandbox.telegram.user(42)
    with living(settings, http=port) as bot:
        bot.pair(42)
    assert sandbox.telegram.updates._hook["url"].startswith(f"http://127.0.0.1:{port}/telegram/")
    ada.says("/slack_send hi")
    with living(settings_for(home, sandbox)):
        ada.waits(until=lambda said: "· run" in said.text)
    assert sandbox.telegram.updates._hook == {}
    assert texts(sandbox) == ["hi"]


def test_a_webhook_without_an_address_is_a_clear_refusal(home, sandbox):
    settings = settings_for(home, sandbox, LEVQOR_TELEGRAM="webhook")
    with pytest.raises(NotConfigured) as refused:
        build(Startup(settings))
    assert refused.value.settings == ("TELEGRAM_WEBHOOK_URL",)
    assert "TELEGRAM_WEBHOOK_URL" in refused.value.message


def test_telegram_is_off_without_a_token_or_when_told_so(home, sandbox):
    assert build(Startup(Settings(home, environ={}))) is None
    assert build(Startup(settings_for(home, sandbox, LEVQOR_TELEGRAM="off"))) is None


def test_a_token_that_could_lead_elsewhere_is_refused(home, sandbox):
    with pytest.raises(NotConfigured) as refused:
        build(Startup(settings_for(home, sandbox, TELEGRAM_BOT_TOKEN="1:a/../../x")))
    assert refused.value.message == "TELEGRAM_BOT_TOKEN is not a bot's token."
