"""Access tokens for service accounts, and what else is kept for a while."""

from __future__ import annotations

import json
import threading
import time
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from core.contract import Receipt, refused
from core.outbound import Outbound
from core.outbound.cache import SingleFlightCache
from tests.support.rawserver import answering, in_turn, serving
from tests.support.ways_out import deliver, failing

SCOPE = "https://www.googleapis.com/auth/spreadsheets"
REFUSED = refused("key_refused", "Google refused the key.", "Make a new key.")
JSON = "Content-Type: application/json"


@pytest.fixture(scope="module")
def private_key():
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture
def account(private_key):
    def made(url):
        return {
            "type": "service_account",
            "client_email": "robot@project.example",
            "private_key": private_key,
            "token_uri": url,
        }

    return made


@pytest.fixture
def outbound():
    made = Outbound(attempt_seconds=2)
    yield made
    made.close()


def token(text, seconds=3600):
    body = json.dumps({"access_token": text, "expires_in": seconds, "token_type": "Bearer"})
    return body.encode()


def asking(info, tokens, **more):
    """A send that does nothing but ask for a token."""

    def send(out):
        explain = more.pop("explain", lambda _answer: REFUSED.error())
        tokens.append(out.service_account_token(info, SCOPE, explain=explain, **more))
        return Receipt("sent")

    return send


def test_a_signed_assertion_is_exchanged_for_a_token(outbound, account):
    tokens = []
    with serving(answering(200, token("ya29.a"), JSON)) as server:
        deliver(outbound, asking(account(server.url), tokens))

        form = parse_qs(server.bodies()[0].decode())
    assert tokens == ["ya29.a"]
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert form["assertion"][0].count(".") == 2


def test_a_token_is_kept_for_all_runs_of_the_credential(outbound, account):
    tokens = []
    with serving(answering(200, token("ya29.a"), JSON)) as server:
        for _ in range(3):
            deliver(outbound, asking(account(server.url), tokens))
        outbound.deliver("service", b"other", "run", asking(account(server.url), tokens))

        assert len(server.requests) == 2
    assert tokens == ["ya29.a"] * 4


def test_a_token_in_its_last_minute_is_not_used(outbound, account):
    tokens = []
    with serving(answering(200, token("ya29.a", 60), JSON)) as server:
        for _ in range(2):
            deliver(outbound, asking(account(server.url), tokens))

        assert len(server.requests) == 2


def test_fresh_skips_the_kept_token(outbound, account):
    tokens = []

    def script(peer):
        while peer.request():
            peer.answer(200, token(f"ya29.{len(peer.server.requests)}"), JSON)

    with serving(script) as server:
        deliver(outbound, asking(account(server.url), tokens))
        deliver(outbound, asking(account(server.url), tokens, fresh=True))
        deliver(outbound, asking(account(server.url), tokens))

    assert tokens == ["ya29.1", "ya29.2", "ya29.2"]


def test_several_threads_make_one_exchange(outbound, account):
    tokens = []

    def script(peer):
        while peer.request():
            time.sleep(0.2)
            peer.answer(200, token("ya29.a"), JSON)

    with serving(script) as server:
        threads = [
            threading.Thread(target=deliver, args=(outbound, asking(account(server.url), tokens)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(server.requests) == 1
    assert tokens == ["ya29.a"] * 8


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
def test_an_answer_without_a_token_is_explained_at_once(outbound, account, status):
    seen = []

    def explain(answer):
        seen.append((answer.status, answer.json()))
        return REFUSED.error()

    started = time.monotonic()
    with serving(answering(status, b'{"error":"invalid_grant"}', JSON)) as server:
        failed = failing(outbound, asking(account(server.url), [], explain=explain))

        assert len(server.requests) == 1
    assert time.monotonic() - started < 5
    assert (failed.error.outcome, failed.error.reason) == ("refused", "key_refused")
    assert seen == [(status, {"error": "invalid_grant"})]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"access_token":5}', b'{"access_token":null}']
)
def test_a_good_status_without_a_token_is_explained_too(outbound, account, body):
    with serving(answering(200, body, JSON)) as server:
        failed = failing(outbound, asking(account(server.url), []))

    assert failed.error.reason == "key_refused"


def test_a_token_server_that_hangs_is_not_sent_in_the_attempts_time(account):
    outbound = Outbound(attempt_seconds=0.4)
    started = time.monotonic()
    with serving(lambda peer: (peer.request(), peer.hold())) as server:
        failed = failing(outbound, asking(account(server.url), []), attempts=1)
    outbound.close()

    assert (failed.error.outcome, failed.error.reason) == ("not_sent", "timed_out_before")
    assert time.monotonic() - started < 5


def test_who_waits_for_anothers_exchange_waits_no_longer_than_its_attempt(account):
    outbound = Outbound(attempt_seconds=0.4)
    errors = []
    with serving(lambda peer: (peer.request(), peer.hold())) as server:

        def ask():
            errors.append(failing(outbound, asking(account(server.url), []), attempts=1))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    outbound.close()

    assert [failed.error.reason for failed in errors] == ["timed_out_before"] * 3
    assert time.monotonic() - started < 5


def test_an_exchange_that_failed_is_tried_again(outbound, account):
    tokens = []

    def drop(peer):
        peer.request()

    with serving(in_turn(drop, answering(200, token("ya29.a"), JSON))) as server:
        _, attempts = deliver(outbound, asking(account(server.url), tokens))

    assert (attempts, tokens) == (2, ["ya29.a"])


def test_a_private_key_that_cannot_be_read_is_a_value_error(outbound, account):
    info = account("http://127.0.0.1:1/") | {"private_key": "-----BEGIN nothing"}

    with pytest.raises(ValueError, match="PEM"):
        deliver(outbound, asking(info, []))


def test_a_value_is_remembered_for_its_seconds(outbound):
    made = []

    def send(out):
        value = out.remember("schema", lambda: (made.append(1) or len(made), 0.2))
        return Receipt("sent", updated=value)

    first, _ = deliver(outbound, send)
    second, _ = deliver(outbound, send)
    time.sleep(0.25)
    third, _ = deliver(outbound, send)

    assert (first.updated, second.updated, third.updated) == (1, 1, 2)


def test_a_remembered_value_is_no_other_credentials(outbound):
    def send(out):
        return Receipt("sent", id=out.remember("who", lambda: (out.run, 60.0)))

    first = outbound.deliver("service", b"one", "run-1", send).get()
    second = outbound.deliver("service", b"two", "run-2", send).get()
    third = outbound.deliver("elsewhere", b"one", "run-3", send).get()

    assert [first.id, second.id, third.id] == ["run-1", "run-2", "run-3"]


def test_fresh_takes_what_another_made_since_it_asked():
    cache, made, started = SingleFlightCache(), [], threading.Event()

    def slowly():
        started.set()
        time.sleep(0.2)
        made.append(1)
        return len(made), 60.0

    first = threading.Thread(target=cache.get, args=("key", slowly), kwargs={"wait": 5})
    first.start()
    started.wait()

    assert cache.get("key", slowly, wait=5, fresh=True) == 1
    assert cache.get("key", slowly, wait=5, fresh=True) == 2
    first.join()


def test_what_could_not_be_made_is_not_kept():
    cache = SingleFlightCache()

    with pytest.raises(KeyError):
        cache.get("key", lambda: {}["no"], wait=1)

    assert cache.get("key", lambda: ("made", 60.0), wait=1) == "made"


def test_memory_is_bounded_and_forgets_the_longest_unused():
    cache = SingleFlightCache(size=2)
    for key in ("a", "b", "a", "c"):
        cache.get(key, lambda key=key: (key, 60.0), wait=1)

    assert cache.get("a", lambda: ("anew", 60.0), wait=1) == "a"
    assert cache.get("b", lambda: ("anew", 60.0), wait=1) == "anew"
