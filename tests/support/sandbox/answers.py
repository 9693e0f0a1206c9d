"""What a service can be told to answer, in place of or around its real behaviour.

`Answer` replaces it. The others are ways in which a network fails: `DropBefore` strikes
before the request is read, all the rest after it was read *and done*, which is the worst
case a caller can be in: the thing happened and no answer came.
"""

from __future__ import annotations

import asyncio
import json as jsonlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Real = Callable[[], Awaitable[web.Response]]

_POLL = 0.05


class Scripted:
    """Something a service does with a call instead of simply answering it."""

    reads: ClassVar[bool] = True

    async def play(self, request: web.Request, real: Real) -> web.StreamResponse:
        """Answer the request; `real` does what the service would have done."""
        raise NotImplementedError


@dataclass(frozen=True)
class Answer(Scripted):
    """This answer; with `done` the call takes effect first and only the answer is replaced."""

    status: int = 200
    body: str | bytes = ""
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    done: bool = False

    async def play(self, request: web.Request, real: Real) -> web.StreamResponse:
        """Answer as told."""
        if self.done:
            await real()
        headers = {name.title(): value for name, value in self.headers.items()}
        if self.json is not None:
            headers.setdefault("Content-Type", "application/json; charset=utf-8")
            return web.Response(
                status=self.status, body=jsonlib.dumps(self.json).encode(), headers=headers
            )
        headers.setdefault("Content-Type", "text/plain; charset=utf-8")
        body = self.body if isinstance(self.body, bytes) else self.body.encode()
        return web.Response(status=self.status, body=body, headers=headers)


@dataclass(frozen=True)
class Delay(Scripted):
    """The real behaviour after `seconds`, whether or not the caller still waits."""

    seconds: float = 0.05

    async def play(self, request: web.Request, real: Real) -> web.StreamResponse:
        """Wait, then do it and answer."""
        await asyncio.sleep(self.seconds)
        return await real()


@dataclass(frozen=True)
class Hang(Scripted):
    """Do it and never answer, until the caller hangs up or `seconds` are over."""

    seconds: float = 3600.0

    async def play(self, request: web.Request, real: Real) -> web.StreamResponse:
        """Hold the connection open in silence."""
        await real()
        waited = 0.0
        while waited < self.seconds and connected(request):
            await asyncio.sleep(_POLL)
            waited += _POLL
        return hang_up(request)


@dataclass(frozen=True)
class DropBefore(Scripted):
    """Close the connection before the body is read; `reset` with a TCP reset."""

    reads: ClassVar[bool] = False

    reset: bool = False

    async def play(self, request: web.Request, real: Real) -> web.StreamResponse:
        """Hang up at once."""
        return hang_up(request, reset=self.reset)


@dataclass(frozen=True)
class DropAfter(Scripted):
    """Read the request, do it, and close the connection without a word."""

    reset: bool = False

    async def play(self, request: web.Request, real: Real) -> web.StreamResponse:
        """Do it and hang up."""
        await real()
        return hang_up(request, reset=self.reset)


@dataclass(frozen=True)
class Drip(Scripted):
    """Answer a byte every `interval` seconds and never finish, in the headers or the body."""

    headers: bool = False
    interval: float = 1.0

    async def play(self, request: web.Request, real: Real) -> web.StreamResponse:
        """Drip until the caller hangs up."""
        await real()
        start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        if not self.headers and request.transport is not None:
            request.transport.write(start + b"Content-Length: 1048576\r\n\r\n")
            start = b""
        # Padding that stays a valid header line, or a valid start of a JSON string.
        endless = b"X-Padding: " if self.headers else b'{"padding":"'
        for byte in start + endless + b"x" * 1_000_000:
            if not connected(request) or request.transport is None:
                break
            request.transport.write(bytes([byte]))
            await asyncio.sleep(self.interval)
        return hang_up(request)


@dataclass(frozen=True)
class Huge(Scripted):
    """Answer with `megabytes` of JSON string, with or without saying so beforehand."""

    megabytes: int = 100
    chunked: bool = False
    status: int = 200

    async def play(self, request: web.Request, real: Real) -> web.StreamResponse:
        """Send until the caller has had enough."""
        await real()
        response = web.StreamResponse(
            status=self.status, headers={"Content-Type": "application/json"}
        )
        if self.chunked:
            response.enable_chunked_encoding()
        else:
            response.content_length = self.megabytes * 2**20
        await response.prepare(request)
        block = b"x" * 2**16
        try:
            await response.write(b'"' + block[1:])
            for _ in range(self.megabytes * 16 - 1):
                await response.write(block)
        except ConnectionError:
            return hang_up(request)
        return response


def connected(request: web.Request) -> bool:
    """Whether the caller is still there."""
    return request.transport is not None and not request.transport.is_closing()


def hang_up(request: web.Request, *, reset: bool = False) -> web.Response:
    """Close the connection; the response returned is never seen."""
    if request.transport is not None:
        request.transport.abort() if reset else request.transport.close()
    return web.Response()
