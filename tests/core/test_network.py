"""One reading of the proxy variables and the certificates, for every HTTP client."""

from __future__ import annotations

import os
import stat

import pytest

from core.network import Network, NoRoute, drop_key_log, loopback

SERVICE = "https://api.service.example/path"


def url(environ, address=SERVICE):
    found = Network(environ).proxy(address)
    return found and found.url


@pytest.mark.parametrize(
    ("written", "proxy"),
    [
        ("http://proxy.corp:3128", "http://proxy.corp:3128"),
        ("proxy.corp:3128", "http://proxy.corp:3128"),
        ("proxy.corp", "http://proxy.corp:80"),
        ("http://proxy.corp:3128/", "http://proxy.corp:3128"),
        ("HTTP://Proxy.Corp:3128", "http://proxy.corp:3128"),
        ("https://proxy.corp", "https://proxy.corp:443"),
        ("socks5://10.0.0.1", "socks5h://10.0.0.1:1080"),
        ("socks5h://10.0.0.1:9050", "socks5h://10.0.0.1:9050"),
        ("socks://localhost:1080/", "socks5h://localhost:1080"),
        ("http://[fe80::1]:3128", "http://[fe80::1]:3128"),
        ("http://me:word@proxy.corp:3128", "http://me:word@proxy.corp:3128"),
        ("http://me:p%40ss%3A@proxy.corp:3128", "http://me:p%40ss%3A@proxy.corp:3128"),
        ("http://me:p@ss@proxy.corp:3128", "http://me:p%40ss@proxy.corp:3128"),
        ("http://me@proxy.corp:3128", "http://me:@proxy.corp:3128"),
    ],
)
def test_a_proxy_is_read_the_same_for_every_client(written, proxy):
    assert url({"HTTPS_PROXY": written}) == proxy


@pytest.mark.parametrize(
    "written",
    [
        "ftp://proxy.corp",
        "socks4://proxy.corp",
        "socks4a://proxy.corp:1080",
        "http://",
        "http://:3128",
        "http://proxy.corp:99999",
        "http://proxy.corp:0",
        "http://proxy.corp:abc",
        "http://[::1",
        "http://[not-an-address]:1",
        "http://pro xy.corp",
        "http://me:p#ss@proxy.corp:3128",
        "http://proxy.corp?x=1",
        "http://me:a%0d%0ab@proxy.corp",
        f"socks5h://me:{'p' * 256}@proxy.corp",
        "http://münchen.example:3128",
        "://",
    ],
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_no_use_is_refused_with_its_name_and_without_its_value(name, written):
    with pytest.raises(NoRoute) as refused:
        url({name: written})

    assert refused.value.reason == "proxy_unusable"
    assert refused.value.words == f"{name} names a proxy that Levqor cannot use"
    assert f"Write {name} as http://HOST:PORT or socks5h://HOST:PORT" in refused.value.fix


@pytest.mark.parametrize(
    ("environ", "address", "proxy"),
    [
        ({}, SERVICE, None),
        ({"HTTPS_PROXY": " "}, SERVICE, None),
        ({"HTTP_PROXY": "http://a:1"}, SERVICE, None),
        ({"HTTP_PROXY": "ftp://a:1"}, SERVICE, None),
        ({"HTTPS_PROXY": "http://a:1", "ALL_PROXY": "ftp://b"}, SERVICE, "http://a:1"),
        ({"ALL_PROXY": "http://b:1"}, SERVICE, "http://b:1"),
        ({"HTTPS_PROXY": "http://a:1", "https_proxy": "http://b:1"}, SERVICE, "http://b:1"),
        ({"HTTPS_PROXY": "http://a:1", "https_proxy": ""}, SERVICE, None),
        ({"HTTPS_PROXY": "http://a:1"}, "wss://service.example/link", "http://a:1"),
        ({"HTTP_PROXY": "http://a:1"}, "ws://service.example/link", "http://a:1"),
    ],
)
def test_the_proxy_of_a_scheme_comes_first_and_small_letters_count(environ, address, proxy):
    assert url(environ, address) == proxy


@pytest.mark.parametrize(
    ("spared", "address", "direct"),
    [
        ("service.example", "https://service.example", True),
        ("service.example", "https://api.service.example", True),
        (".service.example", "https://api.service.example", True),
        ("*.service.example", "https://api.service.example", True),
        ("SERVICE.example.", "https://api.Service.example", True),
        ("service.example", "https://myservice.example", False),
        ("a.example, service.example", "https://service.example", True),
        ("a.example service.example", "https://service.example", True),
        ("service.example:443", "https://service.example", True),
        ("service.example:8443", "https://service.example", False),
        ("service.example:8443", "https://service.example:8443", True),
        ("*", "https://service.example", True),
        ("[::1],10.0.0.0/8", "https://10.1.2.3", True),
        ("[::1],10.0.0.0/8", "https://11.1.2.3", False),
        ("10.0.0.0/8", "https://10.example", False),
        ("[2001:db8::1]", "https://[2001:db8::1]", True),
        ("[2001:db8::1]:443", "https://[2001:db8::1]", True),
        ("2001:db8::/32", "https://[2001:db8::9]", True),
        ("10.0.0.1", "https://10.0.0.1", True),
        ("10.0.0.0/99,[,],[::1,:::,%", "https://service.example", False),
        ("", "https://service.example", False),
    ],
)
def test_who_is_spared_the_proxy(spared, address, direct):
    found = url({"HTTPS_PROXY": "http://a:1", "NO_PROXY": spared}, address)

    assert found == (None if direct else "http://a:1")


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("[::1]", True),
        ("localhost", True),
        ("LocalHost.", True),
        ("sandbox.localhost", True),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("10.0.0.1", False),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https", "ws", "wss"])
def test_this_computer_is_never_reached_through_a_proxy(scheme, host, here):
    environ = {"ALL_PROXY": "http://a:1"}

    assert url(environ, f"{scheme}://{host}:8000/path") == (None if here else "http://a:1")


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.0.0.9", True),
        ("::1", True),
        ("foo.localhost", False),
        ("10.0.0.1", False),
        (None, False),
    ],
)
def test_what_can_only_be_this_computer_needs_no_https(host, here):
    # A name below localhost is looked up, and may be found elsewhere.
    assert loopback(host) is here


def test_not_even_a_proxy_of_no_use_is_looked_at_for_this_computer():
    assert url({"ALL_PROXY": "ftp://a"}, "http://localhost:8787") is None


@pytest.mark.parametrize(
    "name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"]
)
@pytest.mark.parametrize("kind", ["missing", "nonsense"])
def test_certificates_that_cannot_be_read_are_named(name, kind, tmp_path):
    file = tmp_path / "certificates.pem"
    if kind == "nonsense":
        file.write_text("no certificate")
    with pytest.raises(NoRoute) as refused:
        Network({name: str(file)}).context()

    assert refused.value.reason == "ca_missing"
    assert refused.value.words == f"{name} names certificates that cannot be read"


def test_where_none_is_named_a_clients_own_certificates_stay():
    assert Network({}).context() is None
    assert Network({"SSL_CERT_FILE": ""}).certificates() is None


def test_a_key_log_that_cannot_be_written_is_dropped_and_said(tmp_path):
    environ = {"SSLKEYLOGFILE": str(tmp_path / "missing" / "keys.log")}

    said = drop_key_log(environ)

    assert said == "SSLKEYLOGFILE names a file that cannot be written; it is ignored."
    assert environ == {}


def test_a_key_log_that_can_be_written_stays(tmp_path):
    environ = {"SSLKEYLOGFILE": str(tmp_path / "keys.log")}

    assert drop_key_log(environ) is None
    assert environ == {"SSLKEYLOGFILE": str(tmp_path / "keys.log")}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_certificates_of_another_user_are_named(tmp_path):
    file = tmp_path / "certificates.pem"
    file.write_text("")
    file.chmod(stat.S_IWUSR)
    with pytest.raises(NoRoute, match="SSL_CERT_FILE names certificates"):
        Network({"SSL_CERT_FILE": str(file)}).certificates()
