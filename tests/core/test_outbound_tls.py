"""TLS: what fails in it was not sent, until the request has left."""

from __future__ import annotations

import pytest

from core.contract import Receipt
from core.outbound import Outbound
from tests.support.proxies import NETWORK
from tests.support.rawserver import answering, certificate, serving
from tests.support.ways_out import deliver, ended, failing, posting


@pytest.fixture
def outbound():
    made = Outbound(attempt_seconds=0.5)
    yield made
    made.close()


@pytest.fixture
def tls(tmp_path, monkeypatch):
    public, context = certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(public))
    return context


def test_a_hung_tls_handshake_is_not_sent(outbound, tls):
    with serving(lambda peer: peer.hold()) as server:
        failed = failing(outbound, posting(server.tls_url), attempts=2)

        assert ended(failed) == ("not_sent", "timed_out_before", 2)
        assert server.connections == 2


def test_a_certificate_nobody_trusts_is_not_sent(outbound, tmp_path):
    _, context = certificate(tmp_path)

    def script(peer):
        peer.start_tls(context)
        peer.request()

    with serving(script) as server:
        failed = failing(outbound, posting(server.tls_url), attempts=1)

        assert ended(failed) == ("not_sent", "tls_failed", 1)
        assert server.requests == []


def test_a_certificate_for_another_host_is_not_sent(outbound, tmp_path, monkeypatch):
    public, context = certificate(tmp_path, "elsewhere.example")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(public))

    def script(peer):
        peer.start_tls(context)
        peer.request()

    with serving(script) as server:
        failed = failing(outbound, posting(server.tls_url), attempts=1)

        assert ended(failed) == ("not_sent", "tls_failed", 1)
        assert server.requests == []


def test_a_server_that_speaks_no_tls_is_not_sent(outbound, tls):
    with serving(lambda peer: peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        failed = failing(outbound, posting(server.tls_url), attempts=1)

        assert ended(failed) == ("not_sent", "tls_failed", 1)


@pytest.mark.parametrize(
    "name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"]
)
def test_a_missing_certificate_file_is_named_by_its_setting(outbound, monkeypatch, name):
    for other in NETWORK:
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "/nowhere/at/all.pem")

    failed = failing(outbound, posting("https://127.0.0.1:1/"), attempts=1)

    assert ended(failed) == ("not_sent", "ca_missing", 1)
    assert name in failed.error.fix


def test_a_certificate_file_of_nonsense_is_not_sent(outbound, tmp_path, monkeypatch):
    (tmp_path / "bundle.pem").write_text("no certificate")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "bundle.pem"))

    failed = failing(outbound, posting("https://127.0.0.1:1/"), attempts=1)

    assert ended(failed) == ("not_sent", "ca_missing", 1)


def test_a_sound_tls_server_is_delivered_to(outbound, tls):
    def script(peer):
        peer.start_tls(tls)
        answering(200, b"ok")(peer)

    with serving(script) as server:
        assert deliver(outbound, posting(server.tls_url)) == (Receipt("sent", id="200"), 1)


def test_tls_that_breaks_after_the_request_was_read_is_unknown(outbound, tls):
    def script(peer):
        peer.start_tls(tls)
        peer.request()
        peer.break_tls()
        peer.hold()

    with serving(script) as server:
        failed = failing(outbound, posting(server.tls_url))

        assert ended(failed) == ("unknown", "dropped", 1)
        assert len(server.requests) == 1
