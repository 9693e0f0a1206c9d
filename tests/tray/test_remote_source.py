"""The remote source: a Levqor elsewhere over HTTP, asked with a token that goes nowhere else."""

from __future__ import annotations

import datetime as dt
import json
import os
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.network import Network
from core.scopes import Scope
from tests.bot.web.pages.conftest import Visitor
from tests.support.proxies import proxying
from tests.support.rawserver import certificate, closed_port
from tests.support.tray_states import REPORT
from tests.support.web import served
from tray.source import SourceError
from tray.source.remote import Remote

# What is said of an answer that no Levqor gave.
STRANGE = " answers, but not as Levqor does"


@contextmanager
def server(status=200, body=b"{}", headers=(), tls=None, *, drop=False):
    """A server that answers so; what it was asked, with which token."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.command, self.path, self.headers.get("Authorization")))
            if drop:
                self.connection.close()
                return
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_):
            # A client that left in the middle of a handshake is the subject here.
            pass

    with Quiet(("127.0.0.1", 0), Handler) as listening:
        if tls:
            listening.socket = tls.wrap_socket(listening.socket, server_side=True)
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            scheme = "https" if tls else "http"
            yield f"{scheme}://127.0.0.1:{listening.server_port}", asked
        finally:
            listening.shutdown()
            thread.join()


@contextmanager
def remote(url, environ=None):
    source = Remote(url, "lvq_token", Network(environ or {}))
    try:
        yield source
    finally:
        source.close()


def test_a_remote_is_asked_with_the_token():
    with server(body=json.dumps(REPORT).encode()) as (url, asked), remote(url) as source:
        assert len(source.health().connectors) == 2
        assert source.info.words == f"Levqor at {url.removeprefix('http://')}"

    assert asked == [("GET", "/actions/health?live=1", "Bearer lvq_token")]


def test_a_remote_tells_each_connectors_newest_runs():
    last = {"run": "r3", "action": "chalk.write", "outcome": "refused", "message": "Full."}
    report = {**REPORT, "detail": {"chalk": {"last_failure": last}}}
    with server(body=json.dumps(report).encode()) as (url, _), remote(url) as source:
        assert source.runs() == ()
        source.health()
        (run,) = source.runs()

    assert (run.run, run.action, run.outcome, run.words) == (
        "r3",
        "chalk.write",
        "refused",
        "Full.",
    )


def test_a_remote_tells_the_runs_that_its_token_sees():
    run = {"run": "r3", "action": "chalk.write", "state": "unknown", "at": "2026-11-01T09:00:00Z"}
    with server(body=json.dumps({"runs": [run, 7, {}]}).encode()) as (url, asked):
        with remote(url) as source:
            (found,) = source.own_runs()
        assert (found.run, found.action, found.outcome) == ("r3", "chalk.write", "unknown")
        assert asked == [("GET", "/api/runs?last=5", "Bearer lvq_token")]
    with server(403, b'{"error": "forbidden"}') as (url, _), remote(url) as source:
        assert source.own_runs() == ()


# What a remote says of its console, and where it is from here; None: its own address.
CONSOLES = {
    "https://levqor.example.com": "https://levqor.example.com",
    "http://127.0.0.1:8787": None,
    "http://levqor.example.com": "",
    "javascript:alert(1)": "",
    "https://levqor.example.com/'><script>": "",
    "": "",
}


@pytest.mark.parametrize("said", CONSOLES)
def test_the_console_of_a_remote_is_opened_by_a_safe_address_alone(said):
    body = json.dumps({**REPORT, "console": said}).encode()
    with server(body=body) as (url, _), remote(url) as source:
        found = source.health().console
        expected = url if CONSOLES[said] is None else CONSOLES[said]
        assert (found or "") == expected
        if found:
            assert source.console_link("/runs/r3") == f"{expected}/runs/r3"
            assert source.console_link("/runs/'x") == f"{expected}/runs/%27x"
        else:
            with pytest.raises(SourceError, match="No bot shows the web console"):
                source.console_link("/")


def test_a_token_whose_scope_is_too_narrow_is_told_what_the_remote_says():
    body = {"error": "forbidden", "reason": "scope", "fix": "Make one with: --only live"}
    with server(403, json.dumps(body).encode()) as (url, _), remote(url) as source:
        with pytest.raises(SourceError, match="refuses the token") as caught:
            source.health()
        assert caught.value.fault.fix == "Make one with: --only live"


def test_without_a_token_none_is_sent_and_a_phone_is_paired_where_the_bot_runs():
    with server(body=json.dumps(REPORT).encode()) as (url, asked):
        source = Remote(url, None, Network({}))
        assert source.health().connectors
        with pytest.raises(SourceError, match="A phone is paired on the computer that runs"):
            source.pair()
        assert source.settings() is None
        source.close()
    assert asked == [("GET", "/actions/health?live=1", None)]


def test_what_a_far_remote_calls_this_computer_is_not_opened():
    with remote("https://levqor.example.com") as source:
        assert source._reached("http://127.0.0.1:8787") is None


@pytest.mark.parametrize(("only", "signs_in"), [("*,live,open", True), ("*,live", False)])
def test_a_token_that_may_is_signed_in_to_the_console_of_its_remote(engine, only, signs_in):
    with served(engine) as web:
        token = engine.ledger.token_new("tray", scope=Scope.of(only))
        source = Remote(f"{web.url}/", token, Network({}))
        told = source.test("slack.send")
        assert source.health().console == web.url
        assert [run.run for run in source.own_runs()] == [told.run]
        where = source.console_link(f"/runs/{told.run}").removeprefix(web.url)
        source.close()
        visitor = Visitor(web)
        if signs_in:
            assert visitor.post(where).headers["location"] == f"/runs/{told.run}"
            assert told.run in visitor.read(f"/runs/{told.run}")
            assert Visitor(web).post(where).status == 404
        else:
            assert where == f"/runs/{told.run}"
            assert visitor.get(where).status == 401


@pytest.mark.parametrize("link", ["https://evil.example/sign-in/x", "javascript:alert(1)", 7])
def test_a_sign_in_link_that_leads_elsewhere_is_not_opened(link):
    body = json.dumps({**REPORT, "console": "https://levqor.example.com", "link": link}).encode()
    with server(body=body) as (url, asked), remote(url) as source:
        source.health()
        assert source.console_link("/send") == "https://levqor.example.com/send"
    assert asked[-1] == ("POST", "/api/sign-in?page=/send", "Bearer lvq_token")


def test_a_test_send_goes_through_the_remote():
    body = b'{"status": "sent", "run": "r9"}'
    with server(body=body) as (url, asked), remote(url) as source:
        told = source.test("chalk.write")

    assert (told.outcome, told.run) == ("sent", "r9")
    assert asked == [("POST", "/actions/chalk.write?test=1", "Bearer lvq_token")]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b'{"error": "unauthorized"}', " refuses the token"),
        (403, b"{}", " refuses the token"),
        (503, b'{"error": "ledger_error", "message": "It is full."}', "It is full."),
        (200, b"<html>", STRANGE),
        (500, b"{}", STRANGE),
        (200, b"[1]", STRANGE),
        (200, b'"' + b"x" * 2_000_000 + b'"', STRANGE),
    ],
)
def test_each_trouble_of_a_remote_is_its_own(status, body, words):
    with (
        server(status, body) as (url, _),
        remote(url) as source,
        pytest.raises(SourceError) as caught,
    ):
        source.health()

    assert caught.value.fault.words.endswith(words)


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>Log in"), (502, b"<html>Bad gateway"), (302, b""), (404, b'{"status": "no"}')],
)
def test_a_test_send_that_another_program_answered_is_in_doubt_and_not_sent(status, body):
    with server(status, body) as (url, _), remote(url) as source:
        told = source.test("chalk.write")

    assert told.outcome == "unknown"
    assert told.words.startswith("It may or may not have been sent. 127.0.0.1:")
    assert told.words.endswith(STRANGE)


def test_a_server_without_https_is_not_taken_for_a_bad_certificate():
    with (
        server(body=json.dumps(REPORT).encode()) as (url, _),
        remote(url.replace("http:", "https:")) as source,
        pytest.raises(SourceError) as caught,
    ):
        source.health()

    assert caught.value.fault.words == f"{url.removeprefix('http://')} does not use https"


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https://[::1",
        "https://desk.example:99999",
        "https://desk.example:port",
        "https://desk.example/?a=1",
        "https://desk.example/#a",
        "desk.example",
        "ftp://desk.example",
    ],
)
def test_what_is_no_address_of_a_levqor_is_refused_at_once(url):
    with pytest.raises(ValueError, match=r"--remote takes an address like https://levqor"):
        Remote(url, "lvq_token", Network({}))


@pytest.mark.parametrize("token", ["lvq_tok→n", "lvq_to\nken", "lvq_tök"])
def test_a_token_that_cannot_be_one_is_refused_at_once(token):
    with pytest.raises(ValueError, match="LEVQOR_REMOTE_TOKEN has characters that no token has"):
        Remote("https://desk.example", token, Network({}))


def test_a_redirect_is_not_followed_with_the_token():
    with server(body=json.dumps(REPORT).encode()) as (elsewhere, asked):
        headers = [("Location", f"{elsewhere}/actions/health?live=1")]
        with (
            server(302, headers=headers) as (url, _),
            remote(url) as source,
            pytest.raises(SourceError) as caught,
        ):
            source.health()

    assert caught.value.fault.words.endswith(STRANGE)
    assert asked == []


def test_nobody_there_means_not_sent():
    with server() as (url, _):
        pass
    with remote(url) as source:
        told = source.test("chalk.write")
        with pytest.raises(SourceError) as caught:
            source.health()

    assert told.outcome == "not_sent"
    assert caught.value.fault.words.endswith(" cannot be reached")


def test_a_connection_cut_half_way_means_unknown():
    with server(drop=True) as (url, _), remote(url) as source:
        told = source.test("chalk.write")

    assert told.outcome == "unknown"
    assert told.words.startswith("It may or may not have been sent.")


def test_a_certificate_nobody_vouches_for_is_never_accepted(tmp_path):
    with server(tls=self_signed(tmp_path)) as (url, asked), remote(url) as source:
        with pytest.raises(SourceError) as caught:
            source.health()
        told = source.test("chalk.write")

    assert caught.value.fault.words.startswith("The certificate of ")
    assert told.outcome == "not_sent"
    assert asked == []


@pytest.mark.parametrize("url", ["http://desk.example", "https://a:b@desk.example"])
def test_an_address_that_would_leak_the_token_is_refused(url):
    with pytest.raises(ValueError, match="--remote"):
        Remote(url, "lvq_token", Network({}))


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"ALL_PROXY": "ftp://a"}, "ALL_PROXY names a proxy that Levqor cannot use"),
        ({"HTTPS_PROXY": "socks4://a"}, "HTTPS_PROXY names a proxy that Levqor cannot use"),
        ({"SSL_CERT_FILE": "/nowhere.pem"}, "SSL_CERT_FILE names certificates that cannot be read"),
        ({"SSL_CERT_FILE": __file__}, "SSL_CERT_FILE names certificates that cannot be read"),
        (
            {"HTTPS_PROXY": "http://127.0.0.1:{closed}"},
            "desk.invalid cannot be reached through the proxy",
        ),
        ({"ALL_PROXY": "socks5h://127.0.0.1:{closed}"}, "desk.invalid cannot be reached"),
    ],
)
def test_an_environment_that_leads_nowhere_is_said_and_nothing_was_sent(environ, words):
    there = {name: value.format(closed=closed_port()) for name, value in environ.items()}
    with remote("https://desk.invalid", there) as source:
        told = source.test("chalk.write")
        with pytest.raises(SourceError) as caught:
            source.health()

    assert caught.value.fault.words == words
    assert caught.value.fault.fix
    assert told.outcome == "not_sent"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_computer_is_asked_directly_whatever_the_environment_says(host, monkeypatch):
    with (
        server(body=json.dumps(REPORT).encode()) as (url, asked),
        proxying(lambda _: 0) as proxy,
    ):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        with remote(url.replace("127.0.0.1", host), dict(os.environ)) as source:
            source.health()

        assert len(asked) == 1
        assert proxy.connections == 0


def test_another_computer_is_asked_through_a_socks_proxy(tmp_path):
    public, context = certificate(tmp_path, "desk.invalid")
    with (
        server(body=json.dumps(REPORT).encode()) as (url, asked),
        proxying(lambda _: urlsplit(url).port, context) as proxy,
    ):
        environ = {"ALL_PROXY": f"socks5h://127.0.0.1:{proxy.port}", "SSL_CERT_FILE": str(public)}
        with remote("https://desk.invalid", environ) as source:
            source.health()

        assert proxy.asked == [("socks5", "desk.invalid", 443)]
        assert len(asked) == 1


def self_signed(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "made.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
