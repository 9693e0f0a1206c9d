"""Ordinary environments: each program serves, or says in one sentence what is wrong.

Real processes, loopback services, a real SOCKS and CONNECT proxy.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request

import pytest

from tests.support.bot import ROOT, Program
from tests.support.nonsense import NONSENSE
from tests.support.proxies import NETWORK, proxying
from tests.support.rawserver import certificate, closed_port
from tests.support.sandbox import Answer
from tests.support.waiting import wait_for

AWAY = "https://telegram.invalid"
CANNOT_REACH = "telegram: cannot reach Telegram"
TAKES = "telegram: takes messages as @levqor_sandbox_bot"
SLACK = "slack: connected (Socket Mode)"
LISTENS = "http: listening on http://127.0.0.1:"
NO_PROXY = "telegram: {name} names a proxy that Levqor cannot use"
NO_TRUST = "telegram: {name} names certificates that cannot be read"

# What is set, and what the bot says of Telegram, which lives elsewhere.
LEADS_AWAY = {
    "socks5h, nobody there": ({"ALL_PROXY": "socks5h://127.0.0.1:{closed}"}, CANNOT_REACH),
    "socks, nobody there": ({"ALL_PROXY": "socks://127.0.0.1:{closed}/"}, CANNOT_REACH),
    "credentials": ({"HTTPS_PROXY": "http://me:p%40ss@127.0.0.1:{closed}"}, CANNOT_REACH),
    "no scheme": ({"https_proxy": "127.0.0.1:{closed}"}, CANNOT_REACH),
    "ftp": ({"HTTPS_PROXY": "ftp://127.0.0.1"}, NO_PROXY.format(name="HTTPS_PROXY")),
    "socks4": ({"all_proxy": "socks4://127.0.0.1"}, NO_PROXY.format(name="all_proxy")),
    "a port of nonsense": ({"ALL_PROXY": "http://a:99999"}, NO_PROXY.format(name="ALL_PROXY")),
    "a bracket": ({"HTTPS_PROXY": "http://[::1"}, NO_PROXY.format(name="HTTPS_PROXY")),
    "odd exceptions": (
        {"HTTPS_PROXY": "http://127.0.0.1:{closed}", "NO_PROXY": "[::1],10.0.0.0/8,[,%"},
        CANNOT_REACH,
    ),
    **{
        name: ({name: "/nonexistent"}, NO_TRUST.format(name=name))
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    },
}
# What is set, for a Telegram that is here.
ORDINARY = {
    "a proxy for everything": {"HTTP_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "socks5h://a:9"},
    "broken proxies, missing certificates, a key log nobody can write": {
        "HTTP_PROXY": "ftp://a",
        "ALL_PROXY": "://",
        "NO_PROXY": "[::1],10.0.0.0/8",
        "SSL_CERT_FILE": "/nonexistent",
        "SSL_CERT_DIR": "/nonexistent",
        "SSLKEYLOGFILE": "/nonexistent/keys",
    },
    "no UTF-8": {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0"},
    "a locale, a time zone and a home that are not there": {
        "LC_ALL": "xx",
        "LANG": "xx_YY.ZZ",
        "TZ": "Mars/Olympus",
        "HOME": "",
    },
    "a dumb terminal": {"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "0", "LINES": "-1"},
    "one column, and warnings are errors": {
        "COLUMNS": "1",
        "TERM": "",
        "PYTHONWARNINGS": "error",
    },
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in NETWORK:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def here(sandbox):
    """The environment that leads to the sandbox, over a socket for Slack."""
    return {**sandbox.settings(), **sandbox.slack.socket_settings(), "LEVQOR_DEFAULT_PLAN": "pro"}


def set_up(chosen):
    return {name: text.format(closed=closed_port()) for name, text in chosen.items()}


def ran(home, environ, *command, stdin=""):
    """Run a program to its end; its status, what it printed, and what it said."""
    module, *args = command
    done = subprocess.run(
        [sys.executable, "-m", module, "--home", str(home), *args],
        env={**os.environ, **environ}, cwd=ROOT, capture_output=True, timeout=60, check=False,
        input=stdin.encode(),
    )  # fmt: skip
    said = done.stderr.decode("utf-8", "replace")
    assert "Traceback" not in said
    return done.returncode, done.stdout.decode("utf-8", "replace"), said


def sent(port):
    """Send an e-mail over HTTP; the answer's status word."""
    body = {"to": "delivered@resend.dev", "subject": "hi", "text": "hi"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/actions/email.send",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        return json.load(answer)["status"]


def serves(home, environ, *words):
    """Start the bot, wait until it says all of it, send one over HTTP, and end it in order."""
    with Program(home, environ, "--http", "127.0.0.1:0") as bot:
        for each in (LISTENS, *words):
            bot.until(each, 40)
        assert sent(int(re.findall(rf"{LISTENS}(\d+)", bot.said)[0])) == "sent"
        assert bot.terminate() == 0
    assert "Traceback" not in bot.said
    return bot.said


@pytest.mark.parametrize("name", LEADS_AWAY)
def test_the_bot_serves_while_telegram_cannot_be_reached(home, here, name):
    chosen, words = LEADS_AWAY[name]
    serves(home, {**here, "TELEGRAM_API_URL": AWAY, **set_up(chosen)}, words, SLACK)


@pytest.mark.parametrize("name", LEADS_AWAY)
def test_the_check_and_health_say_the_same_and_go_on(home, here, name):
    chosen, words = LEADS_AWAY[name]
    environ = {**here, "TELEGRAM_API_URL": AWAY, **set_up(chosen)}
    about = words.partition(": ")[2]

    status, checked, _ = ran(home, environ, "bot.app", "check")
    found = f"Telegram: {about}." if about.endswith(("use", "read")) else "cannot be reached."
    assert status == 1
    assert found in checked
    assert "SLACK_APP_TOKEN is good" in checked

    status, report, _ = ran(home, environ, "core.cli", "health", "--live", "--output", "json")
    verdicts = {name: each["verdict"] for name, each in json.loads(report)["detail"].items()}
    assert status == 1
    assert verdicts.pop("telegram") == "unreachable"
    assert set(verdicts.values()) <= {"ok", "attention"}


@pytest.mark.parametrize("name", ORDINARY)
def test_every_program_serves_in_an_ordinary_environment(home, here, name):
    environ = {**here, **set_up(ORDINARY[name])}
    serves(home, environ, TAKES, SLACK)
    text = "grüße 日本"
    assert ran(home, environ, "core.cli", "run", "slack.send", text)[0] == 0
    assert ran(home, environ, "core.cli", "health", "--live")[0] == 0
    assert ran(home, environ, "bot.app", "check")[0] == 0
    assert ran(home, {**environ, "LEVQOR_TELEGRAM": "off", "SLACK_APP_TOKEN": ""}, "bot.app",
               "--console", "--no-http", stdin="/help\n")[0] == 0  # fmt: skip
    assert ran(home, environ, "core.cli", "--sandbox", "smoke")[0] == 0


@pytest.mark.parametrize(
    ("scheme", "host"), [("http", "127.0.0.1"), ("http", "localhost"), ("socks5h", "localhost")]
)
def test_this_computer_is_never_reached_through_a_proxy(home, here, scheme, host):
    environ = {
        name: re.sub(r"^http://127\.0\.0\.1:", f"http://{host}:", value)
        for name, value in here.items()
    }
    with proxying(lambda _: 9) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            environ[name] = f"{scheme}://127.0.0.1:{proxy.port}"
        serves(home, environ, TAKES, SLACK)
        assert ran(home, environ, "bot.app", "check")[0] == 0
        assert ran(home, environ, "core.cli", "health", "--live")[0] == 0

        assert proxy.connections == 0


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_everything_goes_through_a_proxy_that_works(home, here, sandbox, tmp_path, scheme):
    public, context = certificate(tmp_path, "*.up.example")
    address = sandbox.telegram.url.partition("//")[2].partition("/")[0]
    port = int(address.rpartition(":")[2])
    environ = {
        name: value.replace(f"http://{address}", f"https://{name[:3].lower()}.up.example")
        if name.endswith("_API_URL")
        else value
        for name, value in here.items()
    }
    ticket = sandbox.slack.socket_url().partition("://")[2].partition("/")[2]
    far = Answer(json={"ok": True, "url": f"wss://wss.up.example/{ticket}"})
    sandbox.slack.next(far, on="apps.connections.open")
    with proxying(lambda _: port, context) as proxy:
        environ["SSL_CERT_FILE"] = str(public)
        environ["ALL_PROXY"] = f"{scheme}://me:p%40ss@127.0.0.1:{proxy.port}"
        serves(home, environ, TAKES, SLACK)

        assert {
            "tel.up.example",
            "sla.up.example",
            "wss.up.example",
            "res.up.example",
        } <= proxy.hosts
        assert {kind for kind, _, _ in proxy.asked} == {"connect" if scheme == "http" else "socks5"}
        assert set(proxy.credentials) == {"me:p@ss"}
        assert ran(home, environ, "bot.app", "check")[0] == 0


@pytest.mark.parametrize("name", ["ok alone", "a word", "an empty result", "a page"])
def test_the_bot_serves_while_both_platforms_answer_nonsense(home, here, sandbox, name):
    sandbox.telegram.always(NONSENSE[name], on="getMe")
    sandbox.slack.always(NONSENSE[name], on="auth.test")
    said = serves(home, here, "telegram: ", "slack: ")
    sentences = re.findall(r"(?m)^(telegram|slack): (.*)$", said)
    assert {surface for surface, _ in sentences} == {"telegram", "slack"}
    assert all("Levqor keeps trying" in one or "trying again" in one for _, one in sentences)

    status, checked, _ = ran(home, here, "bot.app", "check")
    assert status == 1
    assert checked.count("wrong") == 2


@pytest.mark.parametrize("proxied", [False, True], ids=["direct", "through a proxy"])
@pytest.mark.parametrize(
    "host",
    ["xn--.invalid", "a..invalid", f"{'a' * 64}.invalid", "-a_b.invalid", "%61.invalid"],
)
def test_a_strange_host_is_refused_or_cannot_be_reached(home, here, host, proxied):
    names = ("TELEGRAM_API_URL", "SLACK_API_URL", "RESEND_API_URL")
    environ = {**here, **dict.fromkeys(names, f"https://{host}/api/")}
    if proxied:
        environ["ALL_PROXY"] = f"http://127.0.0.1:{closed_port()}"
    status, out, said = ran(home, environ, "bot.app", "check")
    assert status in (1, 3), said
    assert "mistake" not in out + said
    status, out, said = ran(home, environ, "core.cli", "health", "--live", "--output", "json")
    assert status in (1, 3), said
    assert "mistake" not in out + said


def test_a_tray_without_a_desktop_says_so_in_every_environment(home, here):
    for chosen in ({"HOME": ""}, {"SSLKEYLOGFILE": "/nonexistent/k"}, {"LC_ALL": "xx"}):
        environ = {**here, **chosen, "DISPLAY": "", "WAYLAND_DISPLAY": ""}
        status, _, said = ran(home, environ, "tray.app", "--wait", "0")
        assert status == 3
        assert "Start levqor-tray inside your desktop session" in said


def test_waits_end_once_the_platform_answers_again(home, here, sandbox):
    sandbox.telegram.next(NONSENSE["ok alone"], on="getMe")
    sandbox.slack.next(NONSENSE["ok alone"], on="auth.test")
    with Program(home, here, "--no-http") as bot:
        bot.until(TAKES, 40)
        bot.until(SLACK, 40)
        wait_for(lambda: bot.running)
        assert bot.terminate() == 0
