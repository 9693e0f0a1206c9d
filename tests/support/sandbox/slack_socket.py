"""Socket Mode: WebSockets over which Slack hands a bot what happened.

Each envelope goes to one of the open connections, in turn, and waits there for its
acknowledgement.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.support.sandbox.slack_identity import APP

MAX_CONNECTIONS = 10


@dataclass
class Acked:
    """An acknowledgement: which envelope, its reply, and seconds since it was sent."""

    envelope_id: str
    payload: Any
    latency: float
    connection: int


@dataclass
class _Connection:
    number: int
    request: web.Request
    socket: web.WebSocketResponse
    waiting: dict[str, tuple[float, asyncio.Future[Acked | None]]] = field(default_factory=dict)


class Socket:
    """The open connections of one app."""

    def __init__(self) -> None:
        self.acks: list[Acked] = []
        self.opened = 0
        self.limit = MAX_CONNECTIONS
        self._tickets: set[str] = set()
        self._connections: list[_Connection] = []
        self._turn = itertools.count()

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    def ticket(self) -> str:
        """A ticket for one connection."""
        ticket = secrets.token_urlsafe(12)
        self._tickets.add(ticket)
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection, from hello to its end."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403, text="invalid ticket")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if len(self._connections) >= self.limit:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        self.opened += 1
        connection = _Connection(self.opened, request, socket)
        self._connections.append(connection)
        try:
            await socket.send_json(self._hello())
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    self._acknowledged(connection, message.data)
        finally:
            self._connections.remove(connection)
            for _, future in connection.waiting.values():
                if not future.done():
                    future.set_result(None)
        return socket

    async def deliver(self, envelope: dict[str, Any], seconds: float) -> Acked | None:
        """Hand an envelope to the next connection; None without one or without an answer."""
        if not self._connections:
            return None
        connection = self._connections[next(self._turn) % len(self._connections)]
        future: asyncio.Future[Acked | None] = asyncio.get_running_loop().create_future()
        connection.waiting[envelope["envelope_id"]] = (time.monotonic(), future)
        try:
            await connection.socket.send_json(envelope)
            return await asyncio.wait_for(future, seconds)
        except (TimeoutError, ConnectionError):
            return None
        finally:
            connection.waiting.pop(envelope["envelope_id"], None)

    async def disconnect(self, reason: str) -> None:
        """Ask every connection to come back, as Slack does before it closes one."""
        for connection in list(self._connections):
            with contextlib.suppress(ConnectionError):
                await connection.socket.send_json({"type": "disconnect", "reason": reason})
            await connection.socket.close()

    async def drop(self) -> None:
        """Break every connection without a word."""
        for connection in list(self._connections):
            if connection.request.transport is not None:
                connection.request.transport.abort()

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "connection_info": {"app_id": APP},
            "debug_info": {
                "host": "applink-sandbox",
                "build_number": 1,
                "approximate_connection_time": 18_060,
            },
        }

    def _acknowledged(self, connection: _Connection, text: str) -> None:
        try:
            given = json.loads(text)
        except ValueError:
            return
        envelope = str(given.get("envelope_id"))
        started, future = connection.waiting.get(envelope, (time.monotonic(), None))
        latency = time.monotonic() - started
        acked = Acked(envelope, given.get("payload"), latency, connection.number)
        self.acks.append(acked)
        if future is not None and not future.done():
            future.set_result(acked)
