"""Which connections are used again, and which are not."""

from __future__ import annotations

import contextlib
import time

import pytest

from core.contract import Receipt
from core.outbound import Outbound, connection
from core.outbound.session import _POOLS
from tests.support.rawserver import answering, in_turn, serving
from tests.support.waiting import wait_for
from tests.support.ways_out import deliver, posting

OK = (Receipt("sent", id="200"), 1)


@pytest.fixture
def outbound():
    made = Outbound(attempt_seconds=2)
    yield made
    made.close()


def test_a_connection_is_used_again(outbound):
    with serving(answering(200, b"ok")) as server:
        for _ in range(3):
            deliver(outbound, posting(server.url))

        assert (server.connections, len(server.requests)) == (1, 3)


def test_a_connection_idle_for_more_than_five_seconds_is_not_used_again(outbound):
    assert connection.IDLE_SECONDS == 5.0
    with serving(answering(200)) as server:
        deliver(outbound, posting(server.url))
        time.sleep(5.2)
        deliver(outbound, posting(server.url))

        assert (server.connections, len(server.requests)) == (2, 2)


def test_a_connection_the_server_closed_is_not_used_again(outbound):
    def script(peer):
        peer.request()
        peer.answer(200)

    with serving(script) as server:
        deliver(outbound, posting(server.url))
        time.sleep(0.1)

        assert deliver(outbound, posting(server.url)) == OK
        assert server.connections == 2


def test_a_connection_with_an_unread_answer_is_not_used_again(outbound):
    def script(peer):
        peer.request()
        peer.answer(200)
        time.sleep(0.05)
        peer.answer(500)
        peer.hold()

    with serving(in_turn(script, answering(200))) as server:
        deliver(outbound, posting(server.url))
        time.sleep(0.2)

        assert deliver(outbound, posting(server.url)) == OK


def test_closing_shuts_idle_connections(outbound):
    ended = []

    def script(peer):
        answering(200)(peer)
        ended.append(True)

    with serving(script) as server:
        deliver(outbound, posting(server.url))
        outbound.close()
        time.sleep(0.2)

        assert ended == [True]


def test_of_many_hosts_the_connection_to_the_first_is_closed(outbound):
    ended = []

    def script(number):
        def serve(peer):
            answering(200)(peer)
            ended.append(number)

        return serve

    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(serving(script(number))) for number in range(_POOLS + 1)]
        for server in servers:
            assert deliver(outbound, posting(server.url)) == OK
        wait_for(lambda: ended == [0])
        assert deliver(outbound, posting(servers[0].url)) == OK
