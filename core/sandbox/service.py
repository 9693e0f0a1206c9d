"""What every sandbox service has: its calls, and a memory of what it received."""

import json
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from aiohttp import web

Handler = Callable[[web.Request, "Received"], Awaitable[web.Response]]

KEPT = 10_000  # requests remembered by each service; the oldest go first


@dataclass(frozen=True)
class Card:
    """What a person would see of a call: who or what, where, a text, a table of rows."""

    title: str
    where: str
    text: str = ""
    rows: Sequence[Sequence[str]] = ()
    summary: str = ""  # all of it in a few words, where that is not the text or the title


@dataclass
class Received:
    """One request as it arrived; `path` is without the service's prefix.

    `call` is the vendor's name of the call, `at` Unix time in seconds, `status` what was
    answered (None: nothing yet, or nothing at all), `over` whether anything can still come,
    `card` what a person would see of it, if anything.
    """

    upstream: str
    call: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    at: float = field(default_factory=time.time)
    status: int | None = None
    over: bool = False
    card: Card | None = None

    @property
    def done(self) -> bool:
        """Whether it did something a person would see."""
        return self.card is not None

    @property
    def shown(self) -> str:
        """What a person would see, in a few words."""
        return (self.card.summary or self.card.text or self.card.title) if self.card else ""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is not JSON."""
        return loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The body as form fields."""
        return dict(parse_qsl(self.text, keep_blank_values=True))


class Refusal(Exception):
    """A vendor's refusal: the answer that goes out in place of the usual one."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__(answer.text)
        self.answer = answer


class SandboxService(ABC):
    """A vendor on loopback: subclasses declare their calls and answer them."""

    name: ClassVar[str]
    connector: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, url: str) -> None:
        self.url = f"{url}/{self.name}"
        self._lock = threading.Lock()
        self._received: deque[Received] = deque(maxlen=KEPT)
        self.reset()

    @abstractmethod
    def settings(self) -> dict[str, str]:
        """The settings that lead the connector here, credentials included."""

    @abstractmethod
    def routes(self) -> list[tuple[str, str, str, Handler]]:
        """Each call: method, path, the vendor's name for it (empty: in the path), handler."""

    def reset(self) -> None:  # noqa: B027 - most have no state
        """Begin without anything that calls make; for subclasses with a state of their own."""

    @abstractmethod
    def not_found(self) -> Refusal:
        """What this vendor answers to an address it does not have."""

    async def unknown(self, request: web.Request, received: Received) -> web.Response:
        """Answer an address this vendor does not have."""
        raise self.not_found()

    async def serve(self, call: str, answer: Handler, request: web.Request) -> web.StreamResponse:
        """Answer a request, and keep what it was and how it was answered."""
        received = Received(
            upstream=self.name,
            # Telegram's calls are named by the address itself.
            call=call or request.match_info["call"],
            method=request.method,
            path=request.path.removeprefix(f"/{self.name}"),
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
        )
        try:
            response = await self.handle(request, received, answer)
            if request.transport is not None and not request.transport.is_closing():
                received.status = response.status
            return response
        finally:
            received.over = True

    async def handle(
        self, request: web.Request, received: Received, answer: Handler
    ) -> web.StreamResponse:
        """Read and keep a request, and give it the vendor's answer."""
        try:
            received.body = await request.read()
        finally:
            self.keep(received)
        return await respond(request, received, answer)

    @property
    def received(self) -> list[Received]:
        """Every request, oldest first."""
        with self._lock:
            return list(self._received)

    @property
    def writes(self) -> list[Received]:
        """The requests that did something a person would see, oldest first."""
        return [request for request in self.received if request.done]

    def keep(self, received: Received) -> None:
        """Remember a request."""
        with self._lock:
            self._received.append(received)


async def respond(request: web.Request, received: Received, answer: Handler) -> web.Response:
    """Give the vendor's answer, its refusals too."""
    try:
        return await answer(request, received)
    except Refusal as refusal:
        return refusal.answer


def loads(text: str | bytes) -> Any:
    """Read JSON; None where it is none, is nested without end, or holds half a character."""
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value


def bearer(request: web.Request) -> str:
    """The token that a request is signed in with (RFC 6750, 2.1); empty without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def flag(value: Mapping[str, Any], name: str) -> bool:
    """Read a flag that may have come as JSON or as a form field."""
    return str(value.get(name, "")).lower() in ("true", "1")
