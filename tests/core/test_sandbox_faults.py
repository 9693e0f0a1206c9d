"""Servers that fail below HTTP."""

import sys

import pytest
import requests

from core.sandbox import faults


def post(url, timeout=5.0):
    return requests.post(url, json={"text": "hello"}, timeout=timeout)


def test_a_refusing_port_refuses():
    with faults.Refusing() as server, pytest.raises(requests.ConnectionError, match="refused"):
        post(server.url)


@pytest.mark.skipif(sys.platform != "linux", reason="a full queue drops connections on Linux only")
def test_an_unanswering_port_never_connects():
    with faults.Unanswering() as server, pytest.raises(requests.ConnectTimeout):
        post(server.url, timeout=0.3)


def test_a_hanging_handshake_sends_nothing():
    with faults.HangingHandshake() as server:
        with pytest.raises(requests.RequestException):
            post(server.url, timeout=0.3)
        assert (server.connections, server.requests) == (1, [])


def test_a_breaking_handshake_sends_nothing():
    with faults.BreakingHandshake() as server:
        with pytest.raises(requests.exceptions.SSLError):
            post(server.url)
        assert (server.connections, server.requests) == (1, [])


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (faults.BreakingAfter, "SSLError.*(BAD_RECORD|DECRYPTION_FAILED|RECORD_LAYER_FAILURE)"),
        (faults.ClosingAfter, "UNEXPECTED_EOF|closed connection without response"),
    ],
)
def test_tls_that_breaks_after_the_request_has_read_it_whole(kind, fault):
    with kind() as server:
        with pytest.raises(requests.ConnectionError, match=f"(?i){fault}"):
            requests.post(server.url, json={"text": "hello"}, verify=server.certificate, timeout=5)
        assert len(server.requests) == 1
        assert server.requests[0].endswith(b'{"text": "hello"}')
