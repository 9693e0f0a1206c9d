"""A service's answer: its head as it is read, its body at most so long."""

import re
from http import HTTPStatus
from http.client import (
    BadStatusLine,
    HTTPMessage,
    HTTPResponse,
    LineTooLong,
    RemoteDisconnected,
    UnknownProtocol,
    parse_headers,
)
from io import BytesIO
from typing import Any, NamedTuple

MAX_HEADER_BYTES = MAX_BODY_BYTES = 64 * 1024
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)\r?\n")


class RawAnswer(NamedTuple):
    """An answer as it came, its body cut off after one byte too many."""

    status: int
    headers: Any  # an http.client.HTTPMessage, which is a Mapping in all but name
    body: bytes


class Response(HTTPResponse):
    """http.client's, its head read here: there that takes longer than many a service does.

    There a connection lost amid the headers is taken for their end; and any interim answer but
    100 (RFC 9110, 15.2) for the final one, which the next request would then read as its own.
    """

    def begin(self) -> None:
        """Read the head of the final answer."""
        status, left = HTTPStatus.CONTINUE, MAX_HEADER_BYTES
        while status < HTTPStatus.OK:
            version, status, reason = self._read_status()  # type: ignore[attr-defined]
            headers, left = self._read_headers(left - len(reason))
            if status == HTTPStatus.SWITCHING_PROTOCOLS:
                raise BadStatusLine("nobody asked for another protocol")
        old = version in ("HTTP/1.0", "HTTP/0.9")
        if not old and not version.startswith("HTTP/1."):
            raise UnknownProtocol(version)
        self.code = self.status = status
        self.reason, self.version = reason.strip(), 10 if old else 11
        self.headers = self.msg = headers
        self.chunked = headers.get("Transfer-Encoding", "").lower() == "chunked"
        self.chunk_left = None
        self.length = self._body_length()
        endless = self.length is None and not self.chunked
        self.will_close = endless or self._check_close()  # type: ignore[attr-defined]

    def _read_headers(self, left: int) -> tuple[HTTPMessage, int]:
        """Read headers of so many bytes at most, and say how many are left."""
        headers, plain = HTTPMessage(), True
        lines: list[bytes] = []
        while not lines or lines[-1] not in (b"\r\n", b"\n"):
            lines.append(line := self.fp.readline(max(left, 0) + 1))
            left -= len(line)
            if left < 0:
                raise LineTooLong("header line")
            if not line:
                raise RemoteDisconnected("connection lost amid the headers")
            if header := _HEADER.fullmatch(line):
                headers[header[1].decode()] = header[2].decode()
            else:
                plain = plain and line in (b"\r\n", b"\n")
        # What is folded or strange is left to whoever knows what others make of it.
        return headers if plain else parse_headers(BytesIO(b"".join(lines))), left

    def _body_length(self) -> int | None:
        """How long the body is; None where only its end tells."""
        if self.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            return 0
        try:
            length = -1 if self.chunked else int(self.headers.get("Content-Length", -1))
        except ValueError:
            return None
        return None if length < 0 else length
