"""What hostile, careless and merely unlucky callers tried on the HTTP surface."""

import contextlib
import socket

import pytest

from bot.web.limits import Limits
from tests.support.web import served, wait_for

QUICK = Limits(
    head_seconds=0.5, body_seconds=0.5, keep_alive_seconds=1, connections=4, read_seconds=0.5
)
CLOSING = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
LARGE = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def web(engine):
    with served(engine, limits=QUICK) as web:
        yield web


@pytest.fixture
def connect(web):
    with contextlib.ExitStack() as stack:

        def open_one(sent, receive_buffer=None):
            raw = stack.enter_context(socket.socket())
            if receive_buffer is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            raw.settimeout(5)
            raw.connect(web.address)
            raw.sendall(sent)
            return raw

        yield open_one


def received(raw):
    """Everything until the other side ends; a reset is an end."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while more := raw.recv(65536):
            found += more
    return found


@pytest.mark.parametrize(
    "last", [b"", LARGE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")]
)
def test_callers_who_never_read_their_answers_do_not_keep_a_place(web, connect, last):
    for _ in range(QUICK.connections):
        connect(LARGE * 60 + last, receive_buffer=4096)
    assert web.get("/actions/health").status == 200
    wait_for(lambda: len(web.web._server.server_state.connections) == 0, 5.0)


def test_an_answer_read_slowly_is_sent_to_its_end(web, connect):
    many = 30
    raw = connect(LARGE * (many - 1) + LARGE.replace(b"localhost", b"127.0.0.1"), 4096)
    answers = received(raw)
    assert answers.count(b"HTTP/1.1 200") == many
