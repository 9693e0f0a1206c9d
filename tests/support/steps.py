"""A run held at each of its steps: at a service, at a port, in the database itself."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from tests.support.sandbox.answers import Scripted, connected, hang_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web

    from tests.support.sandbox.answers import Real

_HOLD = """
CREATE FUNCTION hold() RETURNS trigger AS $$
BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END $$ LANGUAGE plpgsql;
CREATE TRIGGER hold_sending BEFORE UPDATE ON runs FOR EACH ROW
WHEN (OLD.caller = '{accepted}' AND OLD.state = 'accepted' AND NEW.state = 'sending')
EXECUTE FUNCTION hold();
CREATE TRIGGER hold_told BEFORE UPDATE ON runs FOR EACH ROW
WHEN (OLD.caller = '{told}' AND OLD.reply_to IS NOT NULL AND NEW.reply_to IS NULL)
EXECUTE FUNCTION hold();
"""


@dataclass(frozen=True)
class Held(Scripted):
    """Calls with `text` in them hang until `free`, `done` or not; `came` once there was one."""

    text: str = ""
    done: bool = False
    free: threading.Event = field(default_factory=threading.Event)
    came: threading.Event = field(default_factory=threading.Event)

    async def play(self, request: web.Request, real: Real) -> web.StreamResponse:
        """Hold it, then hang up."""
        held = self.text.encode() in await request.read()
        if self.free.is_set() or not held:
            return await real()
        if self.done:
            await real()
        self.came.set()
        while connected(request):
            await asyncio.sleep(0.02)
            if self.free.is_set():
                break
        return hang_up(request)


class Stalled:
    """A port to which no connection comes about until `let_in`; `arrived` is what came then."""

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        # Whoever comes while nobody is let in gets no answer once there is one who waits.
        self._waiting = [socket.socket() for _ in range(3)]
        for sock in self._waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", self.port))
        self.arrived = b""
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def let_in(self) -> None:
        """Let everybody in, and read what they say."""
        self._listener.listen(64)
        self._listener.settimeout(0.05)
        self._thread = threading.Thread(target=self._serve, name="stalled")
        self._thread.start()

    def close(self) -> None:
        """Let nobody in any more."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
        for sock in (*self._waiting, self._listener):
            sock.close()

    def _serve(self) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(OSError):
                sock, _ = self._listener.accept()
                threading.Thread(target=self._read, args=(sock,), daemon=True).start()

    def _read(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            while more := sock.recv(65536):
                self.arrived += more


@contextlib.contextmanager
def held_in(url: str, *, accepted: str, told: str) -> Iterator[None]:
    """Let one caller's runs stay accepted, and another's told of unmarked, until this ends."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(_HOLD.format(accepted=accepted, told=told).encode())
        db.execute("SELECT pg_advisory_lock(1)")
        yield
        db.execute("SELECT pg_advisory_unlock(1)")
