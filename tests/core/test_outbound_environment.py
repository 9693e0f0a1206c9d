"""What the environment may say, and what happens behind nobody's back."""

from __future__ import annotations

import time

import pytest

from core import __version__
from core.contract import Receipt
from core.outbound import Outbound
from core.outbound.session import Routes
from tests.support.proxies import NETWORK, proxying
from tests.support.rawserver import answering, certificate, closed_port, serving
from tests.support.ways_out import deliver, ended, failing, posting

OK = (Receipt("sent", id="200"), 1)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in NETWORK:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def outbound():
    made = Outbound(attempt_seconds=2)
    yield made
    made.close()


def headers(request):
    head, _, _ = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def test_a_request_says_who_asks_and_takes_no_compression(outbound):
    with serving(answering(200)) as server:
        more = {"User-Agent": "python-requests/2", "Authorization": "Bearer t"}
        deliver(outbound, posting(server.url, headers=more))

        assert headers(server.requests[0]) == {
            "host": f"127.0.0.1:{server.port}",
            "user-agent": f"Levqor/{__version__}",
            "accept": "*/*",
            "accept-encoding": "identity",
            "authorization": "Bearer t",
            "content-type": "application/json; charset=utf-8",
            "content-length": "16",
        }


def test_forms_and_queries_are_encoded(outbound):
    with serving(answering(200)) as server:

        def send(out):
            out.post(server.url, form={"a": "ü &", "b": "1"})
            out.get(server.url, params={"q": "a b"})
            out.get(f"{server.url}/%27My%20Tab%27!A1:append?x=1", params={"q": "ü"})
            return Receipt("sent")

        deliver(outbound, send)

        assert server.bodies()[0] == b"a=%C3%BC+%26&b=1"
        assert server.requests[0].startswith(b"POST /path HTTP/1.1\r\n")
        assert server.requests[1].startswith(b"GET /path?q=a+b HTTP/1.1\r\n")
        assert server.requests[2].startswith(
            b"GET /path/%27My%20Tab%27!A1:append?x=1&q=%C3%BC HTTP/1.1\r\n"
        )


def test_redirects_are_not_followed(outbound):
    with (
        serving(answering(200)) as target,
        serving(answering(307, b"", f"Location: {target.url}")) as server,
    ):
        receipt, _ = deliver(outbound, posting(server.url))

        assert receipt.id == "307"
        assert target.connections == 0


def test_netrc_is_not_used(outbound, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password SECRET\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving(answering(200)) as server:
        deliver(outbound, posting(server.url))

        assert "authorization" not in headers(server.requests[0])


def test_cookies_are_not_kept(outbound):
    with serving(answering(200, b"", "Set-Cookie: session=1; Path=/")) as server:
        deliver(outbound, posting(server.url))
        deliver(outbound, posting(server.url))

        assert "cookie" not in headers(server.requests[1])


def test_a_proxy_is_used_for_other_hosts(outbound, monkeypatch):
    with serving(answering(200)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")

        assert deliver(outbound, posting("http://service.example/path")) == OK
        assert proxy.requests[0].startswith(b"POST http://service.example/path HTTP/1.1\r\n")


def test_a_proxy_is_not_used_for_this_computer(outbound, monkeypatch):
    with serving(answering(200)) as proxy, serving(answering(200)) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")

        assert deliver(outbound, posting(server.url)) == OK
        assert deliver(outbound, posting(f"http://localhost:{server.port}/")) == OK
        assert (proxy.connections, len(server.requests)) == (0, 2)


def test_no_proxy_is_honoured(outbound, monkeypatch):
    with serving(answering(200)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "service.invalid")

        failing(outbound, posting("http://service.invalid/"), attempts=1)

        assert proxy.connections == 0


def test_tls_goes_through_a_proxys_tunnel(outbound, tmp_path, monkeypatch):
    public, context = certificate(tmp_path, "service.example")

    def script(peer):
        peer.request()
        peer.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
        peer.start_tls(context)
        answering(200)(peer)

    with serving(script) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:word@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(public))

        assert deliver(outbound, posting("https://service.example/path")) == OK
        assert proxy.requests[0].startswith(b"CONNECT service.example:443 HTTP/1.")
        assert headers(proxy.requests[0])["proxy-authorization"] == "Basic bWU6d29yZA=="
        assert proxy.requests[1].startswith(b"POST /path HTTP/1.1\r\n")
        assert "proxy-authorization" not in headers(proxy.requests[1])


def test_what_a_proxy_dropped_inside_its_tunnel_is_unknown(outbound, tmp_path, monkeypatch):
    public, context = certificate(tmp_path, "service.example")

    def script(peer):
        peer.request()
        peer.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
        peer.start_tls(context)
        peer.request()

    with serving(script) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(public))
        failed = failing(outbound, posting("https://service.example/path"))

    assert ended(failed) == ("unknown", "dropped", 1)


def refuse(peer):
    peer.request()
    peer.answer(407)


def hang(peer):
    peer.request()
    peer.hold()


@pytest.mark.parametrize(
    ("script", "reason"),
    [(refuse, "proxy"), (lambda peer: peer.request(), "proxy"), (hang, "timed_out_before")],
)
def test_a_proxy_that_opens_no_tunnel_is_not_sent(monkeypatch, script, reason):
    outbound = Outbound(attempt_seconds=0.4)
    with serving(script) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        failed = failing(outbound, posting("https://service.example/"), attempts=1)
    outbound.close()

    assert (failed.error.outcome, failed.error.reason) == ("not_sent", reason)


def test_a_proxy_that_speaks_tls_is_trusted_as_the_services_are(outbound, tmp_path, monkeypatch):
    public, context = certificate(tmp_path)

    def script(peer):
        peer.start_tls(context)
        refuse(peer)

    with serving(script) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(public))
        failing(outbound, posting("https://service.example/"), attempts=1)

    assert proxy.requests[0].startswith(b"CONNECT service.example:443 HTTP/1.")


@pytest.mark.parametrize(
    ("proxy", "reason"),
    [
        ("http://127.0.0.1:{closed}", "proxy"),
        ("127.0.0.1:{closed}", "proxy"),
        ("socks5://127.0.0.1:{closed}", "proxy"),
        ("socks5h://me:word@127.0.0.1:{closed}", "proxy"),
        ("socks://127.0.0.1:{closed}/", "proxy"),
        ("socks4://127.0.0.1:{closed}", "proxy_unusable"),
        ("ftp://127.0.0.1:{closed}", "proxy_unusable"),
        ("http://", "proxy_unusable"),
        ("http://[not-an-address", "proxy_unusable"),
        ("http://127.0.0.1:99999", "proxy_unusable"),
    ],
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_that_is_not_there_is_not_sent(outbound, monkeypatch, name, proxy, reason):
    monkeypatch.setenv(name, proxy.format(closed=closed_port()))

    failed = failing(outbound, posting("https://service.example/"), attempts=1)

    assert (failed.error.outcome, failed.error.reason) == ("not_sent", reason)


def test_a_socks_proxy_carries_plain_requests_and_looks_names_up_itself(outbound, monkeypatch):
    with serving(answering(200)) as server, proxying(lambda _: server.port) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"socks5://me:w%40rd@127.0.0.1:{proxy.port}")

        assert deliver(outbound, posting("http://service.invalid/path")) == OK
        assert proxy.asked == [("socks5", "service.invalid", 80)]
        assert proxy.credentials == ["me:w@rd"]
        assert server.requests[0].startswith(b"POST /path HTTP/1.1\r\n")


def test_a_socks_proxy_carries_tls_to_the_service(outbound, tmp_path, monkeypatch):
    public, context = certificate(tmp_path, "service.invalid")

    def script(peer):
        peer.start_tls(context)
        answering(200)(peer)

    with serving(script) as server, proxying(lambda _: server.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"socks5h://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("SSL_CERT_FILE", str(public))

        assert deliver(outbound, posting("https://service.invalid/path")) == OK
        assert proxy.asked == [("socks5", "service.invalid", 443)]


@pytest.mark.parametrize(
    ("says", "reason"),
    [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "proxy"), (b"\x05\xff", "proxy"), (b"", "proxy"),
     (b"\x05\x00\x05\x01\x00\x01\x00\x00\x00\x00\x00\x00", "proxy")],
    ids=["no SOCKS", "no method", "hangs up", "refuses"],
)  # fmt: skip
def test_a_socks_proxy_that_does_not_let_through_is_not_sent(outbound, monkeypatch, says, reason):
    def script(peer):
        peer.sock.recv(64)
        peer.say(says)

    with serving(script) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"socks5h://127.0.0.1:{proxy.port}")
        failed = failing(outbound, posting("https://service.invalid/"), attempts=1)

    assert (failed.error.outcome, failed.error.reason) == ("not_sent", reason)


def test_a_socks_proxy_that_drips_is_cut_at_the_deadline(monkeypatch):
    outbound = Outbound(attempt_seconds=0.5)
    with serving(lambda peer: peer.drip(b"\x05\x00" + b"\x05\x00\x00\x03\xff" * 50)) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"socks5h://127.0.0.1:{proxy.port}")
        failed = failing(outbound, posting("https://service.invalid/"), attempts=1)
        assert proxy.connections == 1
    outbound.close()

    assert (failed.error.outcome, failed.error.reason) == ("not_sent", "timed_out_before")


def test_a_changed_proxy_is_noticed_after_a_while(monkeypatch):
    routes = Routes(seconds=0.1)
    monkeypatch.setenv("HTTP_PROXY", "http://first.example")
    first = routes.to("http://service.example/a").proxy
    monkeypatch.setenv("HTTP_PROXY", "http://second.example")
    kept = routes.to("http://service.example/b").proxy
    time.sleep(0.15)
    noticed = routes.to("http://service.example/c").proxy

    assert [first, kept, noticed] == [
        "http://first.example:80",
        "http://first.example:80",
        "http://second.example:80",
    ]
