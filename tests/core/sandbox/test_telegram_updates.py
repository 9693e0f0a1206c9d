"""How the sandbox hands updates to a bot: by long polling and by webhook."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from tests.support.sandbox import DropAfter
from tests.support.waiting import wait_for


def texts(answer):
    return [update["message"]["text"] for update in answer["result"]]


def test_updates_are_given_again_until_a_higher_offset_confirms_them(sandbox, bot_api):
    ada = sandbox.telegram.user(42)
    for text in ("one", "two", "three"):
        ada.says(text)
    first = bot_api("getUpdates")
    assert texts(first) == ["one", "two", "three"]
    assert texts(bot_api("getUpdates")) == ["one", "two", "three"]
    second = bot_api("getUpdates", offset=first["result"][1]["update_id"] + 1)
    assert texts(second) == ["three"]
    assert sandbox.telegram.updates.confirmed == [1000, 1001]


def test_updates_read_by_a_bot_that_died_come_again(sandbox, bot_api):
    sandbox.telegram.user(42).says("hello")
    sandbox.telegram.next(DropAfter(), on="getUpdates")
    with pytest.raises(requests.ConnectionError):
        bot_api("getUpdates")
    assert texts(bot_api("getUpdates")) == ["hello"]


def test_a_long_poll_ends_as_soon_as_somebody_speaks(sandbox, bot_api):
    with ThreadPoolExecutor() as pool:
        poll = pool.submit(bot_api, "getUpdates", timeout=10)
        while not sandbox.telegram.calls("getUpdates"):
            time.sleep(0.01)
        started = time.monotonic()
        sandbox.telegram.user(42).says("hello")
        assert texts(poll.result()) == ["hello"]
    assert time.monotonic() - started < 5


def test_a_long_poll_without_updates_ends_after_its_timeout(bot_api):
    started = time.monotonic()
    assert bot_api("getUpdates", timeout=1) == {"ok": True, "result": []}
    assert time.monotonic() - started >= 0.95


def test_a_second_poller_ends_the_first(sandbox, bot_api):
    with ThreadPoolExecutor() as pool:
        first = pool.submit(bot_api, "getUpdates", timeout=10)
        while not sandbox.telegram.calls("getUpdates"):
            time.sleep(0.01)
        bot_api("getUpdates")
        answer = first.result()
    assert answer["error_code"] == 409
    assert answer["description"] == (
        "Conflict: terminated by other getUpdates request; make sure that only one bot "
        "instance is running"
    )


def test_what_may_be_sent_is_remembered_and_does_not_reach_back(sandbox, bot_api):
    ada = sandbox.telegram.user(42)
    said = ada.says("one")
    ada.edits(said, "two")
    assert len(bot_api("getUpdates", allowed_updates=["message"])["result"]) == 2
    ada.edits(said, "three")
    assert len(bot_api("getUpdates")["result"]) == 2


def test_a_limit_is_kept(sandbox, bot_api):
    for number in range(3):
        sandbox.telegram.user(42).says(str(number))
    assert texts(bot_api("getUpdates", limit=2)) == ["0", "1"]


def test_a_revoked_token_ends_the_poll_and_every_call(sandbox, bot_api):
    with ThreadPoolExecutor() as pool:
        poll = pool.submit(bot_api, "getUpdates", timeout=10)
        while not sandbox.telegram.calls("getUpdates"):
            time.sleep(0.01)
        sandbox.telegram.revoke()
        assert poll.result()["error_code"] == 401
    assert bot_api("getMe")["description"] == "Unauthorized"
    sandbox.telegram.restore()
    assert bot_api("getMe")["ok"] is True


def test_an_unreadable_update_is_handed_over_as_it_is(sandbox, bot_api):
    sandbox.telegram.inject({"message": {"date": "yesterday"}})
    assert bot_api("getUpdates")["result"] == [
        {"update_id": 1000, "message": {"date": "yesterday"}}
    ]


class Bot(BaseHTTPRequestHandler):
    answers: list
    seen: list

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.headers["X-Telegram-Bot-Api-Secret-Token"], body))
        self.send_response(self.answers.pop(0) if self.answers else 200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def bot():
    Bot.answers, Bot.seen = [], []
    with ThreadingHTTPServer(("127.0.0.1", 0), Bot) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/telegram/updates"
        server.shutdown()
        thread.join()


def test_a_webhook_gets_its_updates_with_the_secret_until_it_says_yes(sandbox, bot_api, bot):
    Bot.answers += [500, 403]
    sandbox.telegram.updates.retry_seconds = 0.01
    assert bot_api("setWebhook", url=bot, secret_token="s3cret")["result"] is True
    sandbox.telegram.user(42).says("hello")
    wait_for(lambda: sandbox.telegram.updates.confirmed == [1000])
    assert sandbox.telegram.updates.deliveries == [(1000, 500), (1000, 403), (1000, 200)]
    assert {secret for secret, _ in Bot.seen} == {"s3cret"}


def test_a_webhook_nobody_answers_is_told_in_its_info(sandbox, bot_api):
    sandbox.telegram.updates.retry_seconds = 0.01
    bot_api("setWebhook", url="http://127.0.0.1:1/")
    sandbox.telegram.user(42).says("hello")
    wait_for(lambda: "last_error_message" in bot_api("getWebhookInfo")["result"])
    info = bot_api("getWebhookInfo")["result"]
    assert info["url"] == "http://127.0.0.1:1/"
    assert (info["pending_update_count"], info["last_error_message"]) == (1, "Connection failed")


def test_polling_while_a_webhook_is_set_is_a_conflict(sandbox, bot_api, bot):
    bot_api("setWebhook", url=bot)
    answer = bot_api("getUpdates")
    assert answer["error_code"] == 409
    assert answer["description"].startswith("Conflict: can't use getUpdates method while webhook")
    bot_api("deleteWebhook")
    assert bot_api("getUpdates") == {"ok": True, "result": []}


@pytest.mark.parametrize(
    ("asked", "description"),
    [
        (
            {"url": "http://example.com"},
            "Bad Request: bad webhook: An HTTPS URL must be provided for webhook",
        ),
        (
            {"url": "https://example.com:8000"},
            "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        ),
        (
            {"url": "https://example.com", "secret_token": "no spaces"},
            "Bad Request: secret token contains unallowed characters",
        ),
    ],
)
def test_a_webhook_telegram_could_not_use_is_refused(bot_api, asked, description):
    assert bot_api("setWebhook", **asked)["description"] == description
