"""An upstream's answer is read with suspicion."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from pydantic import BaseModel
from requests.structures import CaseInsensitiveDict

from core.contract.http import Answer
from core.outbound import Outbound
from tests.support.rawserver import answering, serving
from tests.support.ways_out import deliver, ended, failing, posting


class Reply(BaseModel):
    ok: bool


def answer(body=b"", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(200, CaseInsensitiveDict(named), body)


@pytest.mark.parametrize(
    ("kind", "body", "value"),
    [
        ("application/json", b'{"ok":true}', {"ok": True}),
        ("application/json; charset=utf-8", b"3", 3),
        ("application/problem+json", b'"no"', "no"),
        ("text/plain", b' {"ok":true}', {"ok": True}),
        ("text/plain", b"[1]", [1]),
        ("text/plain", b"3", None),
        ("text/html", b"<html>Bad Gateway</html>", None),
        ("application/json", b"<html>Bad Gateway</html>", None),
        ("application/json", b'{"n": NaN}', None),
        ("application/json", b'{"n": -Infinity}', None),
        ("application/json", b"[" * 60_000, None),
        ("application/json", b"9" * 10_000, None),
        ("application/json", b'{"ok":"\xff"}', None),
        ("application/json", b"", None),
    ],
)
def test_a_body_is_json_only_where_its_type_or_its_look_says_so(kind, body, value):
    assert answer(body, Content_Type=kind).json() == value


def test_a_body_that_does_not_fit_the_model_is_none():
    assert answer(b'{"ok":true}').parse(Reply) == Reply(ok=True)
    assert answer(b'{"no":1}').parse(Reply) is None
    assert answer(b"<html>").parse(Reply) is None


def test_text_replaces_what_cannot_be_decoded():
    assert answer(b"na\xc3\xafve").text == "naïve"
    assert answer(b"na\xefve", Content_Type="text/plain; charset=iso-8859-1").text == "naïve"
    assert answer(b"a\xff").text == "a\ufffd"
    assert answer(b"ok", Content_Type="text/plain; charset=no-such").text == "ok"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("1", 1.0),
        ("0.25", 0.25),
        ("3600", 3600.0),
        ("999999999999", 366 * 86400.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("1e400", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_read_as_seconds(header, seconds):
    assert answer(Retry_After=header).retry_after == seconds


def test_retry_after_as_a_date_counts_from_now():
    found = answer(Retry_After=formatdate(time.time() + 60, usegmt=True)).retry_after

    assert 55 < found <= 60


def test_retry_after_as_a_date_counts_by_the_upstreams_clock():
    found = answer(
        Retry_After="Sun, 22 Nov 2020 10:00:30 GMT", Date="Sun, 22 Nov 2020 10:00:00 GMT"
    )

    assert found.retry_after == 30.0


def seen(server):
    """Send once and give back the answer as a connector sees it."""
    answers = []
    outbound = Outbound(attempt_seconds=5)
    deliver(outbound, lambda out: answers.append(out.post(server.url, json=None)))
    outbound.close()
    return answers[0]


def test_header_names_are_case_insensitive():
    with serving(answering(201, b"ok", "X-Slack-Req-Id: abc")) as server:
        found = seen(server)

    assert (found.status, found.body, found.headers["x-slack-req-id"]) == (201, b"ok", "abc")


def test_chunked_and_unframed_bodies_are_read_whole():
    def chunked(peer):
        peer.request()
        peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        peer.say(b"2\r\n{}\r\n3\r\n   \r\n0\r\n\r\n")
        peer.hold()

    def unframed(peer):
        peer.request()
        peer.say(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it")

    with serving(chunked) as server:
        assert seen(server).body == b"{}   "
    with serving(unframed) as server:
        assert seen(server).body == b"all of it"


@pytest.mark.parametrize("interim", [b"100 Continue", b"102 Processing", b"103 Early Hints"])
def test_an_interim_answer_is_not_taken_for_the_final_one(interim):
    def script(peer):
        while request := peer.request():
            peer.say(b"HTTP/1.1 %b\r\nLink: </style.css>\r\n\r\n" % interim)
            peer.answer(201, request.rpartition(b"\r\n")[2])

    outbound, bodies = Outbound(attempt_seconds=5), []
    with serving(script) as server:
        for n in range(3):
            deliver(outbound, lambda out, n=n: bodies.append(out.post(server.url, json=n).body))
        outbound.close()

        assert (bodies, server.connections) == ([b"0", b"1", b"2"], 1)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </st",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10_000,
    ],
)
def test_interim_answers_without_a_final_one_leave_it_unknown(said):
    def script(peer):
        peer.request()
        peer.say(said)

    outbound = Outbound(attempt_seconds=5)
    with serving(script) as server:
        failed = failing(outbound, posting(server.url))
        outbound.close()

    assert ended(failed) == ("unknown", "dropped", 1)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"HTTP/1.0 200 OK", b"to its end"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many", b"to its end"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1", b"to its end"),
        (b"HTTP/1.1 204 No Content", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10", b""),
    ],
)
def test_where_no_length_can_be_read_the_body_goes_to_the_end(head, body):
    def script(peer):
        peer.request()
        peer.say(head + b"\r\n\r\nto its end")

    with serving(script) as server:
        assert seen(server).body == body


@pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/3"])
def test_an_answer_in_another_protocol_leaves_it_unknown(version):
    def script(peer):
        peer.request()
        peer.say(version + b" 200 OK\r\nContent-Length: 0\r\n\r\n")

    outbound = Outbound(attempt_seconds=5)
    with serving(script) as server:
        failed = failing(outbound, posting(server.url))
        outbound.close()

    assert failed.error.outcome == "unknown"


def test_exactly_64_kb_are_read_whole_and_the_connection_is_kept():
    outbound = Outbound(attempt_seconds=5)
    body = b"x" * 65536
    with serving(answering(200, body)) as server:
        for _ in range(2):
            deliver(outbound, lambda out: out.post(server.url, json={}).body == body)
        outbound.close()

        assert (server.connections, len(server.requests)) == (1, 2)


def test_of_a_huge_answer_64_kb_are_read_and_the_connection_is_closed():
    pushed = []

    def script(peer):
        peer.request()
        total = 100 * 1024 * 1024
        peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        piece = b"x" * 65536
        while sum(pushed) < total:
            peer.say(piece)
            pushed.append(len(piece))

    with serving(script) as server:
        found = seen(server)

    assert len(found.body) == 65536
    # What fits in both sides' socket buffers, and no more.
    assert sum(pushed) < 16 * 1024 * 1024
