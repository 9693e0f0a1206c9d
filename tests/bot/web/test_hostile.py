"""What hostile, careless and merely unlucky callers tried on the HTTP surface."""

import contextlib
import http.client
import json
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from bot.runtime.pools import SIZES
from bot.web.body import idempotency_key
from bot.web.server import Limits
from core.callers import Caller
from core.ledger import Ledger
from tests.support.bot import Program
from tests.support.waiting import wait_for
from tests.support.web import received, served

QUICK = Limits(
    head_seconds=0.5, body_seconds=0.5, keep_alive_seconds=1, connections=4, read_seconds=0.5
)
CLOSING = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
LARGE = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def web(engine):
    with served(engine, limits=QUICK) as web:
        yield web


@pytest.mark.parametrize(
    "last", [b"", LARGE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")]
)
def test_callers_who_never_read_their_answers_do_not_keep_a_place(web, connect, last):
    for _ in range(QUICK.connections):
        connect(LARGE * 60 + last, receive_buffer=4096)
    wait_for(lambda: web.get("/actions/health").status == 200)
    wait_for(lambda: len(web.web._server.server_state.connections) == 0)


def test_an_answer_read_slowly_is_sent_to_its_end(web, connect):
    many = 30
    raw = connect(LARGE * (many - 1) + LARGE.replace(b"localhost", b"127.0.0.1"), 4096)
    answers = received(raw)
    assert answers.count(b"HTTP/1.1 200") == many


@contextlib.contextmanager
def held(home):
    """Another program's transaction on the ledger."""
    with contextlib.closing(sqlite3.connect(home / "levqor.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def asked(address, token, count):
    """Callers who have asked for a run each and wait."""
    body = json.dumps({"text": "Hello"})
    head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    callers = [http.client.HTTPConnection(*address, timeout=30) for _ in range(count)]
    for caller in callers:
        caller.request("POST", "/actions/slack.send", body, head)
    return callers


def told(callers):
    """Every caller's answer: status and body."""
    found = []
    for caller in callers:
        with contextlib.closing(caller), caller.getresponse() as answer:
            found.append((answer.status, json.loads(answer.read())))
    return found


def threads_of(pool):
    return [thread for thread in threading.enumerate() if thread.name.startswith(f"{pool}_")]


def test_a_ledger_that_another_program_holds_keeps_nobody_from_reading(engine, home):
    token = engine.ledger.token_new("ops", plan="pro", admin=True)
    with served(engine) as web:
        with held(home):
            callers = asked(web.address, token, SIZES["run"] + 6)
            wait_for(lambda: len(threads_of("levqor-run")) == SIZES["run"])
            for path in ("/ops/uptime", "/api/usage/summary", "/metrics"):
                assert web.get(path, token=token).status == 200
        # Who has waited for seconds by now was told to come later.
        assert {status for status, _ in told(callers)} <= {200, 503}


def listening(bot):
    bot.until("http: listening")
    port = bot.said.partition("http: listening on http://127.0.0.1:")[2].split()[0]
    return "127.0.0.1", int(port)


def test_idle_connections_do_not_take_the_last_file_a_process_may_open(home, sandbox):
    with Program(home, sandbox.settings(), "--http", "127.0.0.1:0", files=256) as bot:
        address = listening(bot)
        with contextlib.ExitStack() as idle:
            for _ in range(300):
                idle.enter_context(socket.create_connection(address, timeout=10))
            connection = http.client.HTTPConnection(*address, timeout=5)
            idle.callback(connection.close)
            connection.request("GET", "/actions/health")
            assert connection.getresponse().status == 200
        assert bot.terminate() == 0
    assert "Too many" not in bot.said


def test_where_no_file_can_be_opened_one_line_says_so(home, sandbox):
    """The bot alone has more than twenty files open: half of forty is too many more."""
    with Program(home, sandbox.settings(), "--http", "127.0.0.1:0", files=40) as bot:
        address = listening(bot)
        with contextlib.ExitStack() as idle:
            for _ in range(40):
                idle.enter_context(socket.create_connection(address, timeout=10))
            bot.until("Raise `ulimit -n`.")
            connection = http.client.HTTPConnection(*address, timeout=30)
            idle.callback(connection.close)
            connection.request("GET", "/actions/health")
            assert connection.getresponse().status == 200
        assert bot.terminate() == 0
    assert bot.said.count("Too many files are open") == 1
    assert "Traceback" not in bot.said


def test_a_small_limit_on_open_files_is_raised_as_far_as_it_may_be():
    script = """
import resource
from bot.app.process import raise_file_limit
for hard in (512, 256):
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    raise_file_limit()
    print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "512 512\n256 256\n"


def test_who_waits_for_a_held_ledger_is_answered_when_the_program_ends(home):
    with Ledger.open(home) as ledger:
        token = ledger.token_new("ops", plan="pro")
    with Program(home, {}, "--sandbox", "--http", "127.0.0.1:0") as bot:
        address = listening(bot)
        with held(home):
            callers = asked(address, token, SIZES["run"] + 6)
            time.sleep(1.0)  # all of them have arrived
            bot.terminate_soon()
            time.sleep(3.0)  # longer than answers are given to be written
        answers = told(callers)
        assert bot.wait() == 0
    assert {body["error"] for _, body in answers} <= {"busy", "upstream_error", "ledger_error"}
    assert {body["outcome"] for _, body in answers} == {"not_sent"}
    assert {body.get("retry_after") for _, body in answers if body["error"] == "busy"} == {15}
    assert "Too much is waiting" not in str(answers)


@pytest.mark.parametrize(
    "name",
    [
        "X_Forwarded_For", "Forwarded-For", "X-Forwarded-Ssl", "X-Forwarded-Client-Cert",
        "X-Original-URI", "X-Scheme", "X-Remote-Addr", "Client-IP", "CF-Principal",
        "X-Amzn-Trace-Id", "X-Envoy-Internal", "X-ARR-LOG-ID", "Ngrok-Trace-Id",
        "Tailscale-User-Name", "DO-Connecting-IP", "X-Azure-ClientIP", "X-Cloud-Trace-Context",
    ],
)  # fmt: skip
def test_whatever_a_proxy_or_tunnel_writes_makes_no_stranger_local(web, name):
    assert web.get("/actions/health", headers={name: "127.0.0.1"}).status == 401
    assert web.get("/actions/health", headers={"X-Request-Id": "127.0.0.1"}).status == 200


@pytest.mark.parametrize("version", ["1.0", "1.2", "0.9", "2.0"])
def test_a_proxy_that_says_nothing_but_its_http_makes_no_stranger_local(web, connect, version):
    token = web.bot.engine.ledger.token_new("ops")
    page = f"GET /actions/health HTTP/{version}\r\nHost: 127.0.0.1:8787\r\nConnection: close\r\n"
    assert received(connect(f"{page}\r\n".encode())).startswith(b"HTTP/1.1 401")
    known = f"{page}Authorization: Bearer {token}\r\n\r\n"
    assert received(connect(known.encode())).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("LOCALHOST.:8787", 200),
        ("[::1]", 200),
        ("[::1]:", 200),
        ("[::1]evil.example.com", 401),
        ("[::1%lo]:8787", 401),
        ("localhost:evil", 401),
        ("localhost:80:80", 401),
        ("localhost:8787, evil.example.com", 401),
        ("127.0.0.1.nip.io", 401),
        ("ann@localhost", 401),
    ],
)
def test_only_a_whole_loopback_host_is_local(web, host, status):
    assert web.get("/actions/health", headers={"Host": host}).status == status


@pytest.mark.parametrize(
    ("version", "lengths"),
    [
        ("1.1", "Content-Length: 4\r\nTransfer-Encoding: chunked"),
        ("1.1", "Transfer-Encoding: chunked\r\nContent-Length: 4"),
        ("1.0", "Connection: keep-alive\r\nTransfer-Encoding: chunked"),
    ],
)
def test_a_request_with_two_ends_is_refused_and_nothing_after_it_is_heard(
    web, connect, sandbox, version, lengths
):
    smuggled = "GET /actions/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = received(
        connect(
            f"POST /actions/slack.send HTTP/{version}\r\nHost: localhost\r\n"
            f"Content-Type: application/json\r\n{lengths}\r\n\r\n"
            f'11\r\n{{"text": "Hello"}}\r\n0\r\n\r\n{smuggled}'.encode()
        )
    )
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 400")
    assert sandbox.slack.received == []


@pytest.mark.parametrize("column", ["Tags", "Files", "Owner", "Due"])
def test_a_column_of_blanks_is_refused_at_once(engine, sandbox, column):
    blanks = f"a{' ' * 261_000}b"
    with served(engine) as web:
        began = time.process_time()
        answer = web.post("/actions/notion.create", {"props": {"title": "x", column: blanks}})
        spent = time.process_time() - began

    assert answer.status == 400
    assert [one["field"] for one in answer.json()["details"]] == [f"props.{column}"]
    assert sandbox.notion.writes == []
    assert spent < 5  # patterns that went back and forth took two minutes


def test_a_parameter_that_is_given_twice_sends_nothing(web, sandbox):
    reply = web.post("/actions/slack.send?test=1&test=0", {"text": "Hello"})
    assert reply.status == 400
    assert sandbox.slack.received == []


def test_no_callers_key_can_be_written_as_anothers():
    network = Caller("http", "fd00:1:2:3::/64", known=False)
    label = Caller("http", "fd00")
    mine = idempotency_key({"idempotency-key": "pay"}, network)
    assert idempotency_key({"idempotency-key": "1:2:3::/64:pay"}, label) != mine
    assert idempotency_key({"idempotency-key": "1:2:3::/64 pay"}, label) != mine


def test_a_stranger_is_not_told_where_a_broken_ledger_lies(web, home):
    token = web.bot.engine.ledger.token_new("ops")
    (home / "levqor.db").rename(home / "moved.db")
    near = web.get("/api/usage/summary", token=token)
    far = web.get("/api/usage/summary", token=token, headers={"Host": "levqor.example.com"})
    (home / "moved.db").rename(home / "levqor.db")
    assert near.status == far.status == 503
    assert str(home) in near.json()["message"]
    assert far.json()["error"] == "ledger_error"
    assert str(home) not in far.body.decode()
