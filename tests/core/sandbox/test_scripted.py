"""Scripted answers in place of the services' own."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from core.sandbox import service
from tests.support.sandbox import Answer, Delay, Drip, DropAfter, DropBefore, Hang, Huge


@pytest.fixture
def hook(sandbox):
    return sandbox.settings()["SLACK_WEBHOOK_URL"]


def post(url, text="hello", timeout=5.0):
    return requests.post(url, json={"text": text}, timeout=timeout)


def test_scripted_answers_come_in_order_and_then_the_real_one(sandbox, hook):
    sandbox.slack.next(Answer(404, "no_service"), Answer(429, headers={"Retry-After": "1"}))
    answers = [post(hook) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [404, 429, 200]
    assert answers[0].text == "no_service"
    assert answers[1].headers["Retry-After"] == "1"
    assert [request.done for request in sandbox.slack.received] == [False, False, True]


def test_an_answer_may_be_for_one_kind_of_call(sandbox, hook):
    api = sandbox.settings()["SLACK_API_URL"]
    sandbox.slack.next(Answer(500), on="auth.test")
    assert post(hook).status_code == 200
    assert requests.post(f"{api}auth.test").status_code == 500


def test_always_lasts_until_it_is_taken_back(sandbox, hook):
    sandbox.slack.always(Answer(503))
    assert [post(hook).status_code for _ in range(3)] == [503, 503, 503]
    sandbox.slack.always(None)
    assert post(hook).status_code == 200


def test_an_answer_may_stand_in_for_one_that_was_done(sandbox, hook):
    sandbox.slack.next(Answer(503, json={"a": 1}, done=True))
    assert post(hook).json() == {"a": 1}
    assert len(sandbox.slack.writes) == 1


def test_an_answer_may_be_bytes_that_are_no_text(sandbox, hook):
    sandbox.slack.next(Answer(400, b"no \xff text"))
    assert post(hook).content == b"no \xff text"


def test_a_request_dropped_before_it_is_read_did_nothing(sandbox, hook):
    sandbox.slack.next(DropBefore(), DropBefore(reset=True))
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            post(hook)
    assert [request.body for request in sandbox.slack.received] == [b"", b""]
    assert sandbox.slack.writes == []


@pytest.mark.parametrize("fault", [DropAfter(), DropAfter(reset=True), Hang(0.1)])
def test_a_request_dropped_after_it_was_read_is_done(sandbox, hook, fault):
    sandbox.slack.next(fault)
    with pytest.raises(requests.ConnectionError):
        post(hook)
    (request,) = sandbox.slack.writes
    assert (request.json, request.status) == ({"text": "hello"}, None)


def test_a_hanging_call_hangs_until_the_caller_gives_up(sandbox, hook):
    sandbox.slack.next(Hang())
    with pytest.raises(requests.ReadTimeout):
        post(hook, timeout=0.2)
    assert len(sandbox.slack.writes) == 1


def test_a_delayed_call_is_done_though_nobody_waits(sandbox, hook):
    sandbox.slack.next(Delay(0.3))
    with pytest.raises(requests.ReadTimeout):
        post(hook, timeout=0.1)
    deadline = time.monotonic() + 5
    while not sandbox.slack.writes and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(sandbox.slack.writes) == 1


@pytest.mark.parametrize(
    ("headers", "start"), [(True, b"HTTP/1.1 200 OK\r\n"), (False, b'{"padding":"xxx')]
)
def test_a_dripping_answer_comes_byte_by_byte(sandbox, headers, start):
    sandbox.slack.next(Drip(headers=headers, interval=0.005))
    address = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=5) as client:
        client.sendall(b"GET /slack/api/auth.test HTTP/1.1\r\nHost: localhost\r\n\r\n")
        pieces = []
        while start not in b"".join(pieces):
            pieces.append(client.recv(4096))
    assert max(len(piece) for piece in pieces[1:]) < 5


@pytest.mark.parametrize("chunked", [True, False])
def test_a_huge_answer_is_as_large_as_asked(sandbox, hook, chunked):
    sandbox.slack.next(Huge(megabytes=2, chunked=chunked))
    answer = post(hook)
    assert len(answer.content) == 2 * 2**20
    assert ("Content-Length" in answer.headers) is not chunked


def test_a_caller_that_has_read_enough_does_not_stop_the_others(sandbox, hook):
    sandbox.slack.next(Huge())
    with requests.post(hook, json={"text": "x"}, stream=True, timeout=5) as answer:
        assert len(answer.raw.read(65536)) == 65536
    assert post(hook).text == "ok"


def test_fifty_callers_at_once_are_all_remembered(sandbox, hook):
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: post(hook, str(number)).text, range(50)))
    assert answers == ["ok"] * 50
    assert {request.shown for request in sandbox.slack.writes} == {str(n) for n in range(50)}


def test_scripted_answers_are_each_given_once_however_many_call(sandbox, hook):
    sandbox.slack.next(*[Answer(503)] * 20)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: post(hook).status_code, range(50)))
    assert answers.count(503) == 20


def test_only_the_newest_requests_are_kept(sandbox):
    for number in range(service.KEPT + 1):
        sandbox.slack.keep(service.Received("slack", "", "GET", str(number), {}, {}))
    kept = sandbox.slack.received
    assert (len(kept), kept[0].path) == (10_000, "1")


def test_clearing_forgets_requests_scripts_and_what_calls_made(sandbox, hook):
    post(hook)
    sandbox.slack.next(Answer(500))
    sandbox.sheets.rows["Sheet1"].append(["a"])
    sandbox.clear()
    assert sandbox.received == []
    assert sandbox.sheets.rows["Sheet1"] == []
    assert post(hook).status_code == 200
