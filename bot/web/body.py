"""Bodies: a request's, bounded in bytes, time, depth and names, and strictly JSON; a response's.

What is refused is said without its value: nothing of a body is ever echoed.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from email.message import Message
from functools import lru_cache
from typing import Any

from starlette.responses import Response

from core.callers import Caller
from core.contract import utf8
from core.errors import (
    Fault,
    InvalidInput,
    LevqorError,
    TooLarge,
    Unauthorized,
    WrongMediaType,
)
from core.grammar.jsons import BrokenJson, strict_json

MAX_BYTES = 256 * 1024
# A body beyond the bound is read on to here, so that whoever sends it can read our answer:
# closing on unread bytes would reset the connection under it.
_PATIENCE_BYTES = 16 * MAX_BYTES
KEY_HEADER = "Idempotency-Key"
KEY_PATTERN = r"^[!-~]([ -~]{0,253}[!-~])?$"
# Answers hold who asked and what came of it: nothing may keep a copy.
_ALWAYS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_AS_HEADERS = {"x-run-id": "run", "retry-after": "retry_after"}


class TooSlow(InvalidInput, http=408):
    """The request took too long to arrive; nothing was sent."""


class HeadTooLarge(InvalidInput, http=431):
    """The request's headers are too large; nothing was sent."""


class Smuggled(InvalidInput):
    """The request states its length in two ways; nothing was sent."""


class Gone(Exception):
    """The connection ended before the body did."""


def check_framing(headers: Mapping[str, str], version: str) -> None:
    """Raise Smuggled where a proxy may have seen another end of the request than we do."""
    # RFC 9112, section 6.1: both at once, or chunks in HTTP/1.0, ought to be handled as an error.
    both = "content-length" in headers
    if "transfer-encoding" in headers and (both or version == "1.0"):
        where = "where there is a content-length" if both else "in HTTP/1.0"
        raise Smuggled([Fault("transfer-encoding", f"must be left out {where}")])


async def read_body(
    receive: Callable[[], Awaitable[Mapping[str, Any]]],
    headers: Mapping[str, str],
    seconds: float,
) -> bytes:
    """Read the whole body from an ASGI channel; raises TooLarge, TooSlow or Gone."""
    declared = headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MAX_BYTES and "expect" in headers:
        raise _too_large()
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(seconds):
            more = True
            while more and size <= _PATIENCE_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                chunk = message.get("body", b"")
                size += len(chunk)
                if size <= MAX_BYTES:
                    body += chunk
                more = message.get("more_body", False)
    except TimeoutError:
        raise TooSlow(fix="Send the request in one piece.") from None
    if size > MAX_BYTES:
        raise _too_large()
    return bytes(body)


def _too_large() -> TooLarge:
    return TooLarge(
        [Fault("body", f"must be at most {MAX_BYTES} bytes")], fix="Send less at a time."
    )


def parse_object(body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """Read a body as one strict JSON object; raises InvalidInput or WrongMediaType."""
    check_media_type(headers)
    try:
        text = utf8(body)
    except ValueError as problem:
        raise _malformed(str(problem)) from None
    try:
        value = strict_json(text)
    except BrokenJson as broken:
        name, why = broken.args
        # A name is part of the body, which is never echoed.
        twice = "holds the same name twice in one object"
        raise _malformed(why if name == "json" else twice) from None
    if not isinstance(value, dict):
        raise _malformed("must be a JSON object")
    return value


def idempotency_key(headers: Mapping[str, str], caller: Caller) -> str | None:
    """Return the caller's own key as the engine takes it; raises InvalidInput for a broken one.

    `sent`, `refused` and `unknown` bind a key; a run that was not sent frees it.
    """
    text = headers.get(KEY_HEADER.lower())
    if text is None:
        return None
    if not re.fullmatch(KEY_PATTERN.strip("^$"), text):
        raise InvalidInput(
            [Fault(KEY_HEADER, "must be 1 to 255 printable ASCII characters")],
            fix="Send a UUID, a new one for each message.",
        )
    # A caller holds no space, but may hold colons: an IPv6 network must not read as a label
    # and the beginning of its key.
    return f"{caller} {text}"


def check_media_type(headers: Mapping[str, str]) -> None:
    """Raise WrongMediaType for anything but plain UTF-8 JSON."""
    media, charset = _media_type(headers.get("content-type", ""))
    fix = "Send the header Content-Type: application/json."
    if media != "application/json":
        raise WrongMediaType([Fault("content-type", "must be application/json")], fix=fix)
    if charset.replace("_", "-").replace("utf-8", "utf8") != "utf8":
        raise WrongMediaType(
            [Fault("content-type", "has a charset other than UTF-8")],
            fix=f"{fix[:-1]}, and a body in UTF-8.",
        )
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise WrongMediaType(
            [Fault("content-encoding", "must be left out")], fix="Send the body uncompressed."
        )


@lru_cache(maxsize=64)
def _media_type(header: str) -> tuple[str, str]:
    """Read a content-type: its type, and its charset or UTF-8."""
    message = Message()
    message["content-type"] = header
    return message.get_content_type(), message.get_content_charset("utf-8")


def _malformed(what: str) -> InvalidInput:
    return InvalidInput([Fault("body", what)], fix="Send one JSON object.")


def json_response(
    body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Make a JSON response, with the run and the seconds to wait as headers too."""
    more = {header: str(body[name]) for header, name in _AS_HEADERS.items() if name in body}
    return Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n",
        status,
        {**_ALWAYS, **more, **(headers or {})},
        "application/json",
    )


def error_response(error: LevqorError, *, allow: str | None = None) -> Response:
    """Make an error's response, with the headers its status calls for."""
    headers: dict[str, str] = {}
    if isinstance(error, Unauthorized):
        headers["www-authenticate"] = 'Bearer realm="levqor"'
    if allow:
        headers["allow"] = allow
    if isinstance(error, TooLarge | TooSlow | Smuggled):
        # The rest of that body is still on its way, or its end is in doubt: nothing after
        # it can be read.
        headers["connection"] = "close"
    return json_response(error.body(), error.http, headers)
