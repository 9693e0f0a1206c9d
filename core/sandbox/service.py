"""What every sandbox service has: a memory of what it received and a script of answers."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

    from aiohttp import web

    from core.sandbox.answers import Scripted

    Handler = Callable[["web.Request", "Received"], Awaitable[web.Response]]
    Raw = Callable[["web.Request"], Awaitable[web.StreamResponse]]

KEPT = 10_000  # requests remembered by each service; the oldest go first


@dataclass(frozen=True)
class Card:
    """What a person would see of a call: who or what, where, a text, a table of rows."""

    title: str
    where: str
    text: str = ""
    rows: Sequence[Sequence[str]] = ()


@dataclass
class Received:
    """One request as it arrived; `path` is without the service's prefix.

    `call` is the vendor's name of the call, `at` Unix time in seconds, `status` what was
    answered (None: nothing yet, or nothing at all), `over` whether anything can still come,
    `done` whether it did something a person would see, `shown` that something in a few
    words and `card` all of it, `result` what it made.
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
    done: bool = False
    shown: str = ""
    card: Card | None = None
    result: Any = None

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


class SandboxService:
    """A vendor on loopback: subclasses declare their calls and answer them."""

    name: ClassVar[str]
    connector: ClassVar[str]
    title: ClassVar[str]
    loop: asyncio.AbstractEventLoop  # the sandbox's, once it runs

    def __init__(self, url: str) -> None:
        self.url = f"{url}/{self.name}"
        self._lock = threading.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._received: deque[Received] = deque(maxlen=KEPT)
        self._next: list[tuple[str | None, Scripted]] = []
        self._always: list[tuple[str | None, Scripted]] = []
        self.reset()

    def settings(self) -> dict[str, str]:
        """The settings that lead the connector here, credentials included."""
        raise NotImplementedError

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        """Each call: method, path, the vendor's name for it (empty: in the path), handler."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget what calls have made; subclasses with a state of their own override it."""

    def raw_routes(self) -> list[tuple[str, Raw]]:
        """Addresses (GET) that are no calls and answer for themselves, e.g. WebSockets."""
        return []

    async def stop(self) -> None:
        """End what still waits, when the sandbox closes."""

    def later(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run something on the sandbox's loop, if that runs yet."""
        if hasattr(self, "loop"):
            self.loop.call_soon_threadsafe(lambda: self._tasks.add(self.loop.create_task(work())))

    def not_found(self) -> web.Response:
        """What this vendor answers to an address it does not have."""
        raise NotImplementedError

    @property
    def received(self) -> list[Received]:
        """Every request, oldest first."""
        with self._lock:
            return list(self._received)

    @property
    def writes(self) -> list[Received]:
        """The requests that did something a person would see, oldest first."""
        return [request for request in self.received if request.done]

    def calls(self, call: str) -> list[Received]:
        """The requests of one call, by the vendor's name for it."""
        return [request for request in self.received if request.call == call]

    def next(self, *answers: Scripted, on: str | None = None) -> None:
        """Answer the next calls like this, one each; `on` limits it to one kind of call."""
        with self._lock:
            self._next += [(on, answer) for answer in answers]

    def always(self, answer: Scripted | None, on: str | None = None) -> None:
        """Answer every call like this from now on; None goes back to real behaviour."""
        with self._lock:
            self._always = [(call, old) for call, old in self._always if call != on]
            if answer is not None:
                self._always.append((on, answer))

    def clear(self) -> None:
        """Forget requests, scripts and everything calls have made."""
        with self._lock:
            self._received.clear()
            self._next.clear()
            self._always.clear()
        self.reset()

    def scripted(self, call: str) -> Scripted | None:
        """Take the answer this call was promised, if any."""
        with self._lock:
            for index, (on, answer) in enumerate(self._next):
                if on in (None, call):
                    del self._next[index]
                    return answer
            # What was said of this call goes before what was said of all.
            for wanted in (call, None):
                for on, answer in self._always:
                    if on == wanted:
                        return answer
        return None

    def keep(self, received: Received) -> None:
        """Remember a request."""
        with self._lock:
            self._received.append(received)


def loads(text: str | bytes) -> Any:
    """Read JSON; None where it is none, is nested without end, or holds half a character."""
    try:
        said = json.loads(text)
        json.dumps(said, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return said


def headers_of(request: web.Request) -> dict[str, str]:
    """A request's headers, names in lower case."""
    return {name.lower(): value for name, value in request.headers.items()}


def flag(value: Mapping[str, Any], name: str) -> bool:
    """Read a flag that may have come as JSON or as a form field."""
    return str(value.get(name, "")).lower() in ("true", "1")
