"""Slow, half-closed, malformed and too many connections; each stands alone."""

import contextlib
import json
import re
import socket
import time

import pytest

from bot.web.server import Limits
from tests.support.sandbox import Delay
from tests.support.waiting import wait_for
from tests.support.web import received, served

QUICK = Limits(head_seconds=0.5, body_seconds=0.5, keep_alive_seconds=1, connections=20)
POST = (
    b"POST /actions/slack.send HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: "
)
BODY = b'{"text": "Hello"}'


@pytest.fixture
def web(engine):
    with served(engine, limits=QUICK) as web:
        yield web


def test_the_limits_of_a_server_that_was_told_none_are_ten_seconds():
    told = Limits()
    assert (told.head_seconds, told.body_seconds, told.read_seconds) == (10.0, 10.0, 10.0)
    assert told.keep_alive_seconds > 120  # Caddy's
    assert 0 < told.backlog < told.connections <= 512


def test_a_head_that_never_ends_loses_its_connection(connect):
    raw = connect(b"GET /actions/health HTTP/1.1\r\n")
    began = time.monotonic()
    with contextlib.suppress(OSError):
        while time.monotonic() - began < 30:
            raw.sendall(b"X-Slow: 1\r\n")
            time.sleep(0.1)
    assert received(raw) == b""
    assert time.monotonic() - began < 20


def test_a_connection_that_says_nothing_is_closed(connect):
    raw = connect()
    began = time.monotonic()
    assert received(raw) == b""
    assert 0.3 < time.monotonic() - began < 20


def test_a_body_that_never_ends_is_answered_408_in_the_standard_shape(connect):
    raw = connect(POST + b"1000\r\n\r\n" + BODY)
    answer = received(raw)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in head.lower()
    assert json.loads(body)["error"] == "validation_error"


def test_a_body_nobody_reads_does_not_hold_its_connection(connect):
    raw = connect(b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n")
    began = time.monotonic()
    assert received(raw).startswith(b"HTTP/1.1 404")
    assert time.monotonic() - began < 20


def test_an_idle_connection_is_closed_and_a_busy_one_is_not(connect, sandbox):
    sandbox.slack.next(Delay(2.0))
    busy = connect(POST + str(len(BODY)).encode() + b"\r\n\r\n" + BODY)
    idle = connect(b"GET /actions/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    began = time.monotonic()
    assert received(idle).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - began < 20
    assert b'"status":"sent"' in received(busy)


def test_slow_connections_do_not_stop_other_callers(web, connect):
    for _ in range(60):
        connect(b"GET /actions/health HTTP/1.1\r\nX-Slow: ")
    for _ in range(5):
        assert web.get("/actions/health").status == 200


def test_connections_at_work_are_never_cut_for_new_ones(web, connect, sandbox):
    sandbox.slack.always(Delay(1.0))
    token = web.bot.engine.ledger.token_new("ops", plan="pro")
    post = POST.replace(b"\r\n", f"\r\nAuthorization: Bearer {token}\r\n".encode(), 1)
    at_work = [
        connect(post + str(len(BODY)).encode() + b"\r\n\r\n" + BODY)
        for _ in range(QUICK.connections)
    ]
    wait_for(lambda: sum(web.bot.engine.queues()["slack"]) == QUICK.connections)
    turned_away = connect()
    answer = received(turned_away)
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"\r\nretry-after: 1\r\n" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] == "busy"
    for raw in at_work:
        assert b'"status":"sent"' in received(raw)


def test_a_caller_who_has_said_everything_and_closed_that_way_is_answered(connect):
    raw = connect(POST + str(len(BODY)).encode() + b"\r\n\r\n" + BODY)
    raw.shutdown(socket.SHUT_WR)
    assert b'"status":"sent"' in received(raw)


def test_a_caller_who_closes_in_the_middle_of_a_body_sends_nothing(web, connect, sandbox):
    raw = connect(POST + b"400\r\n\r\n" + BODY)
    raw.shutdown(socket.SHUT_WR)
    received(raw)
    assert web.get("/actions/health").status == 200
    assert sandbox.slack.received == []


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200 + b"\r\n\r\n",
    ],
)
def test_what_is_not_http_is_answered_400_in_the_standard_shape(connect, sent):
    head, _, body = received(connect(sent)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert json.loads(body)["error"] == "validation_error"
    assert json.loads(body)["fix"].startswith("Send HTTP/1.1")
    names = {line.partition(b":")[0] for line in head.split(b"\r\n")[1:]}
    assert {b"date", b"cache-control", b"content-type"} <= names


def test_a_browser_with_too_many_cookies_is_told_to_delete_some(connect):
    cookies = b"Cookie: " + b"x=1; " * 40_000
    sent = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + cookies + b"\r\n\r\n"
    head, _, body = received(connect(sent)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert "delete the cookies" in json.loads(body)["fix"]


def test_a_chunk_that_breaks_http_ends_the_connection_and_nothing_else(web, connect, sandbox):
    raw = connect(
        b"POST /actions/slack.send HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    )
    received(raw)
    assert web.get("/actions/health").status == 200
    assert sandbox.slack.received == []


def test_requests_on_one_connection_are_answered_in_order(connect):
    page = b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n"
    raw = connect(page % b"actions/health" + page % b"nothing" + page % b"ops/uptime")
    assert re.findall(rb"HTTP/1.1 (\d+)", received(raw)) == [b"200", b"404", b"200"]


def test_what_arrived_before_a_caller_closed_that_way_is_answered_too(web, connect, sandbox):
    token = web.bot.engine.ledger.token_new("ops", plan="pro")
    post = POST.replace(b"\r\n", f"\r\nAuthorization: Bearer {token}\r\n".encode(), 1)
    raw = connect((post + str(len(BODY)).encode() + b"\r\n\r\n" + BODY) * 3)
    raw.shutdown(socket.SHUT_WR)
    assert received(raw).count(b'"status":"sent"') == 3
    assert len(sandbox.slack.received) == 3
