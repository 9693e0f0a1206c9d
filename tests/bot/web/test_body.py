"""What a body may be: strict JSON within bounds, and never echoed."""

import asyncio
import json

import pytest

from bot.web.body import parse_object
from core.errors import InvalidInput
from tests.support.web import served

SECRET = "canary-7f3a"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def web(engine):
    with served(engine) as web:
        yield web


BROKEN = [
    (b"", "is not valid at line 1, column 1"),
    (b"{", "is not valid at line 1, column 2"),
    (b'{"text": canary-7f3a}', "is not valid at line 1, column 10"),
    (b'{"text": "canary-7f3a"} {}', "is not valid at line 1, column 25"),
    (b'{"text": "a\ncanary-7f3a"}', "is not valid at line 1, column 12"),
    (b'{"text": "caf\xe9"}', "is not UTF-8: see byte 14"),
    (b'{\n"text": "caf\xe9"}', "is not UTF-8: see byte 15, on line 2"),
    ('{"text": "x"}'.encode("utf-16"), "is UTF-16, not UTF-8: save it as UTF-8"),
    ('{"text": "x"}'.encode("utf-32"), "is UTF-32, not UTF-8: save it as UTF-8"),
    (b'["canary-7f3a"]', "must be a JSON object"),
    (b'"canary-7f3a"', "must be a JSON object"),
    (b"null", "must be a JSON object"),
    (b'{"text": "canary-7f3a", "text": "b"}', "holds the same name twice in one object"),
    (
        b'{"props": {"canary-7f3a": 1, "canary-7f3a": 2}}',
        "holds the same name twice in one object",
    ),
    (b'{"text": NaN}', "must not hold NaN"),
    (b'{"text": -Infinity}', "must not hold -Infinity"),
    (b'{"n": 1e999}', "holds a number that is too large"),
    (b'{"n": ' + b"9" * 5000 + b"}", "holds a number that is too large"),
    (b'{"n": 9007199254740993}', "holds a number that is too large"),
    (
        b'{"text": "\\ud800canary-7f3a"}',
        "holds half of a surrogate pair, which is no character",
    ),
    (b'{"\\udfff": 1}', "holds half of a surrogate pair, which is no character"),
    (b'{"a": ' + b"[" * 33 + b"]" * 33 + b"}", "is nested deeper than 32 levels"),
    (b'{"a": ' * 50_000 + b"1" + b"}" * 50_000, "is nested deeper than 32 levels"),
    (
        json.dumps({f"f{n}": 1 for n in range(101)}).encode(),
        "holds more than 100 fields in one object",
    ),
]


@pytest.mark.parametrize(("body", "what"), BROKEN, ids=[what for _, what in BROKEN])
def test_a_body_that_is_not_strict_json_is_refused_without_its_words(body, what):
    with pytest.raises(InvalidInput) as refused:
        parse_object(body, {"content-type": "application/json"})
    assert refused.value.body() == {
        "error": "validation_error",
        "message": "Something in the input is not right; nothing was sent.",
        "fix": "Send one JSON object.",
        "details": [{"field": "body", "message": what}],
    }
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "body", [one for one, _ in BROKEN if len(one) < 10_000], ids=range(len(BROKEN) - 1)
)
def test_a_broken_body_is_answered_with_400_over_http(web, body):
    reply = web.post("/actions/slack.send", body, headers=JSON)
    assert reply.status == 400
    assert reply.json()["error"] == "validation_error"
    assert SECRET.encode() not in reply.body


def test_whole_characters_and_everyday_json_pass():
    body = '{"text": "\\ud83d\\ude00 ä\\n", "n": [1, 2.5, -0.0, true, null, {"a": []}]}'.encode()
    assert parse_object(body, {"content-type": "Application/JSON; charset=UTF-8"}) == {
        "text": "😀 ä\n",
        "n": [1, 2.5, -0.0, True, None, {"a": []}],
    }


def test_a_byte_order_mark_before_a_body_is_no_part_of_it():
    body = '\ufeff{"text": "\ufeffx"}'.encode()
    assert parse_object(body, {"content-type": "application/json"}) == {"text": "\ufeffx"}


@pytest.mark.parametrize(
    "named",
    [
        "application/json",
        "application/json; charset=utf8",
        'application/json; charset="UTF-8"',
        "application/json;charset=UTF_8",
        "application/json; version=1; charset=utf-8",
    ],
)
def test_utf_8_is_understood_however_a_header_spells_it(web, named):
    reply = web.post("/actions/slack.send", b'{"txt": 1}', headers={"Content-Type": named})
    assert reply.status == 400


@pytest.mark.parametrize("charset", ["latin-1", "iso-8859-1", "utf-16", "UTF-7", ""])
def test_another_charset_is_named_as_the_trouble(web, charset):
    named = {"Content-Type": f"application/json; charset={charset}"}
    reply = web.post("/actions/slack.send", b'{"text": "x"}', headers=named)
    assert reply.status == 415
    assert reply.json() == {
        "error": "validation_error",
        "message": "Levqor reads application/json; nothing was sent.",
        "fix": "Send the header Content-Type: application/json, and a body in UTF-8.",
        "details": [{"field": "content-type", "message": "has a charset other than UTF-8"}],
    }


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": ""},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_what_is_not_plain_json_is_415(web, headers):
    reply = web.post("/actions/slack.send", b'{"text": "x"}', headers=headers)
    assert reply.status == 415
    assert reply.json()["error"] == "validation_error"
    assert reply.json()["details"][0]["field"] in ("content-type", "content-encoding")


def test_every_fault_of_a_contract_is_told_at_once_without_values(web):
    body = {"to": "canary-7f3a", "subject": "", "text": 5, "cc": "canary-7f3a"}
    reply = web.post("/actions/email.send", body)
    assert reply.status == 400
    assert [one["field"] for one in reply.json()["details"]] == ["to", "subject", "text", "cc"]
    assert SECRET.encode() not in reply.body


def test_256_kilobytes_are_read_and_one_more_byte_is_413(web):
    room = 256 * 1024 - len('{"text": ""}')
    largest = b'{"text": "' + b"x" * room + b'"}'
    too_large = b'{"text": "' + b"x" * (room + 1) + b'"}'
    assert len(largest) == 262144
    assert web.post("/actions/slack.send", largest, headers=JSON).status == 400
    reply = web.post("/actions/slack.send", too_large, headers=JSON)
    assert reply.status == 413
    assert reply.json()["details"] == [{"field": "body", "message": "must be at most 262144 bytes"}]


def test_a_body_of_megabytes_is_answered_and_not_cut_off(web):
    reply = web.post("/actions/slack.send", b"x" * 3_000_000, headers=JSON)
    assert reply.status == 413
    assert reply.headers["connection"] == "close"


def test_a_large_body_in_chunks_is_413_as_well(web):
    async def ask():
        reader, writer = await asyncio.open_connection(*web.address)
        writer.write(
            b"POST /actions/slack.send HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(80):
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        writer.write(b"0\r\n\r\n")
        line = await asyncio.wait_for(reader.readline(), 10)
        writer.close()
        return line

    assert asyncio.run(ask()).startswith(b"HTTP/1.1 413")


def test_a_caller_who_asks_first_is_told_before_sending_a_large_body(web):
    async def ask():
        reader, writer = await asyncio.open_connection(*web.address)
        writer.write(
            b"POST /actions/slack.send HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            b"Content-Type: application/json\r\nContent-Length: 9000000\r\n\r\n"
        )
        line = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
        return line

    assert asyncio.run(ask()).startswith(b"HTTP/1.1 413")
