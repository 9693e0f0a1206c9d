"""Services that answer as a test tells them, and that other threads may call."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from core.sandbox import SandboxService
from core.sandbox.service import respond
from tests.support.vendor import Call

if TYPE_CHECKING:
    import asyncio

    from core.sandbox import Received
    from core.sandbox.service import Handler
    from tests.support.sandbox.answers import Scripted


class ScriptedService(SandboxService):
    """A service with a script of answers in place of its own."""

    loop: asyncio.AbstractEventLoop  # the sandbox's, once it runs

    def __init__(self, url: str) -> None:
        self._next: list[tuple[str | None, Scripted]] = []
        self._always: list[tuple[str | None, Scripted]] = []
        self.answered: list[Call] = []  # in the vendor's own words, not a script's
        super().__init__(url)

    async def stop(self) -> None:
        """End what still waits, when the sandbox closes."""

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
            self.answered.clear()
        self.reset()

    async def handle(
        self, request: web.Request, received: Received, answer: Handler
    ) -> web.StreamResponse:
        """Answer as scripted, or else as the vendor would."""
        scripted = self._scripted(received.call)
        if scripted is None:
            response = await super().handle(request, received, answer)
            self._remember(request, received, response)
            return response
        try:
            if scripted.reads:
                received.body = await request.read()
        finally:
            self.keep(received)
        return await scripted.play(request, partial(respond, request, received, answer))

    def _remember(
        self, request: web.Request, received: Received, response: web.StreamResponse
    ) -> None:
        if isinstance(response, web.Response):
            answer = response.body if isinstance(response.body, bytes) else b""
            self.answered.append(
                Call(
                    request.method,
                    request.raw_path.removeprefix(f"/{self.name}"),
                    received.headers,
                    received.body,
                    response.status,
                    dict(response.headers),
                    answer,
                )
            )

    def _scripted(self, call: str) -> Scripted | None:
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
